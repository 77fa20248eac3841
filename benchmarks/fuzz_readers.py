"""What is fuzzed of the readers that ``benchmarks/attack_readers.py`` sets up: models, packages, ledgers, maps."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.fuzz_targets import _ARRAY_WORDS, _JSON_WORDS, Target

if TYPE_CHECKING:
    from benchmarks.attack_readers import Reader

#: Readers of documents, of archives, and of those that PyTorch is needed for.
_DOCUMENTS = ("map", "phones", "ICT indices", "ledger", "training log")
_ARCHIVES = ("package", "artefact", "verify")
_MODELS = ("model configuration", "safetensors", "sync expert", ".pth")
_TAR_WORDS = (b"ustar\x00", b"../", b"/", b"0000777\x00", b"77777777777\x00", b"\x00" * 512, b"L", b"S", b"x")
_MODEL_WORDS = (*_JSON_WORDS, b"1000000000", b'"width":', b'"stored":false', b"NaN", b'"stack":null', b'"names":"x"')


def reader_targets() -> dict[str, Target]:
    """Return the targets by name; those of models only where PyTorch is installed."""
    if importlib.util.find_spec("torch") is None:
        return {}
    return {
        **{name: _target(name, _JSON_WORDS) for name in _DOCUMENTS},
        **{name: _target(name, (*_ARRAY_WORDS, *_TAR_WORDS)) for name in _ARCHIVES},
        **{name: _target(name, _MODEL_WORDS) for name in _MODELS},
    }


def _target(name: str, words: tuple[bytes, ...]) -> Target:
    def read(data: bytes, folder: Path) -> object:
        reader, place = _readers()[name], folder / name.strip(".")
        if not place.exists():
            place.mkdir()
            reader.beside(place)
        (place / reader.name).write_bytes(data)
        return reader.read(place / reader.name)

    return Target(read, lambda: (_readers()[name].proper(),), words, slow=True, heavy=True)


@cache
def _readers() -> dict[str, Reader]:
    from benchmarks.attack_readers import readers

    return readers()

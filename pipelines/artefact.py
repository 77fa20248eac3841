"""Intermediate results on disk: named arrays and a little JSON, the same bytes for the same values."""

from __future__ import annotations

import json
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import BlendvocaError, IntegrityError
from blendvoca.io.npz import read_npz

_FACTS = "facts.json"


def write_artefact(path: str | PathLike[str], facts: Any = None, **arrays: ArrayLike) -> None:
    """Write arrays and plain facts as ``.npz``: uncompressed, no pickle, no time stamps."""
    text = json.dumps(facts, sort_keys=True, allow_nan=True).encode()
    with open(path, "wb") as handle:
        np.savez(handle, **{_FACTS: np.frombuffer(text, dtype=np.uint8)}, **arrays)  # type: ignore[arg-type]


class Artefact(dict[str, NDArray[Any]]):
    """Arrays by name, with the plain facts written beside them."""

    facts: Any = None


def read_artefact(path: str | PathLike[str]) -> Artefact:
    """Read what :func:`write_artefact` wrote.

    :raises IntegrityError: if the file is not such a file.
    """
    try:
        found = Artefact(read_npz(path))
        found.facts = json.loads(found.pop(_FACTS).tobytes())
    except (ValueError, KeyError, BlendvocaError) as error:
        raise IntegrityError(
            "an intermediate result cannot be read", found=str(error), remedy="Build again with --force.", path=path
        ) from error
    return found

"""A published package as a dataset of Hugging Face's ``datasets``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import MissingDependencyError
from blendvoca.io.digest import digest_file
from blendvoca.shard.schema import MANIFEST_NAME
from blendvoca.speakers import SPLIT_NAMES


def load_hub_dataset(
    package: Path, split: str | None = None, *, audio_rate: int | None = None, cache_dir: Path | None = None
) -> Any:
    """Return a package as a ``datasets.Dataset`` of one split, or as a ``datasets.DatasetDict`` of all that have clips.

    Columns: ``speaker``, ``sentence``, ``fps``, ``coefficients`` (T, K) float32, ``audio`` (S,) float32 and
    ``audio_rate`` in Hz (empty and 0 without sound), ``fit_error_mm``. The names of the K columns are in
    ``dataset.info.description``, separated by spaces.

    :param audio_rate: Hz to resample sound to.
    :param cache_dir: where ``datasets`` keeps its files.
    :raises MissingDependencyError: without the package ``datasets``.
    """
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise MissingDependencyError("datasets", "hub", "loading a package with Hugging Face datasets") from error
    names = BlendVOCA(package).names
    number = datasets.Value("float32")
    features = datasets.Features(
        {
            "speaker": datasets.Value("string"),
            "sentence": datasets.Value("string"),
            "fps": datasets.Value("float32"),
            "coefficients": datasets.Array2D((None, len(names)), "float32"),
            "audio": datasets.Sequence(number),
            "audio_rate": datasets.Value("int32"),
            "fit_error_mm": number,
        }
    )

    def load(part: str) -> Any:
        # The manifest's sum is an argument so that a changed package is not answered from the cache.
        arguments = {"package": str(package), "split": part, "audio_rate": audio_rate,
                     "content": digest_file(package / MANIFEST_NAME)}  # fmt: skip
        loaded = datasets.Dataset.from_generator(
            _rows, features=features, gen_kwargs=arguments, split=datasets.NamedSplit(part),
            cache_dir=None if cache_dir is None else str(cache_dir),
        )  # fmt: skip
        loaded.info.description = " ".join(names)
        return loaded

    if split is not None:
        return load(split)
    return datasets.DatasetDict({part: load(part) for part in SPLIT_NAMES if len(BlendVOCA(package, part))})


def _rows(package: str, split: str, audio_rate: int | None, content: str) -> Iterator[dict[str, Any]]:
    dataset = BlendVOCA(package, split, audio_rate=audio_rate, cache_bytes=0)
    for clip in dataset:
        wave, proof = clip.waveform, clip.certificate
        yield {
            "speaker": clip.speaker,
            "sentence": clip.sentence,
            "fps": clip.track.fps,
            "coefficients": clip.track.values.astype("float32"),
            "audio": wave.samples if wave else [],
            "audio_rate": wave.rate if wave else 0,
            "fit_error_mm": proof.error_mean_mm if proof else None,
        }

"""Settings of a build."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from blendvoca.errors import ConfigurationError
from blendvoca.fit.settings import DEFAULT_RATE_LIMIT


@dataclass(frozen=True)
class BuildConfig:
    """What is built, out of what, and how. Where it goes and who does the work are no settings: they change no byte.

    :param corpus: a VOCASET folder, its zips or a training package.
    :param source_rig: ``synthetic``, ``arkit``, ``ict`` or a path; ``auto`` takes ``synthetic`` for the embedded sample
        and ``arkit`` for anything else.
    :param shapes: ``blendvoca`` (the 32), ``all`` (every shape the source has) or names, separated by commas.
    :param method: how shapes are transferred (:data:`blendvoca.transfer.METHODS`).
    :param landmarks: landmark file for all speakers, or a folder with one file a speaker; ``None`` takes those the
        corpus brings, or those of its topology where that is known.
    :param rate_limit: δ, largest step of a coefficient between frames (paper 4.1.2).
    :param region: which vertices the transfer may move: a list of indices or ``MASKS.pkl:NAME``
        (:mod:`blendvoca.io.region`); ``None`` finds the face from the landmarks.
    :raises ConfigurationError: for a rate limit that is not positive.
    """

    corpus: Path
    source_rig: str = "auto"
    shapes: str = "blendvoca"
    method: str = "face"
    landmarks: Path | None = None
    rate_limit: float = DEFAULT_RATE_LIMIT
    region: Path | None = None

    def __post_init__(self) -> None:
        if not self.rate_limit > 0:
            raise ConfigurationError("wrong rate limit", expected="a positive number", found=self.rate_limit)

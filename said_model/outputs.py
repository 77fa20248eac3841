"""What a system produced: tracks by clip, read from folders of CSV files or from shards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import MissingInputError
from blendvoca.io.csv import read_track
from blendvoca.track import CoefficientTrack

_NAME = re.compile(r"^(?P<sentence>.+?)(?:[-_](?P<number>\d+))?$")
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class Outputs:
    """Tracks of a system.

    :param tracks: samples by (speaker, sentence), in the order of their numbers.
    :param dropped: clips that were left out because there is no truth to compare them with.
    :param missing: clips of the split that the system has no track of.
    """

    tracks: dict[tuple[str, str], tuple[CoefficientTrack, ...]]
    dropped: tuple[str, ...]
    missing: tuple[str, ...]


def read_outputs(folder: str | PathLike[str], truth: BlendVOCA, fps: float = 60.0) -> Outputs:
    """Read ``<speaker>/<sentence>.csv`` or ``<speaker>/<sentence>-<number>.csv``, or a folder of shards.

    :param fps: frame rate of CSV files.
    :raises MissingInputError: if nothing here belongs to a clip of the split.
    :raises TrackError: if a track lacks one of the truth's shapes.
    """
    root = Path(folder)
    found: dict[tuple[str, str], list[tuple[int, CoefficientTrack]]] = {}
    if (root / MANIFEST).is_file():
        for clip in BlendVOCA(root, audio=False):
            found[clip.speaker, clip.sentence] = [(0, clip.track)]
    else:
        for path in sorted(root.glob("*/*.csv")):
            key, number = _key(path, truth)
            found.setdefault(key, []).append((number, read_track(path, fps)))
    known = set(truth.keys())
    # A track with other columns is refused here, by name, before anything is measured.
    tracks = {
        key: tuple(track.select(truth.names) for _, track in sorted(samples, key=lambda pair: pair[0]))
        for key, samples in sorted(found.items())
        if key in known
    }
    if not tracks:
        raise MissingInputError(
            f"no tracks of the split {truth.split!r}", path=root, found=f"{len(found)} other clips",
            expected="<speaker>/<sentence>.csv or <speaker>/<sentence>-<number>.csv",
        )  # fmt: skip
    return Outputs(tracks, _spell(sorted(set(found) - known)), _spell(sorted(known - set(tracks))))


def _key(path: Path, truth: BlendVOCA) -> tuple[tuple[str, str], int]:
    speaker = path.parent.name
    if (speaker, path.stem) in truth:
        return (speaker, path.stem), 0
    match = _NAME.match(path.stem)
    if match is None:
        return (speaker, path.stem), 0
    return (speaker, match["sentence"]), int(match["number"] or 0)


def _spell(keys: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(f"{speaker}/{sentence}" for speaker, sentence in keys)

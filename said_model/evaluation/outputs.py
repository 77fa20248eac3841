"""What a system produced: tracks by clip, read from folders of CSV files or from shards."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import MissingInputError
from blendvoca.io.files import naming
from blendvoca.io.track.read import read_track_file
from blendvoca.io.track.samples import TrackOptions
from blendvoca.shard.schema import MANIFEST_NAME
from blendvoca.speakers import VOCASET_FPS
from blendvoca.track import CoefficientTrack
from said_model.evaluation.metrics.violations import Violations, violations

#: Speaker and sentence.
Key = tuple[str, str]

_NAME = re.compile(r"^(?P<sentence>.+?)(?:[-_](?P<number>\d+))?$")


@dataclass(frozen=True)
class Outputs:
    """Tracks of a system.

    :param tracks: samples by (speaker, sentence), in the order of their numbers.
    :param dropped: clips that were left out because there is no truth to compare them with.
    :param missing: clips of the split that the system has no track of.
    :param broken: what the values of each track's file did before they were clipped, over the truth's columns.
    """

    tracks: dict[Key, tuple[CoefficientTrack, ...]]
    dropped: tuple[str, ...]
    missing: tuple[str, ...]
    broken: dict[Key, tuple[Violations, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Sample:
    """One track of a clip: its number, and its violations before clipping."""

    number: int
    track: CoefficientTrack
    broken: Violations


def read_outputs(folder: str | PathLike[str], truth: BlendVOCA, fps: float = VOCASET_FPS) -> Outputs:
    """Read ``<speaker>/<sentence>.csv`` or ``<speaker>/<sentence>-<number>.csv``, or a folder of shards.

    :param fps: frame rate of CSV files.
    :raises MissingInputError: if nothing here belongs to a clip of the split.
    :raises TrackError: if a track lacks one of the truth's shapes.
    """
    root = Path(folder)
    found: dict[Key, list[_Sample]] = {}
    if (root / MANIFEST_NAME).is_file():
        for clip in BlendVOCA(root, audio=False):
            track = clip.track.select(truth.names)
            found[clip.speaker, clip.sentence] = [_Sample(0, track, violations(track.values, track.fps))]
    else:
        for path in sorted(root.glob("*/*.csv")):
            key, number = _key(path, truth)
            samples = found.setdefault(key, [])
            if key in truth:
                samples.append(_read(path, number, fps, truth.names))
    known = set(truth.keys())
    kept = {key: sorted(found[key], key=lambda sample: sample.number) for key in sorted(found) if key in known}
    tracks = {key: tuple(sample.track for sample in samples) for key, samples in kept.items()}
    if not tracks:
        raise MissingInputError(
            f"no tracks of the split {truth.split!r}", path=root, found=f"{len(found)} other clips",
            expected="<speaker>/<sentence>.csv or <speaker>/<sentence>-<number>.csv",
        )  # fmt: skip
    broken = {key: tuple(sample.broken for sample in samples) for key, samples in kept.items()}
    return Outputs(tracks, _spell(sorted(set(found) - known)), _spell(sorted(known - set(tracks))), broken)


def _read(path: Path, number: int, fps: float, names: Sequence[str]) -> _Sample:
    """Read a CSV and take its columns by name; values out of range are a finding, not an error of the file."""
    reading = read_track_file(path, TrackOptions(default_fps=fps))
    with naming(path):
        chosen = reading.track.columns(names)
        return _Sample(number, reading.track.select(names), violations(reading.unclipped[:, chosen], reading.track.fps))


def _key(path: Path, truth: BlendVOCA) -> tuple[Key, int]:
    speaker = path.parent.name
    if (speaker, path.stem) in truth:
        return (speaker, path.stem), 0
    match = _NAME.match(path.stem)
    if match is None:
        return (speaker, path.stem), 0
    return (speaker, match["sentence"]), int(match["number"] or 0)


def _spell(keys: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(f"{speaker}/{sentence}" for speaker, sentence in keys)

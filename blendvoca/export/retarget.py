"""Tracks for rigs with other names: maps that rename, scale and clamp."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np

from blendvoca.errors import ConfigurationError, FormatError, nearest
from blendvoca.internal.names import LONGEST_LABEL, shown
from blendvoca.io.files import naming
from blendvoca.io.json_file import boolean, either, mapping, number, read_json, table, text
from blendvoca.track import CoefficientTrack

_WRONG_MAP = "not a map of shapes"


@dataclass(frozen=True)
class Channel:
    """Where one shape goes: ``clip(offset + scale · u, low, high)``, or of ``1 − u`` where flipped.

    :param to: name on the other rig.
    """

    to: str
    scale: float = 1.0
    offset: float = 0.0
    flip: bool = False
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.to, str) or not self.to.strip() or not isinstance(self.flip, bool):
            raise ConfigurationError("wrong channel", expected="a name in 'to', true or false in 'flip'", found=self)
        numbers = (self.scale, self.offset, self.low, self.high)
        if any(isinstance(number, bool) or not isinstance(number, int | float) for number in numbers):
            raise ConfigurationError("wrong channel", expected="numbers", found=self)
        if not 0 <= self.low <= self.high <= 1 or not np.isfinite([self.scale, self.offset]).all():
            raise ConfigurationError("wrong channel", expected="0 ≤ low ≤ high ≤ 1, finite numbers", found=self)


#: A name, or a name with how its number is changed.
_MAP = mapping(either(text(LONGEST_LABEL), table(
    {"to": text(LONGEST_LABEL)},
    {"scale": number(), "offset": number(), "flip": boolean, "low": number(), "high": number()},
    more=False,
)))  # fmt: skip


def read_map(path: str | PathLike[str]) -> dict[str, Channel]:
    """Read ``{"jawOpen": "Mouth_Open", "mouthSmileLeft": {"to": "SmileL", "scale": 0.8, "flip": false}}``.

    :raises MissingInputError: if there is no such file.
    :raises FormatError: for anything else in it.
    """
    entries = read_json(path, _MAP, _WRONG_MAP)
    with naming(path):
        return {name: _channel(name, {"to": entry} if isinstance(entry, str) else entry)
                for name, entry in entries.items()}  # fmt: skip


def _channel(name: str, entry: Mapping[str, Any]) -> Channel:
    """Return one entry of a map; its error names the shape."""
    try:
        return Channel(**entry)
    except ConfigurationError as error:
        found = f"{shown(name)}: {json.dumps(entry)[:200]}"
        raise FormatError(_WRONG_MAP, expected=error.expected, found=found) from error


def apply_map(track: CoefficientTrack, channels: Mapping[str, Channel]) -> CoefficientTrack:
    """Return the track with the mapped shapes only, renamed; shapes that share a name are added up and clipped.

    :raises ConfigurationError: if the map is empty, or names a shape that the track lacks.
    """
    unknown = [name + nearest(name, track.names) for name in channels if name not in track.names]
    if not channels:
        raise ConfigurationError("the map is empty", expected='such as {"jawOpen": "Mouth_Open"}')
    if unknown:
        remedy = f"The track has {', '.join(track.names)}."
        raise ConfigurationError("the map names shapes that the track lacks", found=unknown, remedy=remedy)
    names = tuple(dict.fromkeys(channel.to for channel in channels.values()))
    values = np.zeros((len(track), len(names)))
    for name, channel in channels.items():
        u = track.values[:, track.names.index(name)]
        moved = channel.offset + channel.scale * (1 - u if channel.flip else u)
        values[:, names.index(channel.to)] += moved.clip(channel.low, channel.high)
    return CoefficientTrack(values.clip(0, 1), names, track.fps)

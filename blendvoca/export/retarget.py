"""Tracks for rigs with other shapes: renaming maps, and recipes such as the Oculus visemes.

A *map* says for every shape of a track where it goes; a *recipe* says which ARKit pose each shape of another rig is. A
track is brought onto recipes by non-negative least squares, frame by frame, so that their weighted sum comes nearest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from os import PathLike
from typing import Any

import numpy as np
from scipy.optimize import nnls

from blendvoca.arkit import ARKIT_NAMES
from blendvoca.errors import ConfigurationError, FormatError, TrackError, nearest
from blendvoca.internal.names import LONGEST_LABEL, shown
from blendvoca.io.files import naming
from blendvoca.io.json_file import boolean, either, mapping, number, read_json, table, text
from blendvoca.track import CoefficientTrack

#: Recipes that come with the package, documented in ``docs/export.md``.
RECIPES = ("oculus", "vrm")
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


def load_recipe(name: str) -> dict[str, dict[str, float]]:
    """Return a recipe of the package: shape of the other rig to its ARKit pose.

    :raises ConfigurationError: for a name that is none.
    """
    if name not in RECIPES:
        raise ConfigurationError(f"no recipe {name!r}{nearest(name, RECIPES)}", expected=f"one of {RECIPES}")
    table: dict[str, dict[str, float]] = json.loads((files("blendvoca.export") / f"{name}.json").read_text())["shapes"]
    return table


def to_recipe(track: CoefficientTrack, recipe: Mapping[str, Mapping[str, float]]) -> CoefficientTrack:
    """Return the weights of a recipe's shapes that come nearest to the track, in [0, 1].

    Non-negative least squares a frame, clipped at one: least squares within both bounds came 0.03 % nearer on speech.
    Only shapes that both know take part. What the recipe cannot express is lost: fifteen visemes do not span 52 shapes.

    :raises TrackError: for a track without any shape of the recipe.
    """
    posed = {name for pose in recipe.values() for name in pose}
    shared = [name for name in ARKIT_NAMES if name in track.names]
    if not posed.intersection(shared):
        known = sorted(posed)
        found = [name + nearest(name, known) for name in track.names]
        raise TrackError("no shape of the track takes part", expected=f"ARKit names such as {known[:3]}", found=found)
    poses = np.array([[pose.get(name, 0.0) for pose in recipe.values()] for name in shared])
    values = track.values[:, track.columns(shared)]
    weights = np.stack([nnls(poses, row)[0] for row in values])
    return CoefficientTrack(weights.clip(0, 1), tuple(recipe), track.fps)


def from_recipe(track: CoefficientTrack, recipe: Mapping[str, Mapping[str, float]]) -> CoefficientTrack:
    """Return the ARKit track of weights of a recipe's shapes, clipped to [0, 1]."""
    names = [name for name in ARKIT_NAMES if any(name in pose for pose in recipe.values())]
    poses = np.array([[recipe[shape].get(name, 0.0) for name in names] for shape in track.names])
    return CoefficientTrack((track.values @ poses).clip(0, 1), tuple(names), track.fps)

"""Tracks for rigs with visemes: which ARKit pose each shape of another rig is, and the weights that come nearest.

Speech moves visemes, lids and eyes. An emotion is read from the upper face alone: the lips of plain speech would be
taken for anger or joy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from blendvoca.arkit import ARKIT_NAMES, GROUPS
from blendvoca.errors import ConfigurationError, TrackError, nearest
from blendvoca.track import CoefficientTrack

#: Recipes that come with the package, documented in ``docs/export.md``.
RECIPES = ("oculus", "vrm")
#: Shapes that speech moves, those that emotions are read from, and those without which there is none.
_MOUTH = frozenset((*GROUPS["jaw"], *GROUPS["mouth"], *GROUPS["tongue"], "cheekPuff"))
_BROWS = frozenset(GROUPS["brow"])
_UPPER = _BROWS | {f"{name}{side}" for name in ("eyeWide", "eyeSquint", "cheekSquint") for side in ("Left", "Right")}
#: Brows that never go further than this rest.
_STILL = 0.02
#: How much the sum of the visemes outweighs a coefficient where it is held at one.
_HELD = 1e4

Poses = Mapping[str, Mapping[str, float]]
_Array = NDArray[np.float64]


@dataclass(frozen=True)
class Recipe:
    """The shapes of another rig.

    :param shapes: shape of the other rig to its ARKit pose.
    :param emotions: those that are moods; they take part where brows move.
    :param rest: the viseme of the mouth at rest: what the others leave of one.
    """

    shapes: Poses
    emotions: tuple[str, ...] = ()
    rest: str | None = None
    visemes: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        visemes = [
            name for name, pose in self.shapes.items() if _MOUTH.intersection(pose) and name not in self.emotions
        ]
        object.__setattr__(self, "visemes", tuple(visemes))


def load_recipe(name: str) -> Recipe:
    """Return a recipe of the package.

    :raises ConfigurationError: for a name that is none.
    """
    if name not in RECIPES:
        raise ConfigurationError(f"no recipe {name!r}{nearest(name, RECIPES)}", expected=f"one of {RECIPES}")
    table = json.loads((files("blendvoca.export") / f"{name}.json").read_text())
    return Recipe(table["shapes"], tuple(table.get("emotions", ())), table.get("rest"))


def to_recipe(track: CoefficientTrack, recipe: Recipe) -> CoefficientTrack:
    """Return the weights of a recipe's shapes that come nearest to the track, in [0, 1].

    Non-negative least squares a frame, in three parts: emotions from the upper face, where its brows move; visemes from
    what these leave of the mouth, their sum at most one, and the rest viseme what is missing from one; lids and gaze.
    Only shapes that both know take part. What the recipe cannot express is lost: fifteen visemes do not span 52 shapes.

    :raises TrackError: for a track without any shape of the recipe.
    """
    posed = {name for pose in recipe.shapes.values() for name in pose}
    shared = [name for name in ARKIT_NAMES if name in track.names and name in posed]
    if not shared:
        known = sorted(posed)
        found = [name + nearest(name, known) for name in track.names]
        raise TrackError("no shape of the track takes part", expected=f"ARKit names such as {known[:3]}", found=found)
    values = np.array(track.values[:, track.columns(shared)])
    weights = {name: np.zeros(len(track)) for name in recipe.shapes}
    brows = [name in _BROWS for name in shared]
    if values[:, brows].max(initial=0.0) > _STILL:
        weights |= _emotions(values, shared, recipe)
        for name in recipe.emotions:
            values -= np.outer(weights[name], _column(recipe.shapes[name], shared))
        values = values.clip(0, 1)
    weights |= _nearest(values, shared, recipe.shapes, recipe.visemes, _MOUTH, total=1.0)
    others = [name for name in recipe.shapes if name not in (*recipe.visemes, *recipe.emotions)]
    weights |= _nearest(values, shared, recipe.shapes, others, frozenset(ARKIT_NAMES) - _MOUTH)
    if recipe.rest is not None:
        weights[recipe.rest] = 1.0 - np.sum([weights[name] for name in recipe.visemes], axis=0)
    table = np.stack([weights[name] for name in recipe.shapes], axis=1)
    return CoefficientTrack(table.clip(0, 1), tuple(recipe.shapes), track.fps)


def from_recipe(track: CoefficientTrack, recipe: Recipe) -> CoefficientTrack:
    """Return the ARKit track of weights of a recipe's shapes, clipped to [0, 1]."""
    names = [name for name in ARKIT_NAMES if any(name in pose for pose in recipe.shapes.values())]
    poses = np.array([_column(recipe.shapes[shape], names) for shape in track.names])
    return CoefficientTrack((track.values @ poses).clip(0, 1), tuple(names), track.fps)


def _emotions(values: _Array, shared: list[str], recipe: Recipe) -> dict[str, _Array]:
    """Return weights (T,) of the emotions; one without brows goes no further than its mouth does."""
    found = _nearest(values, shared, recipe.shapes, recipe.emotions, _UPPER)
    for name in recipe.emotions:
        pose = recipe.shapes[name]
        mouth = [place for place, shape in enumerate(shared) if shape in pose and shape in _MOUTH]
        if not _BROWS.intersection(pose) and mouth:
            reached = values[:, mouth] / [pose[shared[place]] for place in mouth]
            found[name] = np.minimum(found[name], reached.min(axis=1))
    return found


def _column(pose: Mapping[str, float], names: Sequence[str]) -> list[float]:
    return [pose.get(name, 0.0) for name in names]


def _nearest(
    values: _Array,
    shared: list[str],
    shapes: Poses,
    chosen: Sequence[str],
    within: frozenset[str],
    total: float | None = None,
) -> dict[str, _Array]:
    """Return the weights (T,) in [0, 1] of chosen shapes that come nearest within some ARKit shapes.

    :param total: what the weights of a frame add up to at most.
    """
    rows = [place for place, name in enumerate(shared) if name in within]
    posed = [name for name in chosen if any(shared[place] in shapes[name] for place in rows)]
    if not posed:
        return {}
    poses = np.array([_column(shapes[name], [shared[place] for place in rows]) for name in posed]).T
    weights = np.stack([nnls(poses, row)[0] for row in values[:, rows]])
    if total is not None:
        # Equality where the bound bites: one heavy row (Lawson and Hanson, Solving Least Squares Problems, ch. 22).
        heavy = np.concatenate([poses, np.full((1, len(posed)), _HELD)])
        for frame in np.flatnonzero(weights.sum(axis=1) > total):
            weights[frame] = nnls(heavy, np.append(values[frame, rows], _HELD * total))[0]
        weights *= (total / np.maximum(weights.sum(axis=1), total))[:, None]
    return dict(zip(posed, weights.clip(0, 1).T))

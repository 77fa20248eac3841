"""Tracks for VRM avatars: expressions, and gaze from ARKit's looks."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import ARKIT_NAMES
from blendvoca.export.recipes import load_recipe, to_recipe
from blendvoca.export.rigs import no_report
from blendvoca.internal.spelling import match_names
from blendvoca.io.rig.vrma import LOOKS, VrmMotion, expression_names, write_vrma
from blendvoca.track import CoefficientTrack

#: Kinds of output: presets of any avatar, or custom expressions under ARKit's names.
PRESET, ARKIT = "vrma", "vrma-arkit"
#: How far eyes turn at a coefficient of one, in degrees.
GAZE_DEGREES = 30.0
#: An avatar with at least so many of ARKit's shapes as expressions is moved by them.
_ENOUGH = 20
#: Shapes that never go further than this rest.
_STILL = 0.02
Array = NDArray[np.float64]


def save_vrma(
    path: str | PathLike[str],
    track: CoefficientTrack,
    *,
    kind: str = PRESET,
    avatar: str | PathLike[str] | None = None,
    head: Array | None = None,
    on_report: Callable[[str], None] = no_report,
) -> None:
    """Write a track as a VRM animation.

    :param kind: :data:`PRESET`: visemes, blinks, gaze, emotions where brows move, and shapes that no preset has under
        ARKit's names; :data:`ARKIT`: every shape of the track as a custom expression.
    :param avatar: a VRM file; one that has ARKit's shapes as expressions gets those, as it spells them.
    :param head: (T, 3) radians, as :class:`blendvoca.io.rig.vrma.VrmMotion` holds it.
    :param on_report: is called with what was chosen and left out.
    :raises TrackError: for a track without any shape that an expression has.
    """
    own: dict[str, list[str]] = {}
    if avatar is not None:
        own = match_names(list(track.names), list(expression_names(avatar)))
    if len([name for name in own if name in ARKIT_NAMES]) >= _ENOUGH:
        columns = {spelt: track.columns([name])[0] for name, found in own.items() for spelt in found}
        on_report(f"the avatar has {len(columns)} of ARKit's shapes as expressions: they are animated")
        lacking = [name for name in track.names if name not in own]
        if lacking:
            on_report(f"{len(lacking)} shapes are no expressions of the avatar and left out: {', '.join(lacking[:5])}")
        custom = CoefficientTrack(track.values[:, list(columns.values())], tuple(columns), track.fps)
        write_vrma(path, VrmMotion(custom, None, head))
    elif kind == ARKIT:
        write_vrma(path, VrmMotion(track, None, head))
    else:
        write_vrma(path, VrmMotion(preset_expressions(track), gaze_of(track), head))


def preset_expressions(track: CoefficientTrack) -> CoefficientTrack:
    """Return the presets that a track moves, and its shapes that no preset has, under their own names."""
    recipe = load_recipe("vrm")
    weights = to_recipe(track, recipe)
    posed = {name for pose in recipe.shapes.values() for name in pose}
    moved = track.values.max(axis=0, initial=0.0) > _STILL
    others = [name for name, moves in zip(track.names, moved) if moves and name not in posed]
    kept = [
        name for name in weights.names
        if name not in LOOKS and (name in recipe.visemes or weights.select([name]).values.any())
    ]  # fmt: skip
    table = np.concatenate([weights.select(kept).values, track.values[:, track.columns(others)]], axis=1)
    return CoefficientTrack(table, (*kept, *others), track.fps)


def gaze_of(track: CoefficientTrack) -> Array | None:
    """Return where the eyes look (T, 2), radians to the left and down; nothing where they do not move."""

    def mean(*names: str) -> Array:
        known = [name for name in names if name in track.names]
        if not known:
            return np.zeros(len(track))
        return np.asarray(track.values[:, track.columns(known)].mean(axis=1))

    left = mean("eyeLookOutLeft", "eyeLookInRight") - mean("eyeLookInLeft", "eyeLookOutRight")
    down = mean("eyeLookDownLeft", "eyeLookDownRight") - mean("eyeLookUpLeft", "eyeLookUpRight")
    gaze = np.radians(GAZE_DEGREES) * np.stack([left, down], axis=1)
    return gaze if gaze.any() else None

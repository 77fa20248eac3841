"""Self-crossing of the lips: how deep vertices of one lip lie on the other's inner side."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.surface import Surface
from blendvoca.rig import BlendshapeRig
from blendvoca.transfer.openings.passing import POSES, WEIGHTS, Lips, depths

Index = NDArray[np.integer]


def lip_crossings(rig: BlendshapeRig, landmarks: Index) -> dict[str, float]:
    """Return, for each pose of contact that the rig has shapes for, the depth of the worst vertex.

    A vertex counts when it passed through the other lip on the straight way from rest, at half or full weight; its
    depth is the distance to that lip's surface. 0 where nothing passes.

    :param rig: a whole head or a face, in any unit; depths are in its unit.
    :param landmarks: (68,) vertices of it.
    """
    neutral = rig.neutral
    lips = Lips.of(Surface(neutral.vertices, neutral.faces), landmarks)
    poses = [pose for pose in POSES if set(pose) <= set(rig.names)]
    moves = {pose: np.sum([rig.delta(name)[lips.kept] for name in pose], axis=0) for pose in poses}
    return {" + ".join(pose): deepest(lips, move) for pose, move in moves.items()}


def deepest(lips: Lips, move: NDArray[np.float64]) -> float:
    """Return the depth of the worst vertex of a pose, in the lips' unit.

    :param lips: two lips, or two lids.
    :param move: (n, 3) displacement of their patch.
    """
    passed, worst = lips.passed(move), 0.0
    for weight in WEIGHTS:
        for vertices, (_, other) in zip(passed[weight], lips.pairs, strict=True):
            if len(vertices):
                found = depths(lips.posed(move, weight), vertices, other)
                worst = max(worst, float(found.distance.max()))
    return worst

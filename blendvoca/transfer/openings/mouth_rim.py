"""Unfolding the lips: where the source's mouth rim belongs behind the target's lips.

On some heads the inner-lip landmarks touch, or stand in another order in depth, and markers that are held exactly turn
over the narrow strip between them and the source's mouth rim. The rim is then drawn to where it lies on the source,
seen from the middle between both inner lips: as far behind, at the same place between the corners.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.surface import Surface
from blendvoca.ibug68 import MOUTH
from blendvoca.transfer.openings.lids import along_curve, opening_curves

Array = NDArray[np.float64]
Index = NDArray[np.integer]

#: Pull of a rim vertex: nothing withstands it in the first steps, the last (5000) brings it onto the surface.
WEIGHT = 1000.0


def rim_places(source: Surface, target: Array, pairs: Index) -> tuple[NDArray[np.int64], Array] | None:
    """Source rim vertices (n,) and their places (n, 3) at the target's lips; None where the source has no mouth rim.

    :param source: V vertices in the common space.
    :param target: (W, 3) in the common space.
    :param pairs: (68, 2) landmark pairs.
    """
    if not source.holes:
        return None
    points = source.vertices
    curves = opening_curves(points, pairs[:, 0], source.holes, MOUTH)
    rim = np.unique(np.concatenate([curve[1:-1] for curve in curves]))
    rim = np.setdiff1d(rim, pairs[:, 0]).astype(np.int64)
    if not len(rim):
        return None
    here, there = _between_lips(points, pairs[:, 0]), _between_lips(target, pairs[:, 1])
    station = np.linalg.norm(points[rim][:, None] - here[None], axis=2).argmin(axis=1)
    return rim, there[station] + points[rim] - here[station]


def _between_lips(points: Array, landmarks: Index) -> Array:
    """Curve (33, 3) from corner to corner, midway between the upper and the lower inner-lip landmarks."""
    stations = np.linspace(0.0, 1.0, 33)
    rows = ((MOUTH.corners[0], *half, MOUTH.corners[1]) for half in (MOUTH.upper, MOUTH.lower))
    return np.asarray(sum(along_curve(points[landmarks[list(each)]], stations) for each in rows) / 2)

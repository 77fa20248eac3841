"""The nostrils: pits that a fan of rays cannot reach, pushed into the nose from below. Lengths are millimetres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Middle of the left nostril on the underside of the nose, its half width and half length, and its turn to the tip.
CENTRE = (6.5, -22.2, 98.8)
_HALF = (2.8, 4.5)
_TURN = np.deg2rad(20.0)
#: Rise of the underside to the front, deepest point, and the direction in which the pit goes.
_RISE, _DEEP = 0.38, 8.0
_INWARD = np.array([0.0, 0.985, -0.17])
#: Rings of vertices as shares of the opening, with their number of points.
_RINGS = ((1.0, 14), (0.8, 12), (0.45, 6))


def opening(points: Array) -> Array:
    """Return how far points (N, 3) of the left half are from the middle of the nostril: 1 on its edge."""
    x, z = points[:, 0] - CENTRE[0], points[:, 2] - CENTRE[2]
    across = np.cos(_TURN) * x + np.sin(_TURN) * z
    along = np.cos(_TURN) * z - np.sin(_TURN) * x
    below = (points[:, 1] > CENTRE[1] - 7.0) & (points[:, 1] < CENTRE[1] + 5.0 + _DEEP)
    return np.where(below, np.hypot(across / _HALF[0], along / _HALF[1]), np.inf)


def rings() -> list[tuple[float, float, float]]:
    """Return points on the edge of the left nostril and inside it, on the underside before it is pushed in."""
    result = [CENTRE]
    for share, count in _RINGS:
        turn = 2.0 * np.pi * np.arange(count) / count
        across, along = share * _HALF[0] * np.cos(turn), share * _HALF[1] * np.sin(turn)
        x = np.cos(_TURN) * across - np.sin(_TURN) * along
        z = np.sin(_TURN) * across + np.cos(_TURN) * along
        result += [(CENTRE[0] + a, CENTRE[1] + _RISE * b, CENTRE[2] + b) for a, b in zip(x, z, strict=True)]
    return result


def push_in(rest: Array) -> Array:
    """Return the skin (N, 3) of the left half with the nostril in it."""
    t = np.clip((1.0 - opening(rest)) / 0.6, 0.0, 1.0)
    return rest + (_DEEP * t * (2.0 - t))[:, None] * _INWARD


def depth(points: Array) -> Array:
    """Return how deep in a nostril of either side points (N, 3) of the skin lie: 0 on its edge, 1 from 2.5 mm on."""
    p = points * np.array([1.0, 1.0, 1.0])
    p[:, 0] = np.abs(p[:, 0])
    above = p[:, 1] - CENTRE[1] - _RISE * (p[:, 2] - CENTRE[2])
    result: Array = np.clip(above / 2.5, 0.0, 1.0) * (opening(p) < 1.25)
    return result

"""The surface's two coordinates: a fan of rays that meets the head once each. Lengths are millimetres.

A ray is named by ``(azimuth, level)``. The azimuth turns about the vertical (0: forward, positive: to the head's left);
the level runs down the front of the face and gives where on the axis the ray starts and how steeply it goes, so that
the rays look up at the crown, down at the underside of the nose and of the chin, and level again at the neck.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from blendvoca.synthetic.anatomy.sdf import Distance, Points

Array = NDArray[np.float64]

#: level: (origin y, origin z, elevation in degrees); the level is roughly the length along the midline from the crown.
_FAN = np.array([
    (0, 40, -6, 90), (40, 40, -6, 67), (80, 40, -6, 43), (110, 38, -6, 24), (135, 34, -6, 9), (160, 28, -6, -3.5),
    (185, 20, -7, -14), (205, 13, -8, -22), (225, 5, -9, -29), (245, -3, -10, -36), (262, -11, -11, -42),
    (280, -22, -13, -47), (298, -38, -15, -49), (315, -58, -18, -44), (332, -84, -21, -32), (350, -112, -24, -19),
    (368, -136, -27, -8),
])  # fmt: skip
LEVEL_END = 368.0
_SPLINE = CubicSpline(_FAN[:, 0], _FAN[:, 1:])


def _aim(azimuth: Array, level: Array) -> tuple[Array, Array, Array]:
    """Return the height and depth of the rays' origins and their elevation in radians.

    Below the jaw the rays at the back look down half as steeply as those at the chin, or they would crowd at the nape.
    """
    height, depth, elevation = _SPLINE(level).T
    t = np.clip((level - 150.0) / 150.0, 0.0, 1.0)
    flatter = 0.25 * t * t * (3.0 - 2.0 * t) * (1.0 - np.cos(azimuth))
    return height, depth, np.deg2rad(elevation * (1.0 - flatter))


def rays(azimuth: Array, level: Array) -> tuple[Points, Points]:
    """Return origins (N, 3) and unit directions (N, 3) of rays given by azimuth (N,) and level (N,)."""
    height, depth, e = _aim(azimuth, level)
    origins = np.stack([np.zeros_like(height), height, depth], axis=1)
    directions = np.stack([np.sin(azimuth) * np.cos(e), np.sin(e), np.cos(azimuth) * np.cos(e)], axis=1)
    return origins, directions


def cast(solid: Callable[[Points], Distance], azimuth: Array, level: Array, far: float = 190.0) -> Points:
    """Return where the rays leave the solid, (N, 3): march inward from outside, then halve the last step."""
    origins, directions = rays(azimuth, level)
    outside = np.full(len(origins), far)
    marching = np.arange(len(origins))
    for _ in range(70):
        gap = solid(origins[marching] + outside[marching, None] * directions[marching])
        outside[marching] -= np.maximum(0.75 * gap, 0.0)
        marching = marching[gap >= 0.02]
        if not len(marching):
            break
    inside, outside = outside - 0.4, outside + 0.05
    for _ in range(14):
        middle = 0.5 * (inside + outside)
        within = solid(origins + middle[:, None] * directions) < 0.0
        inside, outside = np.where(within, middle, inside), np.where(within, outside, middle)
    return origins + (0.5 * (inside + outside))[:, None] * directions


def locate(points: Points) -> tuple[Array, Array]:
    """Return azimuth and level (N,) of the rays through points (N, 3): the inverse of the fan, by bisection."""
    low, high = np.full(len(points), 0.0), np.full(len(points), LEVEL_END)
    for _ in range(45):
        middle = 0.5 * (low + high)
        depth = _SPLINE(middle)[:, 1]
        height, _, e = _aim(np.arctan2(points[:, 0], points[:, 2] - depth), middle)
        distance = np.hypot(points[:, 0], points[:, 2] - depth)
        above = (points[:, 1] - height) * np.cos(e) - distance * np.sin(e) > 0
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    level = 0.5 * (low + high)
    return np.arctan2(points[:, 0], points[:, 2] - _SPLINE(level)[:, 1]), level

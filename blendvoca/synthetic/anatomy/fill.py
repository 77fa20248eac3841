"""Free vertices between the fixed ones: a centroidal Voronoi tessellation weighted by the size function.

The skin's left half is unrolled into a plane that keeps angles: azimuth turns, the radius' logarithm follows the level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from blendvoca.synthetic.anatomy.chart import LEVEL_END
from blendvoca.synthetic.anatomy.openings import EYE_RIM, LEFT_EYE, MOUTH, MOUTH_RIM
from blendvoca.synthetic.anatomy.sampling import Sampling, log_radius

Array = NDArray[np.float64]

#: Cells of the table from which the cloud is drawn, and cloud points per vertex.
_COLUMNS, _ROWS = 260, 320
_DENSE = 26


def plane(azimuth: Array, level: Array) -> Array:
    """Return positions (N, 2) in the unrolled plane; the midline is exactly straight."""
    radius = np.exp(log_radius(level))
    x = np.where((azimuth == 0.0) | (azimuth == np.pi), 0.0, np.sin(azimuth))
    return np.stack([radius * x, radius * np.cos(azimuth)], axis=1)


def inside(points: Array, polygon: Array) -> NDArray[np.bool_]:
    """Return which points (N, 2) lie inside a closed polygon (M, 2), by crossings."""
    result = np.zeros(len(points), dtype=bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (y0 > points[:, 1]) != (y1 > points[:, 1])
        with np.errstate(divide="ignore", invalid="ignore"):
            result ^= crosses & (points[:, 0] < (x1 - x0) * (points[:, 1] - y0) / (y1 - y0) + x0)
    return result


def fill(
    azimuth: Array, level: Array, sampling: Sampling, polygon: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Add free points between the fixed ones: a centroidal Voronoi tessellation weighted by the size function."""
    cloud_azimuth, cloud_level, weight, count = _cloud(sampling, polygon, rng)
    cloud = plane(cloud_azimuth, cloud_level)
    fixed = plane(azimuth, level)
    gap = cKDTree(fixed).query(cloud)[0]
    scale = np.exp(log_radius(cloud_level)) / _girth(cloud_level)
    clear = gap > 0.62 * scale * sampling.spacing(cloud_azimuth, cloud_level)
    free = cloud[rng.permutation(np.flatnonzero(clear))[: max(count - len(fixed), 0)]]
    for _ in range(sampling.relaxations):
        tree = cKDTree(np.concatenate([fixed, free]))
        owner = tree.query(cloud)[1] - len(fixed)
        mine = owner >= 0
        mass = np.bincount(owner[mine], weight[mine], len(free))
        centre = [np.bincount(owner[mine], weight[mine] * cloud[mine, k], len(free)) for k in range(2)]
        kept = mass > 0
        free = np.stack(centre, axis=1)[kept] / mass[kept, None]
    radius = np.log(np.hypot(free[:, 0], free[:, 1]))
    table = np.linspace(0.0, LEVEL_END, 3000)
    found = np.interp(radius, log_radius(np.maximum(table, 1e-6)), table)
    return np.append(azimuth, np.arctan2(free[:, 0], free[:, 1])), np.append(level, found)


def _cloud(sampling: Sampling, polygon: Array, rng: np.random.Generator) -> tuple[Array, Array, Array, int]:
    """Return a dense cloud of surface coordinates, its weights and the number of vertices the spacing asks for."""
    wide, high = np.pi / _COLUMNS, LEVEL_END / _ROWS
    columns, rows = np.meshgrid((np.arange(_COLUMNS) + 0.5) * wide, (np.arange(_ROWS) + 0.5) * high)
    a, v = columns.ravel(), rows.ravel()
    wanted = _skin(a, v)
    if not sampling.whole_head:
        wanted &= inside(plane(a, v), polygon)
    a, v = a[wanted], v[wanted]
    density = _girth(v) * wide * high / sampling.spacing(a, v) ** 2
    count = round(density.sum() / (0.5 * np.sqrt(3.0)))
    chosen = rng.choice(len(a), _DENSE * count, p=density / density.sum())
    a = a[chosen] + (rng.random(len(chosen)) - 0.5) * wide
    v = v[chosen] + (rng.random(len(chosen)) - 0.5) * high
    keep = _skin(a, v) & (a > 0) & (a < np.pi)
    # The cloud is as dense as the vertices should be; an even spacing needs the square of that.
    return a[keep], v[keep], 1.0 / sampling.spacing(a[keep], v[keep]) ** 2, count


def _girth(level: Array) -> Array:
    """Return millimetres on the surface per radian of azimuth, as the plane assumes them."""
    step = 0.01
    rate = (log_radius(level + step) - log_radius(np.maximum(level - step, 1e-6))) / (2 * step)
    result: Array = 1.0 / np.maximum(rate, 1e-9)
    return result


def _skin(azimuth: Array, level: Array) -> NDArray[np.bool_]:
    """Return which coordinates are skin and not inside the mouth or the eye."""
    skin = np.ones(len(azimuth), dtype=bool)
    for opening, rim in ((MOUTH, MOUTH_RIM), (LEFT_EYE, EYE_RIM)):
        skin &= opening.elliptic(*opening.to_chart(azimuth, level))[0] > rim
    return skin

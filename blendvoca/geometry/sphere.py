"""The sphere through points, by least squares."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def fit_sphere(points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float]:
    """Return middle (3,), radius and largest distance of a point from the sphere that fits points best.

    :param points: (n, 3), in any unit; n ≥ 4.
    """
    start = points.mean(axis=0)
    offsets = points - start
    matrix = np.column_stack([2 * offsets, np.ones(len(points))])
    solution = np.linalg.lstsq(matrix, (offsets**2).sum(axis=1), rcond=None)[0]
    radius = float(np.sqrt(max(solution[3] + solution[:3] @ solution[:3], 0.0)))
    middle = start + solution[:3]
    return middle, radius, float(np.abs(np.linalg.norm(points - middle, axis=1) - radius).max())

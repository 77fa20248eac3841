"""What of the target the registered source covers, and what lies beyond its rims.

FLAME goes on inside lips, lids and nostrils where ARKit stops, and a whole head goes on behind the ears. A target point
whose nearest source point is on the source's boundary, and not on itself, lies beyond: nothing of the source speaks
for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.closest import ClosestPoints
from blendvoca.geometry.surface import Surface
from blendvoca.transfer.openings.lip_sides import Labels, agree

Array = NDArray[np.float64]
Index = NDArray[np.integer]

#: Points this near to the boundary are on it, in normalised units (0.6 mm on an adult's face).
TOUCHING = 0.01


@dataclass(frozen=True, eq=False)
class Coverage:
    """Nearest points of the registered source, for n target points.

    :param nearest: the nearest point whose normal and side agree.
    :param rim: the nearest point whose side agrees, whatever its normal.
    :param covered: (n,) the source speaks for the point.
    :param in_hole: (n,) the point lies beyond the rim of one of the source's holes.
    """

    nearest: ClosestPoints
    rim: ClosestPoints
    covered: NDArray[np.bool_]
    in_hole: NDArray[np.bool_]


class Coverer:
    """Answers for points on the target; the registered source is indexed once."""

    def __init__(self, registered: Surface, sides: Labels, outer: Index, holes: Sequence[Index], reach: float) -> None:
        self.surface, self.sides, self.reach = registered, sides, reach
        self._outer = np.zeros(len(registered), dtype=bool)
        self._outer[outer] = True
        self._hole = np.zeros(len(registered), dtype=bool)
        for hole in holes:
            self._hole[hole] = True

    def cover(self, points: Array, normals: Array, sides: Labels) -> Coverage:
        """Look for points (n, 3) with unit normals (n, 3) and side labels (n,)."""

        def same_side(query: NDArray[np.int64], face: NDArray[np.int64]) -> NDArray[np.bool_]:
            return agree(sides[query], self.sides[face])

        def fits(query: NDArray[np.int64], face: NDArray[np.int64]) -> NDArray[np.bool_]:
            return same_side(query, face) & ((normals[query] * self.surface.face_normals[face]).sum(axis=1) > 0)

        nearest, found = self.surface.index.query_where(points, fits)
        rim, _ = self.surface.index.query_where(points, same_side)
        apart = rim.distance > TOUCHING
        in_hole = self._on(rim, self._hole) & apart
        beyond = in_hole | (self._on(rim, self._outer) & apart)
        return Coverage(nearest, rim, found & (nearest.distance < self.reach) & ~beyond, in_hole)

    def _on(self, found: ClosestPoints, boundary: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which found points rest on boundary vertices only."""
        inside = found.barycentric * ~boundary[self.surface.faces[found.face]]
        return np.asarray(inside.sum(axis=1) < 1e-6)

    def carry(self, found: ClosestPoints, values: Array) -> Array:
        """Interpolate values (K, V, c) of the source's vertices at the found points: (K, n, c)."""
        corners = values[:, self.surface.faces[found.face]]
        return np.asarray((corners * found.barycentric[None, :, :, None]).sum(axis=2))

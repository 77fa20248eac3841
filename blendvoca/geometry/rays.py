"""What rays hit first on a triangle mesh (libigl's bounding-volume tree)."""

from __future__ import annotations

import igl
import numpy as np
from numpy.typing import NDArray

#: Extent of the mesh in the unit that rays are cast in: the test takes triangles of little area for edge-on, whatever
#: the unit of the mesh.
_EXTENT = 1e4


class RayIndex:
    """A mesh prepared for many rays.

    :param vertices: (V, 3) positions.
    :param faces: (F, 3) vertex indices.
    """

    def __init__(self, vertices: NDArray[np.float64], faces: NDArray[np.integer]) -> None:
        self._scale = _EXTENT / float(np.ptp(vertices, axis=0).max())
        self._vertices = np.ascontiguousarray(self._scale * vertices, dtype=np.float64)
        self._faces = np.ascontiguousarray(faces, dtype=np.int64)
        self._tree = igl.AABB()
        self._tree.init(self._vertices, self._faces)

    def first(
        self, origins: NDArray[np.float64], direction: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the faces (n,) that parallel rays hit first, −1 for none, and how far along (n,), NaN for none.

        :param origins: (n, 3) in the unit of the vertices.
        :param direction: (3,) of length 1.
        """
        ways = np.ascontiguousarray(np.tile(direction, (len(origins), 1)))
        start = np.ascontiguousarray(self._scale * origins)
        face, along, _ = self._tree.intersect_ray_first(self._vertices, self._faces, start, ways)
        return np.where(np.isfinite(along), np.asarray(face, dtype=np.int64), -1), np.asarray(along) / self._scale

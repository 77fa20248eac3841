"""Polygon faces as flat arrays, and their triangles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import MeshError
from blendvoca.mesh import Faces, Mesh


@dataclass(frozen=True, eq=False)
class PolygonMesh:
    """A mesh as its file states it, before polygons become triangles.

    :param vertices: (V, 3) positions.
    :param counts: (P,) corners of each polygon.
    :param corners: (sum of counts,) vertex indices, polygon after polygon.
    """

    vertices: NDArray[np.floating]
    counts: NDArray[np.int64]
    corners: NDArray[np.int64]

    def polygons(self) -> list[NDArray[np.int64]]:
        """Return one index array per polygon."""
        return np.split(self.corners, np.cumsum(self.counts)[:-1]) if len(self.counts) else []

    def triangulated(self) -> Mesh:
        """Return the triangle mesh: every polygon becomes a fan around its first corner.

        :raises MeshError: for a polygon of fewer than three corners, or whatever :class:`Mesh` refuses.
        """
        return Mesh(self.vertices, fan(self.counts, self.corners))  # type: ignore[arg-type]


def fan(counts: NDArray[np.integer], corners: NDArray[np.integer]) -> Faces:
    """Return the triangles (F, 3) of polygons, each a fan around its first corner, in the order of the polygons.

    :param counts: (P,) corners of each polygon.
    :param corners: (sum of counts,) vertex indices.
    :raises MeshError: for a polygon of fewer than three corners.
    """
    if len(counts) and counts.min() < 3:
        bad = int(np.argmin(counts))
        raise MeshError("a face has too few corners", expected="3 or more", found=f"{counts[bad]} in face {bad}")
    if len(counts) and (counts == 3).all():
        return corners.reshape(-1, 3)  # type: ignore[return-value]
    triangles = counts - 2
    first = np.repeat(np.cumsum(counts) - counts, triangles)
    step = np.arange(triangles.sum()) - np.repeat(np.cumsum(triangles) - triangles, triangles)
    return np.stack([corners[first], corners[first + step + 1], corners[first + step + 2]], axis=1)


def strip(corners: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the triangles (F, 3) of strips, every other one of which runs the other way.

    :param corners: (n,) vertex indices, strip after strip, with −1 between them.
    """
    place = np.arange(len(corners))
    start = np.maximum.accumulate(np.where(corners == -1, place, -1)) + 1
    first = np.flatnonzero((corners[:-2] != -1) & (corners[1:-1] != -1) & (corners[2:] != -1))
    triangles = corners[first[:, None] + [0, 1, 2]]
    odd = (first - start[first]) % 2 == 1
    triangles[odd] = triangles[odd][:, [0, 2, 1]]
    # Strips turn corners by repeating a vertex.
    a, b, c = triangles.T
    return np.asarray(triangles[(a != b) & (b != c) & (c != a)])

"""Light and colour for pictures of faces, the same in every backend."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

#: Colours as sRGB in 0..1.
SKIN = (0.86, 0.74, 0.68)
BACKGROUND = (0.95, 0.955, 0.965)
#: Light directions in camera axes, with their strengths: key, fill, rim.
LIGHTS = (((-0.45, 0.50, 0.80), 0.72), ((0.75, 0.10, 0.55), 0.34), ((0.0, 0.85, -0.25), 0.18))
AMBIENT = 0.24
#: The inside of a surface is shown darker, so that an open mouth reads as dark.
INSIDE = 0.38


class Normals:
    """Area-weighted vertex normals of one topology, for many positions.

    :param faces: (F, 3) triangles.
    :param n_vertices: V.
    """

    def __init__(self, faces: NDArray[np.integer], n_vertices: int) -> None:
        self.faces = faces
        rows = faces.ravel()
        columns = np.repeat(np.arange(len(faces)), 3)
        self._gather = sparse.csr_matrix((np.ones(rows.size), (rows, columns)), shape=(n_vertices, len(faces)))

    def __call__(self, vertices: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return unit normals (V, 3) of positions (V, 3)."""
        a, b, c = (vertices[self.faces[:, corner]] for corner in range(3))
        normals = self._gather @ np.cross(b - a, c - a)
        return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)


def shade(normals: NDArray[np.floating], colours: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return lit colours (2, n, 3) for camera-space normals (n, 3): seen from outside, and from inside."""
    sides = []
    for turned, dimmed in ((normals, 1.0), (-normals, INSIDE)):
        light = np.full(len(normals), AMBIENT)
        for direction, strength in LIGHTS:
            light += strength * np.clip(turned @ (np.array(direction) / np.linalg.norm(direction)), 0, None)
        sides.append(np.clip(colours * (light * dimmed)[:, None], 0, 1))
    return np.stack(sides)

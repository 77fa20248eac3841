"""Areas and normals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def _cross(vertices: NDArray[np.float64], faces: NDArray[np.integer]) -> NDArray[np.float64]:
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    return np.cross(b - a, c - a)


def face_areas(vertices: NDArray[np.float64], faces: NDArray[np.integer]) -> NDArray[np.float64]:
    """Area of each triangle (F,), in the square of the vertices' unit.

    :param vertices: (V, 3) positions.
    :param faces: (F, 3) vertex indices.
    """
    return 0.5 * np.linalg.norm(_cross(vertices, faces), axis=1)


def vertex_areas(vertices: NDArray[np.float64], faces: NDArray[np.integer]) -> NDArray[np.float64]:
    """Each vertex's third (V,) of the triangles around it, in the square of the vertices' unit.

    :param vertices: (V, 3) positions.
    :param faces: (F, 3) vertex indices.
    """
    total, thirds = np.zeros(len(vertices)), face_areas(vertices, faces) / 3
    for k in range(3):
        np.add.at(total, faces[:, k], thirds)
    return total


def face_normals(vertices: NDArray[np.float64], faces: NDArray[np.integer]) -> NDArray[np.float64]:
    """Unit normals (F,3), right-handed in the winding; zero for a triangle without area.

    :param vertices: (V, 3) positions.
    :param faces: (F, 3) vertex indices.
    """
    cross = _cross(vertices, faces)
    length = np.linalg.norm(cross, axis=1, keepdims=True)
    return np.divide(cross, length, out=np.zeros_like(cross), where=length > 0)


def vertex_normals(vertices: NDArray[np.float64], faces: NDArray[np.integer]) -> NDArray[np.float64]:
    """Area-weighted unit normals (V,3); zero where no triangle has area.

    :param vertices: (V, 3) positions.
    :param faces: (F, 3) vertex indices.
    """
    cross = _cross(vertices, faces)
    total = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(total, faces[:, k], cross)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    return np.divide(total, length, out=np.zeros_like(total), where=length > 0)

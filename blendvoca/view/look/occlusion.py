"""Ambient occlusion: how much of the light from all around reaches each vertex of a head at rest."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.normals import face_areas, vertex_normals
from blendvoca.mesh import Mesh

#: Directions light comes from, and most cells along the depth picture seen from each.
_DIRECTIONS, _CELLS = 96, 144
#: Points on a triangle, as shares of its corners.
_SHARES = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4], [3, 3, 0], [0, 3, 3], [3, 0, 3],
                    [2, 2, 2]]) / np.array([1, 1, 1, 6, 6, 6, 6, 6, 6, 6])[:, None]  # fmt: skip


def occlusion(mesh: Mesh) -> NDArray[np.float64]:
    """Return the share of light from all around that reaches each vertex (V,), 0 to 1, weighted by the cosine.

    From each of a fixed set of directions a depth picture of points on the surface is made, and a vertex is lit where
    nothing stands before it. Coarse, and the same every time.
    """
    if not len(mesh.faces):
        return np.ones(mesh.n_vertices)
    corners = mesh.vertices[mesh.faces]
    points = np.concatenate([np.tensordot(shares, corners, axes=(0, 1)) for shares in _SHARES])
    middle = (mesh.vertices.min(axis=0) + mesh.vertices.max(axis=0)) / 2
    reach = float(np.linalg.norm(mesh.vertices - middle, axis=1).max()) or 1.0
    points, vertices = (points - middle) / reach, (mesh.vertices - middle) / reach
    normals = vertex_normals(mesh.vertices, mesh.faces)
    seen, total = np.zeros(len(vertices)), np.full(len(vertices), 1e-9)
    # Cells no finer than the points on large triangles lie apart, so that nothing shines through.
    side = float(np.sqrt(2 * np.percentile(face_areas(vertices, mesh.faces), 98))) or 1.0
    cells = int(np.clip(2.04 * 2.5 / side, 16, _CELLS))
    for direction in _sphere(_DIRECTIONS):
        cosine = normals @ direction
        lit = np.maximum(cosine, 0.0)
        total += lit
        seen += lit * _visible(points, vertices + 0.008 * normals, direction, cells)
    return _smoothed(seen / total, mesh.faces)


def local_occlusion(mesh: Mesh, middle: NDArray[np.floating], radius: float) -> NDArray[np.float64]:
    """Return the light (V,) that what lies within a radius of a point leaves: finer, for pits like nostrils."""
    result = np.ones(mesh.n_vertices)
    near = np.linalg.norm(mesh.vertices - middle, axis=1) < radius
    faces = mesh.faces[near[mesh.faces].all(axis=1)]
    if len(faces):
        kept, renamed = np.unique(faces, return_inverse=True)
        result[kept] = occlusion(Mesh(mesh.vertices[kept], renamed.reshape(-1, 3).astype(np.int32)))
    return result


def _sphere(count: int) -> NDArray[np.float64]:
    """Return directions spread evenly (count, 3): a Fibonacci spiral."""
    height = 1 - (2 * np.arange(count) + 1) / count
    turn = np.arange(count) * np.pi * (3 - np.sqrt(5))
    flat = np.sqrt(1 - height**2)
    return np.stack([flat * np.cos(turn), height, flat * np.sin(turn)], axis=1)


def _visible(
    points: NDArray[np.float64], vertices: NDArray[np.float64], direction: NDArray[np.float64], cells: int
) -> NDArray[np.bool_]:
    """Return which vertices see far along ``direction`` past all points."""
    helper = np.eye(3)[np.argmin(np.abs(direction))]
    right = np.cross(direction, helper)
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(direction, right)], axis=1)

    def place(where: NDArray[np.float64]) -> NDArray[np.int64]:
        cell = np.clip(((where @ axes + 1.02) * (cells / 2.04)).astype(np.int64), 0, cells - 1)
        return cell[:, 0] * cells + cell[:, 1]

    depth = np.full(cells * cells, -np.inf)
    np.maximum.at(depth, place(points), points @ direction)
    return vertices @ direction + max(0.03, 4.0 / cells) >= depth[place(vertices)]


def _smoothed(values: NDArray[np.float64], faces: NDArray[np.integer], rounds: int = 2) -> NDArray[np.float64]:
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    ends = np.concatenate([ends, ends[:, ::-1]])
    count = np.bincount(ends[:, 0], minlength=len(values))
    for _ in range(rounds):
        around = np.bincount(ends[:, 0], values[ends[:, 1]], minlength=len(values))
        values = np.where(count > 0, 0.5 * values + 0.5 * around / np.maximum(count, 1), values)
    return values

"""What makes a plain mesh look like a head: light that reaches each vertex, and eyeballs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.components import vertex_components
from blendvoca.geometry.normals import face_areas, vertex_normals
from blendvoca.mesh import Mesh

#: Directions light comes from, and most cells along the depth picture seen from each.
_DIRECTIONS, _CELLS = 96, 144
#: Points on a triangle, as shares of its corners.
_SHARES = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [4, 1, 1], [1, 4, 1], [1, 1, 4], [3, 3, 0], [0, 3, 3], [3, 0, 3],
                    [2, 2, 2]]) / np.array([1, 1, 1, 6, 6, 6, 6, 6, 6, 6])[:, None]  # fmt: skip
#: A component is an eyeball if its points lie on a sphere this closely, of a radius between these shares of the head.
_ROUND, _EYE_SIZE = 0.06, (0.03, 0.12)


def occlusion(mesh: Mesh) -> NDArray[np.float64]:
    """Return the share of light from all around that reaches each vertex (V,), 0 to 1, weighted by the cosine.

    From each of a fixed set of directions a depth picture of points on the surface is made, and a vertex is lit where
    nothing stands before it. Coarse, and the same every time.
    """
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


def eyeballs(mesh: Mesh) -> NDArray[np.float64]:
    """Return (V, 4): for vertices of eyeballs the direction from the middle of their ball and 1, else zeros.

    Eyeballs are the two components of the mesh that lie on spheres of like size, side by side.
    """
    found = np.zeros((mesh.n_vertices, 4))
    labels = vertex_components(mesh.faces, mesh.n_vertices)
    extent = float(np.ptp(mesh.vertices, axis=0).max()) or 1.0
    balls = []
    for label in range(1, min(int(labels.max(initial=0)) + 1, 40)):
        members = np.flatnonzero(labels == label)
        ball = _ball(mesh.vertices[members], extent) if len(members) >= 24 else None
        if ball is not None:
            balls.append((members, *ball))
    if len(balls) != 2 or not 0.8 < balls[0][2] / balls[1][2] < 1.25 or balls[0][1][0] * balls[1][1][0] > 0:
        return found
    for members, middle, _ in balls:
        offset = mesh.vertices[members] - middle
        found[members, :3] = offset / np.linalg.norm(offset, axis=1, keepdims=True)
        found[members, 3] = 1.0
    return found


def _ball(points: NDArray[np.float64], extent: float) -> tuple[NDArray[np.float64], float] | None:
    """Return middle and radius of the sphere through points, None if they do not lie on one of an eye's size."""
    start = points.mean(axis=0)
    offsets = points - start
    matrix = np.column_stack([2 * offsets, np.ones(len(points))])
    solution = np.linalg.lstsq(matrix, (offsets**2).sum(axis=1), rcond=None)[0]
    radius = float(np.sqrt(max(solution[3] + solution[:3] @ solution[:3], 0.0)))
    middle = start + solution[:3]
    if not _EYE_SIZE[0] < radius / extent < _EYE_SIZE[1]:
        return None
    miss = np.abs(np.linalg.norm(points - middle, axis=1) - radius).max()
    return (middle, radius) if miss < _ROUND * radius else None

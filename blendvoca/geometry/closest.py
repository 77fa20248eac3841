"""Closest points on a triangle mesh (libigl's bounding-volume tree)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import igl
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Allowed = Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]


@dataclass(frozen=True)
class ClosestPoints:
    """The nearest surface point of each of n queries.

    :param distance: (n,) distance in the unit of the vertices.
    :param face: (n,) face that holds the point.
    :param point: (n,3) the point.
    :param barycentric: (n,3) its weights on the corners of the face.
    """

    distance: NDArray[np.float64]
    face: NDArray[np.int64]
    point: NDArray[np.float64]
    barycentric: NDArray[np.float64]

    def some(self, which: NDArray[np.bool_]) -> ClosestPoints:
        """The answers of some of the queries.

        :param which: (n,) booleans.
        """
        return ClosestPoints(self.distance[which], self.face[which], self.point[which], self.barycentric[which])


class SurfaceIndex:
    """A mesh prepared for many closest-point queries.

    :param vertices: (V, 3) positions.
    :param faces: (F, 3) vertex indices.
    """

    def __init__(self, vertices: NDArray[np.float64], faces: NDArray[np.integer]) -> None:
        self.vertices = np.ascontiguousarray(vertices, dtype=np.float64)
        self.faces = np.ascontiguousarray(faces, dtype=np.int64)
        self._tree = igl.AABB()
        self._tree.init(self.vertices, self.faces)
        self._centroids = cKDTree(self.vertices[self.faces].mean(axis=1))

    def query(self, points: NDArray[np.float64]) -> ClosestPoints:
        """Closest points of `points` (n,3).

        :param points: (n, 3) in the unit of the vertices.
        """
        points = np.ascontiguousarray(points, dtype=np.float64)
        squared, face, point = self._tree.squared_distance(self.vertices, self.faces, points)
        face = np.asarray(face, dtype=np.int64).reshape(-1)
        point = np.asarray(point).reshape(-1, 3)
        distance = np.sqrt(np.maximum(np.asarray(squared).reshape(-1), 0.0))
        return ClosestPoints(distance, face, point, barycentric(point, self.vertices[self.faces[face]]))

    def query_where(
        self, points: NDArray[np.float64], allowed: Allowed, candidates: int = 64
    ) -> tuple[ClosestPoints, NDArray[np.bool_]]:
        """Closest points among faces that `allowed(query indices, face indices)` admits, and which queries found one.

        The nearest face is tried first; where it is not admitted, the `candidates` faces with the nearest centroids
        are. A query without an admitted face keeps its nearest point and is False in the second result.

        :param points: (n, 3) in the unit of the vertices.
        :param allowed: takes query and face indices, both (m,), and returns (m,) booleans.
        :param candidates: how many near faces are tried.
        """
        found = self.query(points)
        every = np.arange(len(found.face))
        good = allowed(every, found.face)
        redo = every[~good]
        if not len(redo):
            return found, good
        k = min(candidates, len(self.faces))
        faces = self._centroids.query(np.asarray(points)[redo], k=k)[1].reshape(len(redo), k)
        asked = np.repeat(redo, k)
        flat = faces.ravel()
        fits = allowed(asked, flat)
        foot = closest_on_triangles(np.asarray(points)[asked], self.vertices[self.faces[flat]])
        squared = np.where(fits, ((foot - np.asarray(points)[asked]) ** 2).sum(axis=1), np.inf).reshape(len(redo), k)
        pick = squared.argmin(axis=1)
        rows = np.arange(len(redo))
        some = np.isfinite(squared[rows, pick])
        chosen = (rows * k + pick)[some]
        face, point, distance = found.face.copy(), found.point.copy(), found.distance.copy()
        face[redo[some]] = flat[chosen]
        point[redo[some]] = foot[chosen]
        distance[redo[some]] = np.sqrt(squared[rows, pick][some])
        good = good.copy()
        good[redo[some]] = True
        return ClosestPoints(distance, face, point, barycentric(point, self.vertices[self.faces[face]])), good


def closest_points(
    points: NDArray[np.float64], vertices: NDArray[np.float64], faces: NDArray[np.integer]
) -> ClosestPoints:
    """Closest points of `points` (n,3) on the mesh; for repeated queries keep a `SurfaceIndex`.

    :param points: (n, 3) in the unit of the vertices.
    :param vertices: (V, 3) positions.
    :param faces: (F, 3) vertex indices.
    """
    return SurfaceIndex(vertices, faces).query(points)


def barycentric(points: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights (n,3) of `points` (n,3) on triangles `corners` (n,3,3), clipped to the triangle; 1/3 each without
    area."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    u, v, w = b - a, c - a, points - a
    uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
    wu, wv = (w * u).sum(1), (w * v).sum(1)
    det = uu * vv - uv * uv
    safe = det > 1e-14 * np.maximum(uu * vv, 1e-300)
    det = np.where(safe, det, 1.0)
    s = np.where(safe, (vv * wu - uv * wv) / det, 1 / 3)
    t = np.where(safe, (uu * wv - uv * wu) / det, 1 / 3)
    weights = np.clip(np.column_stack([1 - s - t, s, t]), 0.0, 1.0)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def closest_on_triangles(points: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Closest point of each of `points` (n,3) on its own triangle `corners` (n,3,3).

    Projects onto the plane where the foot lies inside, else onto the nearest of the three edges.
    """
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    edge, side, offset = b - a, c - a, points - a
    uu, uv, vv = (edge * edge).sum(1), (edge * side).sum(1), (side * side).sum(1)
    wu, wv = (offset * edge).sum(1), (offset * side).sum(1)
    det = uu * vv - uv * uv
    good = det > 1e-14 * np.maximum(uu * vv, 1e-300)
    det = np.where(good, det, 1.0)
    s, t = (vv * wu - uv * wv) / det, (uu * wv - uv * wu) / det
    inside = good & (s >= 0) & (t >= 0) & (s + t <= 1)
    best = a + s[:, None] * edge + t[:, None] * side
    distance = np.where(inside, ((points - best) ** 2).sum(1), np.inf)
    for start, end in ((a, b), (b, c), (c, a)):
        along = end - start
        length = np.maximum((along * along).sum(1), 1e-300)
        foot = start + np.clip(((points - start) * along).sum(1) / length, 0, 1)[:, None] * along
        squared = ((points - foot) ** 2).sum(1)
        nearer = squared < distance
        best = np.where(nearer[:, None], foot, best)
        distance = np.where(nearer, squared, distance)
    return best

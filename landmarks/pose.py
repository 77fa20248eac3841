"""Where a face lies on another mesh when both look the same way: similarity by closest points, from many starts.

Unit, place and extent may differ (a mask against a whole head); turns of about 20° are corrected. Points are paired by
place and normal together: by place alone a face slides on another, and shrinks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from blendvoca.errors import LandmarkError
from blendvoca.geometry import face_areas, face_normals, vertex_normals
from blendvoca.geometry.similarity import Similarity, rms_radius
from blendvoca.mesh import Mesh

Array = NDArray[np.float64]

#: Heights of the head that the target may show (mask, head, bust), as multiples of a face's 0.2 m.
_STARTS = (0.7, 0.9, 1.15, 1.5, 2.0, 3.0)
#: Share of the points that counts; the rest may lie where the target has nothing.
_KEEP = 0.8
#: Difference of opposite normals, in radii of the face.
_NORMAL = 0.25
#: Trimmed mean difference in place and normal beyond which the two do not match: faces of different people and makers
#: reach 0.03 to 0.075; a head upside down or from the side, a ball, or a box 0.09 and more.
_LIMIT = 0.085


def align_alike(source: Mesh, core: NDArray[np.integer], target: Mesh) -> Similarity:
    """Similarity that lays the core (n,) of a source face, its vertices near the inner landmarks, on the target.

    Both meshes have their axes the same way round: ahead is ahead and up is up in both.

    :raises LandmarkError: if no start leads to a fit.
    """
    points, normals = source.vertices[core], vertex_normals(source.vertices, source.faces)[core]
    ahead, up = _axes(points, normals)
    outside = normals @ ahead > 0.0
    points, normals = points[outside], normals[outside]
    tip, radius = points[(points @ ahead).argmax()], rms_radius(points)
    random = np.random.default_rng(0)
    few = random.permutation(len(points))[:200]
    many = random.permutation(len(points))[:1500]
    surface = _Oriented.of(target, radius)
    tried = []
    for scale, place in _starts(target, ahead, up, radius):
        start = Similarity(scale, np.eye(3), place - scale * tip, 0.0)
        tried.append(_closest_point_fit(points[few], normals[few], surface, start, 10))
    tried.sort(key=lambda entry: entry[1])
    refined = [_closest_point_fit(points[many], normals[many], surface, fit, 40) for fit, _ in tried[:4]]
    best, least = min(refined, key=lambda entry: entry[1])
    if least > _LIMIT:
        raise LandmarkError(
            "the two faces do not fall together by themselves",
            expected=f"a difference of at most {_LIMIT:.2f}, with both heads looking the same way",
            found=f"{least:.2f}",
            remedy="Name about ten picked points on the target.",
        )
    return best


@dataclass(frozen=True, eq=False)
class _Oriented:
    """Sample points of a surface with their normals, to be found by both."""

    points: Array
    normals: Array
    radius: float

    @classmethod
    def of(cls, mesh: Mesh, radius: float, most: int = 40_000) -> _Oriented:
        """Sample a mesh at its vertices and, weighted by area, at the middles of its faces."""
        areas = face_areas(mesh.vertices, mesh.faces)
        faces = np.flatnonzero(areas > 0)
        if len(faces) > most:
            faces = np.random.default_rng(0).choice(faces, most, replace=False, p=areas[faces] / areas[faces].sum())
        points = mesh.vertices[mesh.faces[faces]].mean(axis=1)
        return cls(points, face_normals(mesh.vertices, mesh.faces[faces]), radius)

    def tree(self, scale: float) -> cKDTree:
        """Return what finds points for a source of this scale: radii for places, a share of a radius for normals."""
        return cKDTree(np.hstack([self.points / (scale * self.radius), _NORMAL * self.normals]))


def _axes(points: Array, normals: Array) -> tuple[Array, Array]:
    """Ahead, the mean normal of a face, and up, along its longest direction across it; up to sign."""
    ahead = normals.sum(axis=0) / np.linalg.norm(normals.sum(axis=0))
    flat = points - points.mean(axis=0)
    flat = flat - np.outer(flat @ ahead, ahead)
    return ahead, np.linalg.svd(flat, full_matrices=False)[2][0]


def _starts(target: Mesh, ahead: Array, up: Array, radius: float) -> list[tuple[float, Array]]:
    """Scales by the target's height, places at the points that stand farthest ahead at several heights."""
    height, depth = target.vertices @ up, target.vertices @ ahead
    low, span = float(height.min()), float(np.ptp(height))
    starts = []
    for part in np.arange(0.15, 0.95, 0.1):
        band = np.flatnonzero(np.abs(height - (low + part * span)) < 0.06 * span)
        if len(band):
            place = target.vertices[band[depth[band].argmax()]]
            # A face's inner points have a radius of about a fifth of its height.
            starts += [(span / (5.0 * radius * factor), place) for factor in _STARTS]
    return starts


def _closest_point_fit(
    points: Array, normals: Array, surface: _Oriented, start: Similarity, steps: int
) -> tuple[Similarity, float]:
    """Bring points onto planes at their partners (Chen and Medioni 1992, with scale), trimmed.

    :returns: the similarity, and the trimmed mean distance of the partners in place and normal.
    """
    fit, error, tree, scale = start, np.inf, surface.tree(start.scale), start.scale
    for _ in range(steps):
        if not 0.97 < fit.scale / scale < 1.03:
            tree, scale = surface.tree(fit.scale), fit.scale
        moved, turned = fit.points(points), normals @ fit.rotation.T
        distance, found = tree.query(np.hstack([moved / (scale * surface.radius), _NORMAL * turned]))
        kept = np.argsort(distance)[: int(_KEEP * len(points))]
        improved = float(distance[kept].mean())
        if improved > 0.9995 * error:
            return fit, min(error, improved)
        error = improved
        fit = _step(fit, moved[kept], surface.points[found[kept]], surface.normals[found[kept]])
    return fit, error


def _step(fit: Similarity, moved: Array, points: Array, planes: Array) -> Similarity:
    """One linearised step of rotation, scale and translation towards the planes."""
    middle = moved.mean(axis=0)
    arm = moved - middle
    size = np.sqrt((arm**2).sum(axis=1).mean())
    arm = arm / size
    rows = np.column_stack([np.cross(arm, planes), (arm * planes).sum(axis=1), planes])
    right = ((points - moved) * planes).sum(axis=1) / size
    # A little weight on standing still keeps flat regions from sliding.
    step = np.linalg.solve(rows.T @ rows + 1e-3 * len(moved) * np.eye(7), rows.T @ right)
    turn = _rotation(np.clip(step[:3], -0.3, 0.3))
    scale = float(np.exp(np.clip(step[3], -0.2, 0.2)))
    shift = middle + size * step[4:]
    return Similarity(scale * fit.scale, turn @ fit.rotation, scale * turn @ (fit.translation - middle) + shift, 0.0)


def _rotation(vector: Array) -> Array:
    """Rotation matrix of a rotation vector (Rodrigues)."""
    angle = np.linalg.norm(vector)
    x, y, z = vector / max(float(angle), 1e-30)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)

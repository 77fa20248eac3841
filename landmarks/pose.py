"""Where a face lies on another mesh: similarity by closest points, from many starts.

Unit, place, pose and extent (a mask against a whole head) may differ. Points are paired by place and normal together:
by place alone a face slides on another, and shrinks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from blendvoca.errors import LandmarkError
from blendvoca.geometry import face_areas, face_normals, vertex_normals
from blendvoca.geometry.similarity import Similarity, rms_radius
from blendvoca.mesh import Mesh

Array = NDArray[np.float64]

#: Heights of the head that the target may show (mask, head, bust), as multiples of a face's 0.2 m.
_STARTS = (0.7, 0.9, 1.15, 1.5, 2.0, 3.0)
#: Turns to start from, until one leads to a fit: none, those that take axes for axes (24), and even ones (60).
_TURNS: tuple[Array, ...] = (np.eye(3)[None], *(Rotation.create_group(name).as_matrix() for name in "OI"))
#: Rounds of fits, from all starts to few: points of the face, of the target, steps, and how many fits are kept.
_ROUNDS = ((80, 2000, 3, 96), (200, 4000, 10, 4), (1500, 40_000, 40, 1))
#: Share of the points that counts; the rest may lie where the target has nothing.
_KEEP = 0.8
#: Ratio of neighbouring scales at which points are searched.
_SCALES = 1.06
#: Difference of opposite normals, in radii of the face.
_NORMAL = 0.25
#: Trimmed mean difference in place and normal beyond which the two do not match: faces of different people and makers
#: reach 0.03 to 0.075; a head upside down or from the side, a ball, or a box 0.09 and more.
_LIMIT = 0.085


def find_face(source: Mesh, core: NDArray[np.integer], target: Mesh) -> tuple[Similarity, Mesh]:
    """Lay the core (n,) of a source face, its vertices near the inner landmarks, on the target.

    First as if both looked the same way; where that leads to no fit, in other poses, and with the target's triangles
    the other way round.

    :returns: the similarity, and the target, turned where its triangles looked inwards.
    :raises LandmarkError: if no start leads to a fit.
    """
    face = _Face.of(source, core)
    best = _best_fit(face, [target], _TURNS[0])
    for turns in _TURNS[1:]:
        if best.error > _LIMIT:
            best = _best_fit(face, [target, target.turned()], turns)
    if best.error > _LIMIT:
        raise LandmarkError(
            "the two faces do not fall together by themselves",
            expected=f"a difference of at most {_LIMIT:.2f}",
            found=f"{best.error:.2f}",
            remedy="Name about ten picked points on the target.",
        )
    return best.similarity, best.target


@dataclass(frozen=True, eq=False)
class _Face:
    """What looks ahead of a face's core, and its axes: ahead, and along its longest direction across that, up or down.

    Points and normals are in random order: the first are as good as any.
    """

    points: Array
    normals: Array
    tip: Array
    ahead: Array
    up: Array
    radius: float

    @classmethod
    def of(cls, source: Mesh, core: NDArray[np.integer]) -> _Face:
        points, normals = source.vertices[core], vertex_normals(source.vertices, source.faces)[core]
        ahead = normals.sum(axis=0) / np.linalg.norm(normals.sum(axis=0))
        flat = points - points.mean(axis=0)
        up = np.linalg.svd(flat - np.outer(flat @ ahead, ahead), full_matrices=False)[2][0]
        outside = normals @ ahead > 0.0
        points, normals = points[outside], normals[outside]
        order = np.random.default_rng(0).permutation(len(points))
        tip = points[(points @ ahead).argmax()]
        return cls(points[order], normals[order], tip, ahead, up, rms_radius(points))


@dataclass(frozen=True, eq=False)
class _Fit:
    """A face on a target.

    :param error: trimmed mean difference in place and normal.
    """

    target: Mesh
    similarity: Similarity
    error: float


def _best_fit(face: _Face, targets: list[Mesh], choices: Array) -> _Fit:
    """Fit from all starts with few points, and the best of them again with more.

    :param choices: (n, 3, 3) that turn the face before it is laid on.
    """
    fits = [_Fit(target, start, np.inf) for target in targets for turn in choices
            for start in _starts(target.vertices, face, turn)]  # fmt: skip
    for few, most, steps, kept in _ROUNDS:
        surfaces = {id(target): _Oriented(target, face.radius, most) for target in targets}
        here = face.points[:few], face.normals[:few], steps
        again = [_Fit(each.target, *_closest_point_fit(*here, surfaces[id(each.target)], each.similarity))
                 for each in fits]  # fmt: skip
        fits = sorted(again, key=lambda entry: entry.error)[:kept]
    return fits[0]


class _Oriented:
    """Sample points of a surface with their normals, to be found by both: at its faces' middles, weighted by area."""

    def __init__(self, mesh: Mesh, radius: float, most: int) -> None:
        areas = face_areas(mesh.vertices, mesh.faces)
        faces = np.flatnonzero(areas > 0)
        if len(faces) > most:
            faces = np.random.default_rng(0).choice(faces, most, replace=False, p=areas[faces] / areas[faces].sum())
        self.points = mesh.vertices[mesh.faces[faces]].mean(axis=1)
        self.normals = face_normals(mesh.vertices, mesh.faces[faces])
        self.radius = radius
        self._trees: dict[int, cKDTree] = {}

    def nearest(self, points: Array, normals: Array, scale: float) -> tuple[Array, NDArray[np.int64]]:
        """Return differences (n,) to the nearest sample points, and which they are.

        Places count in the radii of a face of this scale, to 3 %, and normals in a share of a radius.
        """
        step = round(np.log(scale) / np.log(_SCALES))
        size = _SCALES**step * self.radius
        if step not in self._trees:
            self._trees[step] = cKDTree(np.hstack([self.points / size, _NORMAL * self.normals]))
        distance, found = self._trees[step].query(np.hstack([points / size, _NORMAL * normals]))
        return distance, found


def _starts(vertices: Array, face: _Face, turn: Array) -> Iterator[Similarity]:
    """Scales by the target's height, places at the points that stand farthest ahead at several heights."""
    height, depth, tip = vertices @ (turn @ face.up), vertices @ (turn @ face.ahead), turn @ face.tip
    low, span = float(height.min()), float(np.ptp(height))
    for part in np.arange(0.15, 0.95, 0.1):
        band = np.flatnonzero(np.abs(height - (low + part * span)) < 0.06 * span)
        if len(band):
            place = vertices[band[depth[band].argmax()]]
            for factor in _STARTS:
                # A face's inner points have a radius of about a fifth of its height.
                scale = span / (5.0 * face.radius * factor)
                yield Similarity(scale, turn, place - scale * tip, 0.0)


def _closest_point_fit(
    points: Array, normals: Array, steps: int, surface: _Oriented, start: Similarity
) -> tuple[Similarity, float]:
    """Bring points onto planes at their partners (Chen and Medioni 1992, with scale), trimmed.

    :returns: the similarity, and the trimmed mean distance of the partners in place and normal.
    """
    fit, error = start, np.inf
    for _ in range(steps):
        moved, turned = fit.points(points), normals @ fit.rotation.T
        distance, found = surface.nearest(moved, turned, fit.scale)
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

"""Lips that pass through each other: which vertices of one lip went through the other on their way to a pose.

Inner lips are open sheets that lie a millimetre apart, so the sign of the nearest point's normal does not tell inside
from outside. The way does: all vertices move from rest to the pose in straight lines, and a vertex has passed when it
went through the other lip's triangles from the front more often than back (continuous collision detection, Provot
1997, on a few straight steps).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.closest import ClosestPoints, SurfaceIndex
from blendvoca.geometry.surface import Surface
from blendvoca.ibug68 import GROUPS, MOUTH
from blendvoca.transfer.openings.lip_sides import side_labels

Array = NDArray[np.float64]
Index = NDArray[np.integer]

#: How far from the inner-lip landmarks lips and the skin that gives way with them reach, in widths of the mouth.
LIPS, PATCH = 0.45, 0.8
#: Straight steps of a way; the second is the half pose.
STEPS = 4
#: Poses in which lips touch: the shapes that are added up.
POSES: tuple[tuple[str, ...], ...] = (
    ("mouthRollUpper", "mouthRollLower"),
    ("mouthRollUpper",),
    ("mouthRollLower",),
    ("mouthPressLeft", "mouthPressRight"),
    ("mouthPucker",),
    ("jawOpen", "mouthClose"),
)
#: The weights at which they are looked at.
WEIGHTS = (0.5, 1.0)


@dataclass(frozen=True, eq=False)
class Lip:
    """One lip of the patch.

    :param vertices: its vertices.
    :param faces: (F, 3) its triangles.
    :param sign: 1 for the upper, −1 for the lower lip.
    """

    vertices: NDArray[np.int64]
    faces: NDArray[np.int64]
    sign: int


@dataclass(frozen=True, eq=False)
class Lips:
    """The lips of a head, and the skin around them.

    :param kept: (n,) vertices of the whole surface that belong to the patch; all other indices count these.
    :param surface: the patch at rest.
    :param pairs: each lip with the one that it may pass through.
    :param outer: the landmarks of the outer lips.
    """

    kept: NDArray[np.int64]
    surface: Surface
    pairs: tuple[tuple[Lip, Lip], ...]
    outer: NDArray[np.int64]

    @classmethod
    def of(cls, surface: Surface, landmarks: Index) -> Lips:
        """Cut the lips out of a face.

        :param surface: the face.
        :param landmarks: (68,) vertices of it.
        """
        marks = np.asarray(landmarks)
        width = np.linalg.norm(np.subtract(*surface.vertices[marks[list(MOUTH.corners)]]))
        apart = surface.graph.distances(marks[list(GROUPS["lips_inner"])]) / width
        kept = np.flatnonzero(apart <= PATCH)
        position = np.full(len(surface), -1)
        position[kept] = np.arange(len(kept))
        faces = position[surface.faces]
        faces = faces[(faces >= 0).all(axis=1)]
        labels = np.where(apart <= LIPS, side_labels(surface, marks), 0)[kept]
        upper, lower = (
            Lip(np.flatnonzero(labels == sign), faces[(labels[faces] == sign).all(axis=1)], sign) for sign in (1, -1)
        )
        outer = position[marks[list(GROUPS["lips_outer"])]]
        patch = Surface(surface.vertices[kept], faces)
        return cls(kept, patch, ((upper, lower), (lower, upper)), outer[outer >= 0])

    def posed(self, move: Array, weight: float) -> Array:
        """Return the patch's vertices (n, 3) displaced by a share of `move` (n, 3)."""
        return np.asarray(self.surface.vertices + weight * move)

    def passed(self, move: Array) -> dict[float, list[NDArray[np.int64]]]:
        """Return, for each weight of :data:`WEIGHTS`, the vertices of each lip that have passed through the other.

        :param move: (n, 3) displacement of the patch at weight 1.
        """
        found: dict[float, list[NDArray[np.int64]]] = {weight: [] for weight in WEIGHTS}
        poses = [self.posed(move, step / STEPS) for step in range(STEPS + 1)]
        for lip, other in self.pairs:
            moving = lip.faces.size and other.faces.size
            net = np.zeros(len(lip.vertices), dtype=np.int64)
            for step in range(STEPS):
                if moving:
                    net += _went_through(poses[step], poses[step + 1], lip.vertices, other.faces)
                if (step + 1) / STEPS in found:
                    found[(step + 1) / STEPS].append(lip.vertices[net > 0])
        return found


def depths(points: Array, passed: NDArray[np.int64], other: Lip) -> ClosestPoints:
    """Return the nearest points of the `other` lip to vertices that passed through it, in a pose `points` (n, 3)."""
    return SurfaceIndex(points, other.faces).query(points[passed])


def _went_through(start: Array, end: Array, points: Index, faces: Index) -> NDArray[np.int64]:
    """How often (n,) vertices `points` went through `faces` from their front, less how often from their back."""
    net = np.zeros(len(points), dtype=np.int64)
    rows, columns = _near(start, end, points, faces)
    before, after = start[faces[columns]], end[faces[columns]]
    here, there = start[points[rows]], end[points[rows]]
    first, second = _side(here, before), _side(there, after)
    change = (first > 0) != (second > 0)
    share = (first[change] / (first[change] - second[change]))[:, None]
    place = here[change] + share * (there[change] - here[change])
    triangle = before[change] + share[..., None] * (after[change] - before[change])
    inside = _holds(triangle, place)
    np.add.at(net, rows[change][inside], np.where(first[change][inside] > 0, 1, -1))
    return net


def _near(start: Array, end: Array, points: Index, faces: Index) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of vertex and triangle whose boxes over the step overlap."""
    corners = np.stack([start[faces], end[faces]])
    low, high = corners.min(axis=(0, 2)), corners.max(axis=(0, 2))
    least, most = np.minimum(start[points], end[points]), np.maximum(start[points], end[points])
    # Sorted along the mouth, each vertex meets a short run of triangles: lips are wide and triangles narrow.
    order = np.argsort(low[:, 0], kind="stable")
    starts, widest = low[order, 0], float((high - low)[:, 0].max(initial=0.0))
    first, last = np.searchsorted(starts, least[:, 0] - widest), np.searchsorted(starts, most[:, 0], side="right")
    count = last - first
    rows = np.repeat(np.arange(len(points)), count)
    columns = order[np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(first, count)]
    for axis in (1, 2, 0):
        overlap = (least[rows, axis] <= high[columns, axis]) & (most[rows, axis] >= low[columns, axis])
        rows, columns = rows[overlap], columns[overlap]
    return rows, columns


def _side(points: Array, triangles: Array) -> Array:
    """Volume spanned by points (n, 3) and triangles (n, 3, 3); positive in front."""
    normal = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    return np.asarray(((points - triangles[:, 0]) * normal).sum(axis=1))


def _holds(triangles: Array, points: Array) -> NDArray[np.bool_]:
    """Whether triangles (n, 3, 3) hold points (n, 3) of their planes."""
    one, two, way = (each - triangles[:, 0] for each in (triangles[:, 1], triangles[:, 2], points))
    aa, ab, bb = (one * one).sum(axis=1), (one * two).sum(axis=1), (two * two).sum(axis=1)
    a, b = (way * one).sum(axis=1), (way * two).sum(axis=1)
    area = np.maximum(aa * bb - ab**2, 1e-300)
    u, v = (bb * a - ab * b) / area, (aa * b - ab * a) / area
    return np.asarray((u >= 0) & (v >= 0) & (u + v <= 1))

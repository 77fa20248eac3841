"""The eyes of a head that has eyeballs: the skin around each, how far it stands off the eyeball, and what is seen.

Lengths are in RMS radii of the landmarks (60 mm on an adult). An eyeball, with its cornea and whatever shells it has,
is taken as its convex hull: the distance of a point from it is the largest of those from its faces' planes, which is
exact inside and next to it, and what keeps off the plane of that face keeps off the eyeball.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from blendvoca.crop import Crop
from blendvoca.geometry.rays import RayIndex
from blendvoca.geometry.similarity import rms_radius
from blendvoca.geometry.surface import Surface
from blendvoca.ibug68 import LEFT_EYE, N_LANDMARKS, OPENINGS, RIGHT_EYE, Opening, face_axes
from blendvoca.mesh import Mesh
from blendvoca.transfer.frames import degenerate_faces
from blendvoca.transfer.openings.lip_sides import side_labels
from blendvoca.transfer.openings.passing import Lip, Lips
from blendvoca.transfer.parts import Part
from blendvoca.transfer.region import landmark_components

Array = NDArray[np.float64]
Index = NDArray[np.integer]
Mask = NDArray[np.bool_]

#: How far from the lids' landmarks the skin of an eye reaches, in widths of the eye.
PATCH = 1.0
#: Skin may lie over the eyeball up to this distance from it, in widths of the eye.
_OVER = 0.6
#: Lids as they are drawn turn round at their edge and go on along the eyeball. What faces away from the eyeball (cosine
#: of normal and radius) is skin that is seen, and may lie in the eyeball at rest as deep as this; what faces sideways
#: belongs to the edge and is outside but for rounding (3 and 0.3 mm).
_FACES, _DEEP = 0.2, 0.05
_EDGE, _TOUCHES = -0.2, 0.005
#: Cosine from which a lid keeps its whole distance.
_WHOLE = 0.3
#: Half width of the window in which an eye is looked at, in widths of the eye.
_WINDOW = 0.7
_EYES: tuple[tuple[str, Opening], ...] = (("Right", RIGHT_EYE), ("Left", LEFT_EYE))


@dataclass(frozen=True, eq=False)
class View:
    """What parallel rays through one eye meet, in columns from right to left and rows upward.

    :param gap: (c, r) the eyeball, between the lids.
    :param through: (c, r) the eyeball, in front of a lid.
    :param face: (c, r) triangle of the patch that is met first, −1 for none, the eyeball left out.
    :param point: (c, r, 3) where.
    :param skin: (n, 3) the patch as it is posed.
    :param step: distances between columns and between rows.
    """

    gap: Mask
    through: Mask
    face: NDArray[np.int64]
    point: Array
    skin: Array
    step: tuple[float, float]

    @property
    def pixel(self) -> float:
        """The area of one ray."""
        return self.step[0] * self.step[1]


@dataclass(frozen=True, eq=False)
class Eye:
    """One eye.

    :param side: ``Left`` or ``Right``, as the names of its shapes end.
    :param opening: its landmarks.
    :param unit: the length of one RMS radius, in the mesh's unit.
    :param kept: (n,) vertices of the mesh that belong to the patch of skin.
    :param surface: the patch at rest.
    :param fixed: (n,) vertices of the patch where the head goes on.
    :param sides: (n,) 1 on the upper lid, −1 on the lower, 0 elsewhere.
    :param members: (b,) vertices of the eyeball.
    :param ball: the eyeball at rest.
    :param axes: (3, 3) the face's own.
    :param middle: (3,) of the lids' landmarks.
    :param width: between the eye's corners.
    """

    side: str
    opening: Opening
    unit: float
    kept: NDArray[np.int64]
    surface: Surface
    fixed: Mask
    sides: NDArray[np.int8]
    members: NDArray[np.int64]
    ball: Surface
    axes: Array
    middle: Array
    width: float

    @cached_property
    def rest(self) -> Array:
        """Distance (n,) of the patch from the eyeball at rest."""
        return self.distances(self.surface.vertices, self.ball.vertices)[0]

    @cached_property
    def keeps(self) -> Array:
        """Share (n,) of the distance from the eyeball that each vertex keeps: 1 on the lids' outer side, 0 beyond their
        edge; NaN where skin is no lid."""
        points = self.ball.vertices
        away = self.surface.vertices - 0.5 * (points.min(axis=0) + points.max(axis=0))
        away /= np.linalg.norm(away, axis=1, keepdims=True)
        faces = (self.surface.vertex_normals * away).sum(axis=1)
        outside = ((faces > _FACES) & (self.rest > -_DEEP)) | ((faces > _EDGE) & (self.rest > -_TOUCHES))
        over = outside & (self.rest < _OVER * self.width) & (away @ self.axes[2] > 0)
        return np.where(over, np.clip(faces / _WHOLE, 0.0, 1.0), np.nan)

    @cached_property
    def lids(self) -> Lips:
        """The two lids, as lips are told apart: neither passes through the other."""
        faces = self.surface.faces
        upper, lower = (
            Lip(np.flatnonzero(self.sides == sign), faces[(self.sides[faces] == sign).all(axis=1)], sign)
            for sign in (1, -1)
        )
        return Lips(self.kept, self.surface, ((upper, lower), (lower, upper)), np.zeros(0, dtype=np.int64))

    def distances(self, points: Array, ball: Array) -> tuple[Array, Array]:
        """Return how far (n,) points (n, 3) are outside the eyeball, and unit vectors (n, 3) away from it.

        :param points: (n, 3) positions.
        :param ball: (b, 3) the eyeball in its pose.
        """
        planes = ConvexHull(ball).equations
        heights = points @ planes[:, :3].T + planes[:, 3]
        nearest = heights.argmax(axis=1)
        return heights[np.arange(len(points)), nearest], planes[nearest, :3]

    def posed(self, move: Array, weight: float = 1.0) -> tuple[Array, Array]:
        """Return the patch (n, 3) and the eyeball (b, 3) displaced.

        :param move: (V, 3) displacement of the whole mesh, in its unit.
        :param weight: share of it.
        """
        share = weight / self.unit
        return self.surface.vertices + share * move[self.kept], self.ball.vertices + share * move[self.members]

    def view(self, move: Array, columns: int, rows: int, weight: float = 1.0, aside: float = 0.0) -> View:
        """Look at the eye from the front, or from its outer side.

        :param move: (V, 3) displacement of the whole mesh, in its unit.
        :param columns: how many rays side by side.
        :param rows: how many above each other.
        :param weight: share of the displacement.
        :param aside: degrees from the front.
        """
        skin, ball = self.posed(move, weight)
        angle = np.radians(aside if self.side == "Left" else -aside)
        right_to_left = np.cos(angle) * self.axes[0] - np.sin(angle) * self.axes[2]
        ahead = np.cos(angle) * self.axes[2] + np.sin(angle) * self.axes[0]
        across, up = (np.linspace(-_WINDOW, _WINDOW, count) * self.width for count in (columns, rows))
        start = self.middle + across[:, None, None] * right_to_left + up[None, :, None] * self.axes[1]
        start = (start + 2.0 * self.width * ahead).reshape(-1, 3)
        ball_face, ball_depth = RayIndex(ball, self.ball.faces).first(start, -ahead)
        face, depth = RayIndex(skin, self.surface.faces).first(start, -ahead)
        seen = (ball_face >= 0) & ~(depth <= ball_depth)
        lid = (face >= 0) & self._lid_faces[face]
        point = start - np.nan_to_num(depth)[:, None] * ahead
        gap, through = (each.reshape(columns, rows) for each in (seen & ~lid, seen & lid))
        step = (float(across[1] - across[0]), float(up[1] - up[0]))
        return View(gap, through, face.reshape(columns, rows), point.reshape(columns, rows, 3), skin, step)

    @cached_property
    def _lid_faces(self) -> Mask:
        return np.asarray(np.isfinite(self.keeps)[self.surface.faces].all(axis=1))


def find_eyes(mesh: Mesh, landmarks: Index, parts: Sequence[Part], region: Crop | None = None) -> tuple[Eye, ...]:
    """Return the eyes that have an eyeball.

    :param mesh: the whole head, in any unit.
    :param landmarks: (68,) vertices; none is found with another scheme.
    :param parts: the components beside the skin.
    :param region: what may move; None for all.
    """
    if len(landmarks) != N_LANDMARKS:
        return ()
    marks = np.asarray(landmarks)
    unit = rms_radius(mesh.vertices[marks])
    skin = landmark_components(mesh, marks).position >= 0
    if region is not None:
        skin &= region.position >= 0
    whole = Surface(mesh.vertices / unit, mesh.faces)
    labels = side_labels(whole, marks)
    found = []
    for side, opening in _EYES:
        members = [part.vertices for part in parts if part.role == f"{side.lower()} eye"]
        if members:
            number = OPENINGS.index(opening) + 1
            sides = np.where(np.abs(labels) == number, np.sign(labels), 0)
            found.append(_eye(whole, marks, side, opening, unit, skin, sides, np.unique(np.concatenate(members))))
    return tuple(found)


def _eye(
    whole: Surface,
    marks: Index,
    side: str,
    opening: Opening,
    unit: float,
    skin: Mask,
    sides: NDArray[np.int8],
    members: NDArray[np.int64],
) -> Eye:
    own = marks[list(opening.corners + opening.upper + opening.lower)]
    rim = whole.vertices[own]
    width = float(np.linalg.norm(rim[0] - rim[1]))
    kept = np.flatnonzero(skin & (whole.graph.distances(own) <= PATCH * width))
    patch, outside = _cut(whole, kept)
    patch = Surface(patch.vertices, np.delete(patch.faces, degenerate_faces(patch.vertices, patch.faces), axis=0))
    axes = face_axes(whole.vertices[marks])
    ball, _ = _cut(whole, members)
    return Eye(side, opening, unit, kept, patch, outside, sides[kept], members, ball, axes, rim.mean(axis=0), width)


def _cut(whole: Surface, kept: NDArray[np.int64]) -> tuple[Surface, Mask]:
    """Some vertices with the triangles between them, and which of them have others."""
    position = np.full(len(whole), -1)
    position[kept] = np.arange(len(kept))
    faces = position[whole.faces]
    inside = faces >= 0
    border = np.zeros(len(kept), dtype=bool)
    mixed = faces[inside.any(axis=1) & ~inside.all(axis=1)]
    border[mixed[mixed >= 0]] = True
    return Surface(whole.vertices[kept], faces[inside.all(axis=1)]), border

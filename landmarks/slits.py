"""Where the surface parts: the slit between lids and between lips, seen from the front.

Down a column of front rays the *potential* of the surface, its distance along itself from places that are certainly
above an opening minus that from places certainly below, grows about twice as fast as the height falls. At a slit it
leaps, because the way along the surface leads around a corner or through the pocket behind the rim. The leap is there
on open holes, on pockets that are closed behind, and on lids or lips that almost touch; where lids or lips are grown
together there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import grey_closing
from scipy.spatial import cKDTree

from blendvoca.crop import Crop
from blendvoca.geometry.closest import barycentric
from blendvoca.geometry.components import vertex_components
from blendvoca.geometry.rays import RayIndex
from blendvoca.geometry.similarity import rms_radius
from blendvoca.geometry.surface import Surface
from blendvoca.ibug68 import GROUPS, INDEX, MOUTH, OPENINGS, Opening, face_axes
from blendvoca.mesh import Mesh

Array = NDArray[np.float64]
Index = NDArray[np.integer]

#: Rays of a window, across and down, and its half sizes in widths of the opening.
_RAYS, _WINDOW = (61, 121), (0.75, 0.75)
#: A leap of the potential that is a slit, and how far behind the corners the inside of an opening begins, in widths.
_LEAP, _DEEP = 0.2, 0.6
#: Size of the pits that are not seen into when the first look finds no slit, and their depth, in widths.
_PIT = (0.5, 0.12)
#: How far past the slit a landmark must lie to be on its other side, in widths.
_MARGIN = 0.1
#: How far from the landmarks' middle the surface is looked at, in their RMS radii.
_NEAR = 2.0
#: Widest opening, and largest step of its rims from column to column, in widths.
_WIDEST, _STEP = 0.6, 0.06
#: Least share of the opening's width that a slit must run along.
_LEAST = 0.45


@dataclass(frozen=True, eq=False)
class Slit:
    """The visible rims of an opening, right to left, at the same columns.

    :param upper: (n, 3) where the upper rim ends.
    :param lower: (n, 3) where the lower rim begins.
    :param potential: (V,) of the surface's vertices; less above the slit than below.
    :param level: the potential in the middle of the leap.
    """

    upper: Array
    lower: Array
    potential: Array
    level: float

    @property
    def aperture(self) -> float:
        """Mean distance of the rims."""
        return float(np.linalg.norm(self.upper - self.lower, axis=1).mean())


@dataclass(frozen=True)
class Sides:
    """Landmarks on the wrong side of a slit.

    :param below: rows of upper landmarks that lie below it.
    :param above: rows of lower landmarks that lie above it.
    """

    below: tuple[int, ...]
    above: tuple[int, ...]


class FrontView:
    """A face seen along its axis, prepared for windows on several openings.

    :param mesh: the head, in any unit.
    :param places: vertices that carry landmarks; only their components are looked at (no eyeballs, no teeth).
    :param marks: (68, 3) positions of the landmarks, on the vertices or near them.
    """

    def __init__(self, mesh: Mesh, places: Index, marks: Array) -> None:
        self.marks, self.axes = marks, face_axes(marks)
        labels = vertex_components(mesh.faces, mesh.n_vertices)
        near = np.linalg.norm(mesh.vertices - marks.mean(axis=0), axis=1) < _NEAR * rms_radius(marks)
        kept = near & np.isin(labels, labels[places])
        self.crop = Crop.of(kept, mesh.n_vertices)
        part = self.crop.apply(mesh)
        self.surface = Surface(np.asarray(part.vertices, dtype=np.float64), part.faces)
        self._rays = RayIndex(self.surface.vertices, self.surface.faces)
        reach = float(np.ptp(self.surface.vertices, axis=0).max())
        self._before = reach + float((self.surface.vertices @ self.axes[2]).max())

    def cast(self, points: Array) -> tuple[NDArray[np.int64], Array]:
        """Return faces (n,), −1 for none, and places (n, 3) that stand foremost at the points (n, 3)."""
        origin = points + (self._before - points @ self.axes[2])[:, None] * self.axes[2]
        face, along = self._rays.first(origin, -self.axes[2])
        return face, origin - along[:, None] * self.axes[2]

    def nearest(self, points: Array) -> NDArray[np.int64]:
        """Return the vertices (n,) of what stands foremost at the points, or nearest to them where nothing does."""
        face, place = self.cast(points)
        result = np.asarray(cKDTree(self.surface.vertices).query(points)[1], dtype=np.int64)
        hit = face >= 0
        corners = self.surface.faces[face[hit]]
        apart = np.linalg.norm(self.surface.vertices[corners] - place[hit, None], axis=2)
        result[hit] = corners[np.arange(len(corners)), apart.argmin(axis=1)]
        return result

    def potential(self, opening: Opening, marks: Array | None = None) -> Array:
        """Return the potential (V,) of the crop's vertices: less above the opening than below.

        :param marks: (68, 3) positions of the landmarks, where they are not the view's.
        """
        above, below = _anchors(self.marks if marks is None else marks, self.axes, opening)
        far = 10.0 * np.linalg.norm(np.ptp(self.surface.vertices, axis=0))
        ways = [self.surface.graph.distances(self.nearest(points)) for points in (above, below)]
        return np.asarray(np.minimum(ways[0], far) - np.minimum(ways[1], far))

    def slit(self, opening: Opening, lift: float = 0.0) -> Slit | None:
        """Look for the slit of an opening near its landmarks; None where the surface does not part.

        :param lift: widths of the opening by which to look above its landmarks.
        """
        corners = self.marks[list(opening.corners)]
        width = float(np.linalg.norm(corners[0] - corners[1]))
        marks = self.marks.copy()
        marks[list(opening.corners + opening.upper + opening.lower)] += lift * width * self.axes[1]
        face, place = self.cast(_window(marks, self.axes, opening, width))
        facing = (self.surface.face_normals[face] @ self.axes[2] > 0.0) & (face >= 0)
        behind = corners.mean(axis=0) @ self.axes[2] - place @ self.axes[2]
        seen = (facing & (np.nan_to_num(behind) < _DEEP * width)).reshape(_RAYS)
        height = (place @ self.axes[1]).reshape(_RAYS)
        values = self.potential(opening, marks)
        corners_hit = self.surface.faces[face]
        shares = barycentric(place, self.surface.vertices[corners_hit])
        potential = (values[corners_hit] * shares).sum(axis=1).reshape(_RAYS)
        depth = np.where(seen, -behind.reshape(_RAYS), -_DEEP * width)
        size = int(_RAYS[1] * _PIT[0] / (2 * _WINDOW[1]))
        level = seen & (depth > grey_closing(depth, size=(size, size)) - _PIT[1] * width)
        tried = [_ends(kept, height, potential, width, cost) for kept, cost in ((seen, 1.0), (level, 1.5))]
        slits = [self._slit(ends, place, potential, values) for ends in tried if len(ends)]
        return min(slits, key=lambda found: found.aperture, default=None)

    def _slit(self, ends: NDArray[np.int64], place: Array, potential: Array, values: Array) -> Slit:
        """The slit between the rays (n, 3): column, upper row, lower row."""
        rows = place.reshape(*_RAYS, 3)
        level = 0.5 * (potential[ends[:, 0], ends[:, 1]] + potential[ends[:, 0], ends[:, 2]]).mean()
        return Slit(rows[ends[:, 0], ends[:, 1]], rows[ends[:, 0], ends[:, 2]], values, float(level))


def _anchors(marks: Array, axes: Array, opening: Opening) -> tuple[Array, Array]:
    """Places that are certainly above and certainly below an opening, about as far from it."""
    first, last = marks[opening.corners[0]], marks[opening.corners[1]]
    if opening is MOUTH:
        middle = 0.5 * (marks[INDEX["lower_lip_middle"]] + marks[INDEX["chin"]])
        return marks[list(GROUPS["nose_base"])], middle + np.outer([-0.25, 0.0, 0.25], last - first)
    width = float(np.linalg.norm(last - first))
    brow = GROUPS["brow_right" if opening.corners[0] in GROUPS["eye_right"] else "brow_left"]
    middle = 0.5 * (first + last) - 0.7 * width * axes[1]
    return marks[list(brow)] + 0.1 * width * axes[1], middle + np.outer([-0.3, 0.0, 0.3], last - first)


def _window(marks: Array, axes: Array, opening: Opening, width: float) -> Array:
    """Places (n, 3) to look at: columns from right to left, each from top to bottom."""
    middle = marks[list(opening.corners + opening.upper + opening.lower)].mean(axis=0)
    across = np.linspace(-_WINDOW[0], _WINDOW[0], _RAYS[0])[:, None, None] * width * axes[0]
    down = np.linspace(_WINDOW[1], -_WINDOW[1], _RAYS[1])[None, :, None] * width * axes[1]
    return np.asarray((middle + across + down).reshape(-1, 3))


def _ends(seen: NDArray[np.bool_], height: Array, potential: Array, width: float, across: float) -> NDArray[np.int64]:
    """Column, last row above and first row below (n, 3) of the longest steady run of columns that leap.

    :param across: how fast the potential may grow over rows that are not seen before that is a leap; 2 elsewhere.
    """
    ends = np.full((len(seen), 2), -1)
    rims = np.full((len(seen), 2), np.nan)
    for column, rows in enumerate(seen):
        at = np.flatnonzero(rows)
        if len(at) < 2:
            continue
        fall = -np.diff(height[column, at])
        apart = np.diff(at) > 1
        leap = np.diff(potential[column, at]) - np.where(apart, across, 2.0) * fall
        leap[fall > _WIDEST * width] = 0.0
        best = int(leap.argmax())
        # A pocket seen into leaps at both rims: from the first to the last is the opening.
        near = np.abs(height[column, at[:-1]] - height[column, at[best]]) < _WIDEST * width
        leaps = np.flatnonzero((leap > _LEAP * width) & near)
        if len(leaps):
            ends[column] = at[leaps[0]], at[leaps[-1] + 1]
            rims[column] = height[column, ends[column]]
    run = _longest(rims, _STEP * width)
    if len(run) < _LEAST / (2 * _WINDOW[0]) * len(seen):
        run = run[:0]
    return np.column_stack([run, ends[run]])


def _longest(rims: Array, step: float) -> NDArray[np.int64]:
    """Positions of the longest run of rows (n, 2) of finite heights without a larger step, across gaps of one."""
    at = np.flatnonzero(np.isfinite(rims[:, 0]))
    breaks = (np.diff(at) > 2) | (np.abs(np.diff(rims[at], axis=0)).max(axis=1, initial=0.0) > step)
    return max(np.split(at, np.flatnonzero(breaks) + 1), key=len)


def wrong_sides(view: FrontView, places: Index, openings: Sequence[Opening] = OPENINGS) -> dict[str, Sides]:
    """Return by opening which landmarks lie on the other side of its slit; openings without a slit are left out.

    :param view: the mesh with its landmarks.
    :param places: (68,) vertices of the mesh.
    """
    found = {}
    for opening in openings:
        slit = view.slit(opening)
        if slit is None:
            continue
        at = view.crop.position[places]
        over = np.where(at < 0, 0.0, slit.potential[at] - slit.level)
        margin = _MARGIN * float(np.linalg.norm(view.marks[opening.corners[0]] - view.marks[opening.corners[1]]))
        found[opening.name] = Sides(
            tuple(point for point in opening.upper if over[point] > margin),
            tuple(point for point in opening.lower if over[point] < -margin),
        )
    return found

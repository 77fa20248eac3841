"""The inside of the mouth: it goes with the lips at their rims, and with skull and jaw behind them.

The source ends at the lips. What lies behind, on the target's own skin, the solve leaves to its gradients, which know
no bone. Here the displacement of such a vertex, in each shape, becomes

    R + f (d − R),   f = 1 at the rim, falling with the depth along the surface to 0 where lips go over into gums,

with d the displacement of the rim in front of it (its nearest vertices of the same lip; the solve's own in shapes whose
rim moves otherwise from place to place), and R the share of the jaw's rigid motion
(:func:`blendvoca.transfer.parts.jaw_motions`): 1 behind the lower lip, 0 behind the upper, by the distances along the
surface. Teeth and tongue that hang on the skin by a few triangles (at a vertex, or at an edge of three triangles) move
as parts of their own would. Where that leaves a crease, it is laid smoothly: what ties teeth to a lip gives way over a
few rings, and is no spike. How fast lips' motion fades behind them is known of no scan; the length here is between what
the sample's truth has for shapes of the lips (27 mm) and of the cheeks (no fade).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from blendvoca.geometry.adjacency import directed_edges, grown, umbrella, vertex_adjacency
from blendvoca.geometry.components import vertex_components
from blendvoca.geometry.surface import Surface
from blendvoca.ibug68 import GROUPS, MOUTH
from blendvoca.transfer.parts import Judge, jaw_motions
from blendvoca.transfer.reattach import laid_smoothly

Array = NDArray[np.float64]
Index = NDArray[np.integer]

#: Depth at which nothing of the lips' motion is left, in RMS radii of the landmarks (39 mm on an adult).
FADE = 0.65
#: Depth up to which it goes wholly with the rim, in RMS radii (2.4 mm).
_RIM = 0.04
#: Depth up to which the solve's own displacement still counts, in RMS radii, and how many vertices of the rim speak.
_ONSET, _SPEAKERS = 0.1, 20
#: Shapes beside the jaw's whose rim moves otherwise from place to place: they part the lips far, or draw them together.
_UNEVEN = ("mouthClose", "mouthPucker")
#: Half the difference of the ways to both lips over which the jaw's share goes from 0 to 1, in RMS radii, and how
#: much it grows with the depth.
_BLEND, _GROWTH = 0.1, 0.5
#: Roughness from which on it is smoothed, in RMS radii (2.4 mm on an adult), and how many rings around.
_ROUGH, _RINGS = 0.05, 2


@dataclass(frozen=True, eq=False)
class InnerMouth:
    """The vertices inside the mouth and how they move.

    :param surface: the target at rest in the common space, V vertices.
    :param landmarks: (68,) vertices of it.
    :param inside: (n,) vertices inside the mouth.
    :param rim: (n, V) shares of the rim's vertices in d; the first millimetres go over from the solve's own.
    :param keeps: (n,) f.
    :param jaw: (n,) share of the jaw's motion.
    :param tied: how many of them belong to teeth or a tongue that hang on the skin.
    """

    surface: Surface
    landmarks: NDArray[np.int64]
    inside: NDArray[np.int64]
    rim: csr_matrix
    keeps: Array
    jaw: Array
    tied: int

    @classmethod
    def of(cls, surface: Surface, landmarks: Index, covered: NDArray[np.bool_]) -> InnerMouth | None:
        """Find it; None where the source covers all there is.

        :param surface: the target at rest in the common space.
        :param landmarks: (68,) vertices of it.
        :param covered: (V,) vertices that the source speaks for.
        """
        marks = np.asarray(landmarks, dtype=np.int64)
        inside = np.flatnonzero(_inside(surface, marks, covered))
        if not len(inside):
            return None
        graph = surface.graph
        depth = graph.distances(np.flatnonzero(covered))
        above, below = (
            graph.distances(marks[list(rows)])
            for rows in (MOUTH.upper + MOUTH.outer_upper, MOUTH.lower + MOUTH.outer_lower)
        )
        with np.errstate(invalid="ignore"):
            jaw = _smooth(np.nan_to_num(0.5 + 0.5 * (above - below) / (_BLEND + _GROWTH * depth), nan=0.5))
        depth = depth[inside]
        rim = _rim_shares(surface, inside, covered, jaw, _smooth(depth / _ONSET))
        tied = _tied(surface, marks)
        jaw = np.where(np.isnan(tied), jaw, tied)[inside]
        keeps = np.where(np.isnan(tied[inside]), np.clip(1.0 - (depth - _RIM) / FADE, 0.0, 1.0), 0.0)
        return cls(surface, marks, inside, rim, keeps, jaw, int(np.isfinite(tied).sum()))

    @property
    def notes(self) -> tuple[str, ...]:
        """What is said about it."""
        if not self.tied:
            return ()
        return (
            f"teeth or a tongue ({self.tied} vertices) hang on the skin: they move as parts of their own, and what ties"
            " them gives way; separate them in the mesh for a clean mouth",
        )

    def moved(self, deltas: Array, names: Sequence[str]) -> Array:
        """Return displacements (K, V, 3) with the inside of the mouth put in.

        :param deltas: (K, V, 3) of the skin, in the common space.
        :param names: of the K shapes.
        """
        result, rest = deltas.copy(), self.surface.vertices[self.inside]
        jaws = jaw_motions(self.surface.vertices, self.landmarks, names, deltas)
        for row, name in enumerate(names):
            own, keeps = deltas[row, self.inside], self.keeps[:, None]
            if row in jaws:
                bone = self.jaw[:, None] * (jaws[row].points(rest) - rest)
                result[row, self.inside] = bone + (1.0 - _smooth(1.0 - keeps)) * (own - bone)
            else:
                result[row, self.inside] = keeps * (own if name in _UNEVEN else self.rim @ deltas[row])
        return self._smoothed(result) if self.tied else result

    def _smoothed(self, deltas: Array) -> Array:
        """Lay what is rough inside the mouth, in any shape, as smoothly as its surroundings allow."""
        count = len(self.surface)
        apart = umbrella(self.surface.faces, count)
        rough = np.zeros(count, dtype=bool)
        for delta in deltas:
            rough |= np.linalg.norm(apart @ delta, axis=1) > _ROUGH
        free = np.zeros(count, dtype=bool)
        free[self.inside] = grown(vertex_adjacency(self.surface.faces, count), rough, _RINGS)[self.inside]
        return laid_smoothly(self.surface.faces, deltas, free) if free.any() else deltas


def _inside(surface: Surface, marks: Index, covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Vertices (V,) that are not covered and border, but for a tenth, on what is covered of the lips."""
    faces, count = surface.faces, len(surface)
    labels = vertex_components(faces[~covered[faces].any(axis=1)], count)
    mixed = faces[covered[faces].any(axis=1) & ~covered[faces].all(axis=1)]
    nearest = cKDTree(surface.vertices[marks]).query(surface.vertices)[1]
    one, other = np.repeat(mixed, 3, axis=1).ravel(), np.tile(mixed, (1, 3)).ravel()
    border = ~covered[one] & covered[other]
    part, lips = labels[one[border]], nearest[other[border]] >= GROUPS["lips_outer"].start
    total = np.bincount(part, minlength=labels.max() + 1)
    share = np.bincount(part, lips, minlength=labels.max() + 1) / np.maximum(total, 1)
    return np.asarray(~covered & (total > 0)[labels] & (share >= 0.9)[labels])


def _rim_shares(surface: Surface, inside: Index, covered: NDArray[np.bool_], jaw: Array, onset: Array) -> csr_matrix:
    """Matrix (n, V): 1 − onset (n,) for the vertex itself, the rest for the nearest of both lips' rims.

    `jaw` (V,) is the share of the lower lip.
    """
    faces, count = surface.faces, len(surface)
    is_inside = np.zeros(count, dtype=bool)
    is_inside[inside] = True
    mixed = faces[is_inside[faces].any(axis=1)]
    border = np.unique(mixed[covered[mixed]])
    rows, columns, values = [np.arange(len(inside))], [inside], [1.0 - onset]
    for share, speakers in ((1.0 - jaw, border[jaw[border] <= 0.5]), (jaw, border[jaw[border] >= 0.5])):
        speakers = speakers if len(speakers) else border
        number = min(_SPEAKERS, len(speakers))
        apart, near = cKDTree(surface.vertices[speakers]).query(surface.vertices[inside], k=[*range(1, number + 1)])
        # Nothing for the farthest, so that it does not matter which of two equally far ones it is.
        apart = np.maximum(apart, 1e-6)
        weight = np.maximum(1.0 / apart - 1.0 / (1.001 * apart[:, -1:]), 0.0) ** 2
        rows.append(np.repeat(np.arange(len(inside)), number))
        columns.append(speakers[near].ravel())
        values.append(((onset * share[inside])[:, None] * weight / weight.sum(axis=1, keepdims=True)).ravel())
    places = np.concatenate(rows), np.concatenate(columns)
    return csr_matrix((np.concatenate(values), places), shape=(len(inside), count))


def _tied(surface: Surface, marks: Index) -> Array:
    """Share (V,) of the jaw's motion for teeth and tongues that hang on the skin; nan elsewhere."""
    result = np.full(len(surface), np.nan)
    pieces = _pieces(surface.faces)
    on = np.zeros(len(surface), dtype=bool)
    main = np.bincount(pieces).argmax()
    on[surface.faces[pieces == main]] = True
    if on[surface.faces].all():
        return result
    judge = Judge(surface.vertices[marks])
    for piece in np.setdiff1d(np.unique(pieces), [main]):
        members = np.unique(surface.faces[pieces == piece])
        own = members[~on[members]]
        role, what = judge.role(surface.vertices[members]) if len(own) > 3 else ("", "")
        if what in ("tongue", "lower teeth", "upper teeth"):
            result[own] = role == "jaw"
    return result


def _pieces(faces: Index) -> NDArray[np.int64]:
    """Label (F,) of triangles that are joined by edges of two triangles: parts that only touch are torn apart."""
    edges = np.sort(directed_edges(faces), axis=1)
    keys = edges[:, 0] * (int(edges.max()) + 1) + edges[:, 1]
    _, edge, uses = np.unique(keys, return_inverse=True, return_counts=True)
    order = np.argsort(edge, kind="stable")
    first = order[np.concatenate([[0], np.cumsum(uses)[:-1]])[uses == 2]]
    second = order[(np.concatenate([[0], np.cumsum(uses)[:-1]]) + 1)[uses == 2]]
    count = len(faces)
    links = csr_matrix((np.ones(len(first)), (first % count, second % count)), shape=(count, count))
    return np.asarray(connected_components(links, directed=False)[1], dtype=np.int64)


def _smooth(share: Array) -> Array:
    """Step from 0 to 1 with level ends."""
    s = np.clip(share, 0.0, 1.0)
    return np.asarray(s * s * (3.0 - 2.0 * s))

"""Lips that are grown together: what would part them is taken out of the source's shapes before they are transferred.

Busts, low scans and statues have one skin over both lips. A jaw that opens would draw what little skin lies between
them out to a membrane. Let s be the length of that skin, along the surface from an upper to a lower landmark of the
inner lips, and W how far a wide-open jaw parts them. The lips then take the share κ = s / W of every parting, and
otherwise move as one, midway. jawOpen gets the share 1 − κ of the source's own mouthClose, which closes the lips over
an open jaw. What parts after that gets, on the source's rims, a correction of ∓ (1 − κ)/2 times the parting; around
them it is laid as smoothly as can be,

    min  b² ‖Δc‖² + ‖∇c‖² + ‖c‖²/r²    with c given at the rims and 0 at the landmarks that are not the lips'.

It is linear in the shape. Lips with a slit between them have no s: the way along the surface leads around a corner, or
through the mouth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from blendvoca.geometry.surface import Surface
from blendvoca.ibug68 import GROUPS, MOUTH
from blendvoca.linalg.cholesky import CholeskyFactor, factor
from blendvoca.transfer.frames import gradient_matrix
from blendvoca.transfer.openings.lids import curve_fractions, opening_curves

Array = NDArray[np.float64]
Index = NDArray[np.integer]

#: W, in widths of the mouth.
OPEN = 0.8
#: Longer ways between the lips are no skin that joins them: in widths (they lead through a mouth or over teeth), and as
#: a share of the way around a corner.
LONGEST, DIRECT = 0.35, 0.8
#: Skin that dips in between the lips is a mouth, however shallow: its length over the straight way (fused lips of scans
#: and statues reach 2.1, the shallow mouths of multiface 4 and more), where it is longer than this share of the width.
DIPS, CREASE = 3.0, 0.15
#: What is said of such a mouth.
FOLD = "the mouth is a fold without an inside: the skin in it is drawn out where the lips part"
#: b and r, in widths of the mouth (10 and 25 mm on an adult).
BENDS, FADES = 0.2, 0.5


@dataclass(frozen=True, eq=False)
class _Laid:
    """What lays a correction around the rim.

    :param rim: (R,) vertices where it is given.
    :param inner: (n,) vertices where it is laid smoothly; it is 0 at the others.
    :param solver: of the smoothness among the inner ones.
    :param coupling: (n, R) smoothness between inner ones and rim.
    :param parting: (R, V) the correction given at the rim.
    """

    rim: NDArray[np.int64]
    inner: NDArray[np.int64]
    solver: CholeskyFactor
    coupling: sp.csr_matrix
    parting: sp.csr_matrix


@dataclass(frozen=True, eq=False)
class FusedLips:
    """The lips of a target that do not part, and the source that is to know it.

    :param surface: the source at rest, V vertices.
    :param landmarks: (68,) vertices of it.
    :param keeps: κ.
    """

    surface: Surface
    landmarks: NDArray[np.int64]
    keeps: float

    @classmethod
    def of(cls, source: Surface, target: Surface, pairs: Index) -> FusedLips | None:
        """Return them, None where the target's lips part, or the source's are grown together as well.

        :param source: the source at rest.
        :param target: the target at rest.
        :param pairs: (68, 2) landmarks of both.
        """
        skin = skin_between(target, pairs[:, 1])
        if skin is None or skin_between(source, pairs[:, 0]) is not None:
            return None
        return cls(source, np.asarray(pairs[:, 0], dtype=np.int64), min(skin / OPEN, 1.0))

    @property
    def notes(self) -> tuple[str, ...]:
        """What is said about it."""
        return (
            f"the lips are grown together: they part by {self.keeps:.0%} of what the source's do and else move as one; "
            "cut the mesh along the lips to let the mouth open",
        )

    def damped(self, moves: Array, names: Sequence[str]) -> Array:
        """Return displacements (K, V, 3) of the source whose lips part no more than the target's can.

        :param moves: (K, V, 3) displacements of the source.
        :param names: of the K shapes.
        """
        if {"jawOpen", "mouthClose"} <= set(names):
            jaw, close = names.index("jawOpen"), names.index("mouthClose")
            moves = moves.copy()
            moves[jaw] += (1.0 - self.keeps) * moves[close]
            moves[close] *= self.keeps
        return self._together(moves)

    def _together(self, moves: Array) -> Array:
        """Take 1 − κ of what parts the lips out of displacements (K, V, 3)."""
        laid, count = self._laid, len(self.surface)
        flat = moves.transpose(1, 0, 2).reshape(count, -1)
        given = laid.parting @ flat
        correction = np.zeros_like(flat)
        correction[laid.rim] = given
        correction[laid.inner] = -laid.solver.solve(laid.coupling @ given)
        return np.ascontiguousarray((flat + correction).reshape(count, -1, 3).transpose(1, 0, 2))

    @cached_property
    def _laid(self) -> _Laid:
        surface, marks = self.surface, self.landmarks
        upper, lower = (curve[1:-1] for curve in opening_curves(surface.vertices, marks, surface.holes, MOUTH))
        rim = np.concatenate([upper, lower]).astype(np.int64)
        resting = np.setdiff1d(marks[: GROUPS["lips_outer"].start], rim)
        inner = np.setdiff1d(np.arange(len(surface)), np.concatenate([rim, resting]))
        rows = self._smoothness()[inner]
        return _Laid(rim, inner, factor(sp.csc_matrix(rows[:, inner])), rows[:, rim], self._parting(upper, lower))

    def _parting(self, upper: Index, lower: Index) -> sp.csr_matrix:
        """Matrix (R, V) of the correction of the rim without its corners: ∓ (1 − κ)/2 times the parting."""
        corners, count = self.landmarks[list(MOUTH.corners)], len(self.surface)
        curves = [np.concatenate([corners[:1], curve, corners[1:]]) for curve in (upper, lower)]
        along = [curve_fractions(self.surface.vertices[curve]) for curve in curves]
        parts = []
        for sign, own in zip((-0.5, 0.5), along, strict=True):
            above, below = (_between(*each, own[1:-1], count) for each in zip(curves, along, strict=True))
            parts.append(sign * (1.0 - self.keeps) * (above - below))
        return sp.csr_matrix(sp.vstack(parts))

    def _smoothness(self) -> sp.csr_matrix:
        """Matrix (V, V) of what is minimised."""
        surface = self.surface
        width = np.linalg.norm(np.subtract(*surface.vertices[self.landmarks[list(MOUTH.corners)]]))
        gradient = gradient_matrix(surface.vertices, surface.faces)
        stiffness = gradient.T @ sp.diags(np.repeat(surface.face_areas, 3)) @ gradient
        mass = np.maximum(surface.vertex_areas, 1e-12 * surface.vertex_areas.max())
        bending = stiffness @ sp.diags((BENDS * width) ** 2 / mass) @ stiffness
        return sp.csr_matrix(bending + stiffness + sp.diags(mass / (FADES * width) ** 2))


def skin_between(surface: Surface, landmarks: Index) -> float | None:
    """Return the length of the skin between upper and lower inner lip, in widths of the mouth; None at a slit.

    The least of the three pairs of landmarks: where lips are joined at one place, that place would be drawn out.

    :param surface: the head.
    :param landmarks: (68,) vertices of it.
    """
    return min((length for length, dips in _ways(surface, np.asarray(landmarks)) if not dips), default=None)


def is_fold(surface: Surface, landmarks: Index) -> bool:
    """Whether the mouth is a fold: its lips part, and meet in a crease behind with no inside.

    :param surface: the head.
    :param landmarks: (68,) vertices of it.
    """
    return any(dips for _, dips in _ways(surface, np.asarray(landmarks)))


def _ways(surface: Surface, marks: Index) -> list[tuple[float, bool]]:
    """Lengths of the ways between the lips that lead neither through a mouth nor around a corner, in widths of the
    mouth, and whether they dip in."""
    width = float(np.linalg.norm(np.subtract(*surface.vertices[marks[list(MOUTH.corners)]])))
    around = [surface.graph.distances(marks[[corner]]) for corner in MOUTH.corners]
    ways = []
    for above, below in marks[np.array(MOUTH.pairs)]:
        way = float(surface.graph.distances(np.array([above]))[below])
        straight = float(np.linalg.norm(surface.vertices[above] - surface.vertices[below]))
        if way < LONGEST * width and all(way < DIRECT * float(each[above] + each[below]) for each in around):
            ways.append((way / width, way > max(DIPS * straight, CREASE * width)))
    return ways


def _between(curve: Index, along: Array, stations: Array, count: int) -> sp.csr_matrix:
    """Matrix (s, V) that takes values of V vertices to those at stations (s,) of a curve with fractions `along`."""
    after = np.clip(np.searchsorted(along, stations), 1, len(along) - 1)
    share = (stations - along[after - 1]) / np.maximum(along[after] - along[after - 1], 1e-300)
    rows = np.repeat(np.arange(len(stations)), 2)
    columns = np.column_stack([curve[after - 1], curve[after]]).ravel()
    return sp.csr_matrix((np.column_stack([1.0 - share, share]).ravel(), (rows, columns)), shape=(len(stations), count))

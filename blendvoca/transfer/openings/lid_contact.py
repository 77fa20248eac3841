"""Lids that slide over the eyeball and meet: what the source's lids do on its own eyes, laid on this head's.

The fit of lids to the aperture (`lids`) closes an eye at its landmarks. Between them a slit may stay, and an eyeball
that is rounder, larger or farther forward than the source's, or that bulges at its cornea, stands through lids that
move in straight lines: at half weight they cut the corner of the sphere. For each shape of an eye and the sums of
:data:`POSES`, at half and full weight, the smoothest correction c of the skin around the eye is taken
(`least_correction`) with

    n · c_v ≥ s − d   for each vertex v of a lid that is nearer to the eyeball than s, with d its distance and n the
                      eyeball's normal there, the eyeball turned as the pose turns it;
    e · (c_l − c_u) ≥ h   in a blink, for points u and l of the upper and lower lid between which rays from the
                      front or from the side see the eyeball over a height h along the head's vertical e,

again until nothing is asked for. In a blink alone lids do not pass through each other either (`contact`). Corrections
are shared out to the shapes of a pose, so that blendshapes stay linear. They vanish where the patch ends, and where
lids keep off the eyeball and meet, nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from blendvoca.crop import Crop
from blendvoca.geometry.closest import barycentric
from blendvoca.mesh import Mesh
from blendvoca.transfer.openings.contact import not_passing
from blendvoca.transfer.openings.eyes import Eye, View, find_eyes
from blendvoca.transfer.openings.least_correction import Pose, Wanted, least_correction, settled, smoothness
from blendvoca.transfer.parts import Part

Array = NDArray[np.float64]
Index = NDArray[np.integer]

BLINK = "eyeBlink"
#: Shapes of an eye, without their side, and the sums that are looked at beside each alone.
SHAPES = (
    BLINK, "eyeSquint", "eyeWide", "eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut", "cheekSquint",
)  # fmt: skip
POSES: tuple[tuple[str, ...], ...] = (*((name,) for name in SHAPES), (BLINK, "eyeSquint"), (BLINK, "eyeLookDown"))
#: The distance that lids keep from the eyeball at each weight, in RMS radii (0.1 and 0.3 mm on an adult); what lies
#: nearer at rest may come out of it by half of its way.
KEPT = {0.5: 0.0017, 1.0: 0.005}
OUT = 0.5
#: How far lids that close go past each other (0.02 mm).
OVERLAP = 0.0003
#: Degrees from the front towards the outer side from which no gap is seen.
ASIDE = (0.0, 40.0)
#: A blink that leaves more than this share of the open eye's height is not meant to close it.
MEANT = 0.4
#: What may stay (0.02 mm), and the size of the cells of which one vertex each is held (1.2 mm), the deepest so many.
SLACK, CELL, MOST = 0.0004, 0.02, 150
#: Lengths over which a correction bends and fades (2 and 6 mm), and how the patch's rim is held.
BENDS, FADES, HELD = 0.033, 0.1, 1e3
ROUNDS = 12
_COLUMNS, _ROWS = 48, 201


def slide_lids(
    mesh: Mesh, landmarks: Index, names: Sequence[str], deltas: Array, parts: Sequence[Part], region: Crop | None = None
) -> Array:
    """Return deltas (K, V, 3) whose lids keep off the eyeballs and meet in a blink; as they are without eyeballs.

    :param mesh: the whole head, V vertices, in any unit.
    :param landmarks: (68,) vertices; with another scheme nothing changes.
    :param names: of the K shapes.
    :param deltas: (K, V, 3) of the whole head, the eyeballs turned.
    :param parts: the components beside the skin.
    :param region: what may move; None for all.
    """
    known = {name: row for row, name in enumerate(names)}
    for eye in find_eyes(mesh, landmarks, parts, region):
        deltas = _slid(eye, known, deltas)
    return deltas


def _slid(eye: Eye, known: dict[str, int], deltas: Array) -> Array:
    named = [tuple(name + eye.side for name in pose) for pose in POSES]
    poses: list[Pose] = [tuple(known[name] for name in pose) for pose in named if set(pose) <= set(known)]
    if not poses or not np.isfinite(eye.keeps).any():
        return deltas
    solver = smoothness(eye.surface, BENDS, FADES, np.where(eye.fixed, HELD, 0.0))
    blink = known.get(BLINK + eye.side)
    tallest = _heights(eye.view(np.zeros(deltas.shape[1:]), _COLUMNS, _ROWS)).max()

    def correction(pose: Pose, move: Array) -> Array | None:
        wanted = list(_off_the_ball(eye, move))
        if blink in pose:
            wanted += [each for aside in ASIDE for each in _closed(eye, move, MEANT * tallest, aside)]
        if pose == (blink,):
            wanted += not_passing(eye.lids, move[eye.kept] / eye.unit, eye.axes[1])
        return eye.unit * least_correction(solver, Wanted.joined(wanted)) if wanted else None

    return settled(deltas, eye.kept, {pose: pose for pose in poses}, correction, ROUNDS)


def _off_the_ball(eye: Eye, move: Array) -> Iterator[Wanted]:
    """What lids lack of their distance from the eyeball, at each weight."""
    lids = np.flatnonzero(np.isfinite(eye.keeps))
    way = np.linalg.norm(move[eye.kept[lids]], axis=1) / eye.unit
    for weight, kept in KEPT.items():
        skin, ball = eye.posed(move, weight)
        distance, normal = eye.distances(skin[lids], ball)
        lack = np.minimum(kept * eye.keeps[lids], eye.rest[lids] + OUT * weight * way) - distance
        order = np.argsort(-lack, kind="stable")
        order = order[lack[order] > SLACK]
        cells = np.round(skin[lids[order]] / CELL).astype(np.int64)
        order = order[np.sort(np.unique(cells, axis=0, return_index=True)[1])][:MOST]
        if len(order):
            shape = (len(order), len(eye.kept))
            rows = sp.csr_matrix((np.full(len(order), weight), (np.arange(len(order)), lids[order])), shape=shape)
            yield Wanted(rows, normal[order], lack[order])


def _closed(eye: Eye, move: Array, most: float, aside: float) -> list[Wanted]:
    """What lids lack of meeting, column by column; nothing where a gap is higher than `most`."""
    view = eye.view(move, _COLUMNS, _ROWS, aside=aside)
    heights, (columns, low, high) = _heights(view), _edges(view)
    if not len(columns) or heights.max() > most:
        return []
    apart = _rows_at(eye, view, columns, low) - _rows_at(eye, view, columns, high)
    return [Wanted(sp.csr_matrix(apart), np.tile(eye.axes[1], (len(columns), 1)), heights[columns] + OVERLAP)]


def _heights(view: View) -> Array:
    """Height (c,) of what is seen between the lids."""
    return np.asarray(view.gap.sum(axis=1) * view.step[1])


def _edges(view: View) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Columns (m,) with a gap, and the rows of the skin next below and above it."""
    found = []
    skin = (view.face >= 0) & ~view.gap & ~view.through
    for column in np.flatnonzero(view.gap.any(axis=1)):
        gap, rows = np.flatnonzero(view.gap[column]), np.flatnonzero(skin[column])
        below, above = rows[rows < gap[0]], rows[rows > gap[-1]]
        if len(below) and len(above):
            found.append((column, below[-1], above[0]))
    columns, low, high = np.array(found, dtype=np.int64).reshape(-1, 3).T
    return columns, low, high


def _rows_at(eye: Eye, view: View, columns: NDArray[np.int64], rows: NDArray[np.int64]) -> sp.csr_matrix:
    """Matrix (m, n) that takes values of the patch's vertices to the points where rays met it."""
    corners = eye.surface.faces[view.face[columns, rows]]
    share = barycentric(view.point[columns, rows], view.skin[corners])
    place = np.repeat(np.arange(len(columns)), 3)
    return sp.csr_matrix((share.ravel(), (place, corners.ravel())), shape=(len(columns), len(eye.kept)))

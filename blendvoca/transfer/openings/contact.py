"""Contact: lips that touch in the source touch in the target, and do not pass through each other.

Saito (2013, Smooth contact-aware facial blendshapes transfer) lets the space between lips and lids take part in the
transfer, so that what closes in the source closes in the target. Here landmarks and rims do that; what is left is that
lips, thicker on one head than on another, pass through each other: ARKit's own rolls by 8 mm. For the poses in which
lips touch (`passing.POSES`), let v be a vertex that has passed through the other lip, q the point of the other lip
straight above or below it, e the head's vertical and d their distance. The smoothest correction c is taken
(`least_correction`) with

    e · (c_v − c_q) ≥ d   for each v, at half and full weight,

in which the landmarks of the outer lips give way least, and again until nothing passes. Corrections are shared out to
the shapes of the pose, so that blendshapes stay linear; where no lips meet, nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from blendvoca.geometry.closest import ClosestPoints
from blendvoca.linalg.cholesky import CholeskyFactor
from blendvoca.transfer.openings.least_correction import Wanted, least_correction, settled, smoothness
from blendvoca.transfer.openings.passing import POSES, WEIGHTS, Lip, Lips, depths

Array = NDArray[np.float64]

#: Depth that may stay, in normalised units (0.24 mm on an adult).
SLACK = 0.004
#: Vertices that are held apart at once, one a cell of this size: the deepest, the others follow them.
CELL, MOST = 0.02, 150
#: Lengths over which it bends and fades, in normalised units (2 and 6 mm on an adult), and how outer lips are held.
BENDS, FADES, HELD = 0.033, 0.1, 0.5
#: How often a pose is looked at; a correction turns the surfaces that the next one is measured on.
ROUNDS = 12


def keep_apart(deltas: Array, names: Sequence[str], lips: Lips, up: Array) -> Array:
    """Return deltas (K, V, 3) in whose poses of contact no lip passes through the other.

    :param deltas: (K, V, 3) in the common space.
    :param names: the K shapes.
    :param lips: the lips of the V vertices.
    :param up: (3,) the head's vertical.
    """
    known = {name: position for position, name in enumerate(names)}
    poses = [pose for pose in POSES if set(pose) <= set(known)]
    if not poses or not all(lip.faces.size for lip, _ in lips.pairs):
        return deltas
    held = np.zeros(len(lips.surface))
    held[lips.outer] = HELD
    solver = smoothness(lips.surface, BENDS, FADES, held)
    # Jaw and lips close together; what is wrong with that is the closing's fault.
    blamed = {
        tuple(known[name] for name in pose): tuple(known[name] for name in pose if name != "jawOpen") for pose in poses
    }

    def correction(_: tuple[int, ...], move: Array) -> Array | None:
        return _correction(lips, move[lips.kept], solver, up)

    return settled(deltas, lips.kept, blamed, correction, ROUNDS)


def _correction(lips: Lips, move: Array, solver: CholeskyFactor, up: Array) -> Array | None:
    """The least correction (n, 3) of a pose `move` (n, 3) that keeps the lips apart; None where they are."""
    found = list(not_passing(lips, move, up))
    return least_correction(solver, Wanted.joined(found)) if found else None


def not_passing(lips: Lips, move: Array, up: Array) -> Iterator[Wanted]:
    """Yield what must be met for each weight and lip: c_v − c_q along a direction by a distance.

    :param lips: two lips, or two lids.
    :param move: (n, 3) of their patch in a pose, in normalised units.
    :param up: (3,) the head's vertical.
    """
    passed = lips.passed(move)
    for weight in WEIGHTS:
        points = lips.posed(move, weight)
        for vertices, (lip, other) in zip(passed[weight], lips.pairs, strict=True):
            if not len(vertices):
                continue
            deep = depths(points, vertices, other)
            order = np.argsort(-deep.distance, kind="stable")
            order = order[deep.distance[order] > SLACK]
            cells = np.round(points[vertices[order]] / CELL).astype(np.int64)
            order = order[np.sort(np.unique(cells, axis=0, return_index=True)[1])][:MOST]
            if len(order):
                chosen = np.zeros(len(vertices), dtype=bool)
                chosen[order] = True
                yield _rows(points, vertices[chosen], deep.some(chosen), other, lip.sign * up, weight)


def _rows(
    points: Array, vertices: NDArray[np.int64], near: ClosestPoints, other: Lip, way: Array, weight: float
) -> Wanted:
    """Rows for `vertices`, whose nearest points on the `other` lip are `near`, that must move along `way` (3,).

    Straight along the way where the other lip lies there, and not much farther than its nearest point; towards the
    nearest point elsewhere.
    """
    face, corners, distance = _straight(points, vertices, other, way)
    bent = ~(distance < 4.0 * near.distance + SLACK)
    face, distance = np.where(bent, near.face, face), np.where(bent, near.distance, distance)
    corners = np.where(bent[:, None], near.barycentric, corners)
    sideways = (near.point - points[vertices]) / np.maximum(near.distance, 1e-12)[:, None]
    count = np.arange(len(vertices))
    own = sp.csr_matrix((np.ones(len(count)), (count, vertices)), shape=(len(count), len(points)))
    theirs = sp.csr_matrix((corners.ravel(), (np.repeat(count, 3), other.faces[face].ravel())), shape=own.shape)
    normals = np.where(bent[:, None], sideways, way)
    return Wanted(sp.csr_matrix(weight * (own - theirs)), normals, distance - 0.5 * SLACK)


def _straight(
    points: Array, vertices: NDArray[np.int64], other: Lip, way: Array
) -> tuple[NDArray[np.int64], Array, Array]:
    """Face (n,), barycentric corners (n, 3) and distance (n,) of the other lip along `way`; inf where it is not."""
    plane = np.linalg.svd(way[None])[2][1:]
    flat, height = points @ plane.T, points @ way
    a, b, c = (flat[other.faces[:, corner]] for corner in range(3))
    one, two = b - a, c - a
    area = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    area = np.where(np.abs(area) > 1e-12, area, np.nan)
    offset = flat[vertices][:, None] - a[None]
    u = (offset[..., 0] * two[:, 1] - offset[..., 1] * two[:, 0]) / area
    v = (one[:, 0] * offset[..., 1] - one[:, 1] * offset[..., 0]) / area
    corners = np.stack([1.0 - u - v, u, v], axis=2)
    distance = (corners * height[other.faces]).sum(axis=2) - height[vertices][:, None]
    with np.errstate(invalid="ignore"):
        distance = np.where((corners >= 0).all(axis=2) & (distance > 0), distance, np.inf)
    face, count = distance.argmin(axis=1), np.arange(len(vertices))
    return face, corners[count, face], distance[count, face]

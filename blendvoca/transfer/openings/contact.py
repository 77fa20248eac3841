"""Contact: lips that touch in the source touch in the target, and do not pass through each other.

Saito (2013, Smooth contact-aware facial blendshapes transfer) lets the space between lips and lids take part in the
transfer, so that what closes in the source closes in the target. Here landmarks and rims do that; what is left is that
lips, thicker on one head than on another, pass through each other: ARKit's own rolls by 8 mm. For the poses in which
lips touch (`passing.POSES`), let v be a vertex that has passed through the other lip, q the point of the other lip
straight above or below it, e the head's vertical and d their distance. Of all corrections the smoothest is taken,

    min  b² ‖Δc‖² + ‖∇c‖² + ‖c‖²/r² + h Σ c_o²   with   e · (c_v − c_q) ≥ d   for each v, at half and full weight,

with b the length over which it bends, r the length over which it fades, and o the landmarks of the outer lips, which
give way least. It is solved in its dual, with one multiplier a vertex (non-negative least squares), and again until
nothing passes. Corrections are shared out to the shapes of the pose, so that blendshapes stay linear; where no lips
meet, nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls

from blendvoca.geometry.closest import ClosestPoints
from blendvoca.linalg.cholesky import CholeskyFactor, factor
from blendvoca.transfer.frames import gradient_matrix
from blendvoca.transfer.openings.passing import POSES, WEIGHTS, Lip, Lips, depths

Array = NDArray[np.float64]

#: Depth that may stay, in normalised units (0.24 mm on an adult).
SLACK = 0.004
#: Vertices that are held apart at once, one a cell of this size: the deepest, the others follow them.
CELL, MOST = 0.02, 150
#: b and r in normalised units (2 and 6 mm on an adult), and h.
BENDS, FADES, HELD = 0.033, 0.1, 0.5
#: How often a pose is looked at; a correction turns the surfaces that the next one is measured on.
ROUNDS = 12

_Rows = tuple[sp.csr_matrix, Array, Array]


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
    solver = factor(_smoothness(lips))
    result, waiting = deltas.copy(), list(poses)
    for _ in range(ROUNDS):
        changed: set[str] = set()
        for pose in waiting:
            # Jaw and lips close together; what is wrong with that is the closing's fault.
            blamed = pose[1:] if pose[0] == "jawOpen" else pose
            correction = _correction(lips, result[[known[name] for name in pose]][:, lips.kept].sum(axis=0), solver, up)
            if correction is not None:
                for name in blamed:
                    result[known[name], lips.kept] += correction / len(blamed)
                changed.update(blamed)
        waiting = [pose for pose in poses if changed & set(pose)]
        if not waiting:
            break
    return result


def _smoothness(lips: Lips) -> sp.csc_matrix:
    """Matrix (n, n) of what is minimised."""
    surface = lips.surface
    gradient = gradient_matrix(surface.vertices, surface.faces)
    stiffness = gradient.T @ sp.diags(np.repeat(surface.face_areas, 3)) @ gradient
    mass = 1e-9 + surface.vertex_areas
    held = np.zeros(len(surface))
    held[lips.outer] = HELD
    bending = stiffness @ sp.diags(BENDS**2 / mass) @ stiffness
    return sp.csc_matrix(bending + stiffness + sp.diags(mass / FADES**2 + held))


def _correction(lips: Lips, move: Array, solver: CholeskyFactor, up: Array) -> Array | None:
    """The least correction (n, 3) of a pose `move` (n, 3) that keeps the lips apart; None where they are."""
    found = list(_constraints(lips, move, up))
    if not found:
        return None
    weights = sp.vstack([rows for rows, _, _ in found]).tocsr()
    normals, wanted = (np.concatenate([each[column] for each in found]) for column in (1, 2))
    response = solver.solve(weights.T.toarray())
    coupling = (weights @ response) * (normals @ normals.T)
    coupling[np.diag_indices(len(coupling))] *= 1.001
    lower = cholesky(coupling, lower=True)
    pressure = nnls(lower.T, solve_triangular(lower, wanted, lower=True), maxiter=30 * len(wanted))[0]
    return np.asarray(response @ (pressure[:, None] * normals))


def _constraints(lips: Lips, move: Array, up: Array) -> Iterator[_Rows]:
    """Rows (m, n) of c_v − c_q, directions (m, 3) and distances (m,) for each weight and lip."""
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
) -> _Rows:
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
    return sp.csr_matrix(weight * (own - theirs)), normals, distance - 0.5 * SLACK


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

"""The smoothest correction of a patch of skin that meets inequalities at single points, by its dual.

Of all corrections c of a patch the one is taken that minimises

    b² ‖Δc‖² + ‖∇c‖² + ‖c‖²/r² + Σ hᵥ cᵥ²   with   nᵢ · (W c)ᵢ ≥ sᵢ

with b the length over which it bends, r the length over which it fades, and hᵥ how much more vertex v gives way least.
With one multiplier a row, the dual is a problem of non-negative least squares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import cholesky, solve_triangular
from scipy.optimize import nnls

from blendvoca.geometry.surface import Surface
from blendvoca.linalg.cholesky import CholeskyFactor, factor
from blendvoca.transfer.frames import gradient_matrix

Array = NDArray[np.float64]

#: The shapes that are added up, as rows of the deltas.
Pose = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Wanted:
    """What a correction must meet: m inequalities on a patch of n vertices.

    :param rows: W (m, n), a combination of vertices each.
    :param normals: n (m, 3), unit vectors.
    :param lengths: s (m,), how far it must go along them.
    """

    rows: sp.csr_matrix
    normals: Array
    lengths: Array

    @classmethod
    def joined(cls, parts: list[Wanted]) -> Wanted:
        """Put several together; at least one.

        :param parts: inequalities on the same patch.
        """
        rows = sp.csr_matrix(sp.vstack([part.rows for part in parts]))
        normals, lengths = (np.concatenate([getattr(part, name) for part in parts]) for name in ("normals", "lengths"))
        return cls(rows, normals, lengths)


def smoothness(surface: Surface, bends: float, fades: float, held: Array) -> CholeskyFactor:
    """Factor the matrix (n, n) of what is minimised.

    :param surface: the patch at rest, n vertices.
    :param bends: b, in the patch's unit.
    :param fades: r, in the patch's unit.
    :param held: h (n,), beside 1 for gradients.
    """
    gradient = gradient_matrix(surface.vertices, surface.faces)
    stiffness = gradient.T @ sp.diags(np.repeat(surface.face_areas, 3)) @ gradient
    mass = 1e-9 + surface.vertex_areas
    bending = stiffness @ sp.diags(bends**2 / mass) @ stiffness
    return factor(sp.csc_matrix(bending + stiffness + sp.diags(mass / fades**2 + held)))


def least_correction(solver: CholeskyFactor, wanted: Wanted) -> Array:
    """Return the correction (n, 3) of a patch.

    :param solver: of :func:`smoothness`.
    :param wanted: what it must meet.
    """
    response = solver.solve(wanted.rows.T.toarray())
    coupling = (wanted.rows @ response) * (wanted.normals @ wanted.normals.T)
    coupling[np.diag_indices(len(coupling))] *= 1.001
    lower = cholesky(coupling, lower=True)
    goal = solve_triangular(lower, wanted.lengths, lower=True)
    pressure = nnls(lower.T, goal, maxiter=30 * len(goal))[0]
    return np.asarray(response @ (pressure[:, None] * wanted.normals))


def settled(
    deltas: Array,
    kept: NDArray[np.int64],
    poses: Mapping[Pose, Pose],
    correction: Callable[[Pose, Array], Array | None],
    rounds: int,
) -> Array:
    """Return deltas (K, V, 3) corrected until no pose asks for more; a correction is shared out to a pose's shapes.

    :param deltas: (K, V, 3).
    :param kept: (n,) vertices of the patch.
    :param poses: each pose, and which of its shapes are corrected.
    :param correction: takes a pose and its displacement (V, 3), and returns the patch's correction (n, 3), or None.
    :param rounds: how often a pose is looked at, at most: a correction turns the surfaces that the next is measured on.
    """
    result, waiting = deltas.copy(), list(poses)
    for _ in range(rounds):
        changed: set[int] = set()
        for pose in waiting:
            found = correction(pose, result[list(pose)].sum(axis=0))
            if found is not None:
                for row in poses[pose]:
                    result[row, kept] += found / len(poses[pose])
                changed.update(poses[pose])
        waiting = [pose for pose in poses if changed & set(pose)]
        if not waiting:
            break
    return result

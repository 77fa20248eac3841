"""Finish by active set: guess which limits act, solve for them exactly, and repair the guess a few times.

The guess comes from Tapia's indicators (El-Bakry, Tapia, Zhang, SIAM Rev. 36, 1994) on the predictor of the interior
point; repairs are primal-dual active-set steps (Hintermüller, Ito, Kunisch, SIAM J. Optim. 13, 2002). Held coefficients
are pinned by an infinite diagonal; rate limits that act are ties, enforced by the method of multipliers on one banded
factor, which starts at the interior point's multipliers and so stays well defined where ties are redundant.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import SolverError
from blendvoca.linalg.block_tridiagonal import difference_transpose
from blendvoca.qp.interior_point import Direction, InteriorPoint
from blendvoca.qp.problem import Array
from blendvoca.qp.warm_start import limited

Signs = NDArray[np.int8]

#: Diagonal that pins a coefficient: its coupling to others vanishes in rounding.
PIN = 1e30
#: Stiffness of a tie, relative to the mean Gram diagonal: a solve leaves a thousandth of the slip and rounds to 1e-11.
TIE = 1e5
#: Slip of a tie that needs no further solve, and the most solves.
EXACT, SOLVES = 1e-12, 4
#: A guess of which more than this share is repaired at first is given up.
HOPELESS = 0.01
#: Repairs go on while each round changes at most this share of what the last one changed, or this few.
FADING, FEW = 0.4, 3
#: A limit is broken by more than the first; a multiplier pulls by more than the second (mean Gram diagonal 1).
BROKEN, PULLS = 1e-10, 1e-10


@dataclass(frozen=True, eq=False)
class ActiveSet:
    """Which limits act: +1 upper, −1 lower, 0 none.

    :param bounds: (N, K).
    :param rates: (N−1, K).
    """

    bounds: Signs
    rates: Signs

    def differs(self, other: ActiveSet) -> int:
        """Return at how many places two sets differ."""
        return int(np.count_nonzero(self.bounds != other.bounds) + np.count_nonzero(self.rates != other.rates))

    @classmethod
    def predicted(cls, point: InteriorPoint, affine: Direction) -> ActiveSet:
        """Guess from the predictor: a limit acts if its multiplier survives the step better than its slack."""
        kept_lam = affine.lam / point.lam
        kept_s = np.stack([-affine.constrained, affine.constrained]) / point.s
        act = (kept_lam > kept_s).astype(np.int8)
        signs = act[0] - act[1]
        return cls(signs[: point.n], signs[point.n :])


def finish(
    point: InteriorPoint, guess: ActiveSet, rounds: int, wanted_gap: float
) -> tuple[tuple[Array, Array] | None, int]:
    """Solve for the guessed set, repair it, and return once the gap is proved.

    :param point: an interior iterate near the solution.
    :param rounds: factorisations allowed; fewer are used where the repairs do not fade away.
    :param wanted_gap: duality gap to reach, in the units of the form.
    :returns: u (N, K) and w (N−1, K), None if the set was not found; and the factorisations used.
    """
    u, w, used, changes = point.u, point.w, 0, 0
    while used < rounds:
        used += 1
        try:
            u, w = _solve_tied(point, guess, u, w)
        except SolverError:
            break
        repaired = _repair(point, guess, u, w)
        before, changes = changes, repaired.differs(guess)
        if changes == 0:
            break
        if changes > max(FADING * before if used > 1 else HOPELESS * u.size, FEW):
            break
        guess = repaired
    inside = np.clip(u, 0.0, 1.0)
    feasible = inside if changes == 0 else limited(inside, point.form.rate)
    proved = abs(point.form.gap(feasible, w)) <= wanted_gap
    return ((feasible, w) if proved else None), used


def _solve_tied(point: InteriorPoint, act: ActiveSet, u: Array, w: Array) -> tuple[Array, Array]:
    """Minimise over the free coefficients with the ties of ``act`` holding exactly."""
    pinned, tied = act.bounds != 0, (act.rates != 0).astype(np.float64)
    factor = point.matrix.factor(np.where(pinned, PIN, 0.0), TIE * tied)
    u = np.where(pinned, act.bounds > 0, u)
    w, goal = w * tied, act.rates * point.rate
    slip = tied * (u[1:] - u[:-1]) - goal
    for _ in range(SOLVES):
        residual = point.form.gradient(u) + difference_transpose(w + TIE * slip)
        residual[pinned] = 0.0
        u = u - factor.solve(residual)
        slip = tied * (u[1:] - u[:-1]) - goal
        w = w + TIE * slip
        if np.abs(slip).max(initial=0.0) <= EXACT:
            break
    return u, w


def _repair(point: InteriorPoint, act: ActiveSet, u: Array, w: Array) -> ActiveSet:
    """Release limits that pull, add limits that are broken."""
    r = point.form.gradient(u) + difference_transpose(w)
    step = u[1:] - u[:-1]
    bounds = np.where(
        act.bounds != 0,
        act.bounds * (act.bounds * r <= PULLS),
        (u > 1.0 + BROKEN).astype(np.int8) - (u < -BROKEN),
    )
    rates = np.where(
        act.rates != 0,
        act.rates * (act.rates * w >= -PULLS),
        (step > point.rate + BROKEN).astype(np.int8) - (step < -point.rate - BROKEN),
    )
    return ActiveSet(bounds.astype(np.int8), rates.astype(np.int8))

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
#: A limit is broken by more than the first; a multiplier pulls by more than the second (mean Gram diagonal 1).
BROKEN, PULLS = 1e-10, 1e-8


@dataclass(frozen=True, eq=False)
class ActiveSet:
    """Which limits act: +1 upper, −1 lower, 0 none."""

    bounds: Signs
    """(N, K)."""
    rates: Signs
    """(N−1, K)."""

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ActiveSet)
            and np.array_equal(self.bounds, other.bounds)
            and np.array_equal(self.rates, other.rates)
        )

    @classmethod
    def predicted(cls, point: InteriorPoint, affine: Direction) -> ActiveSet:
        """Guess from the predictor: a limit acts if its multiplier survives the step better than its slack."""
        kept_lam = affine.lam / point.lam
        kept_s = np.stack([-affine.constrained, affine.constrained]) / point.s
        act = (kept_lam > kept_s).astype(np.int8)
        signs = act[0] - act[1]
        return cls(signs[: point.n], signs[point.n :])


def finish(point: InteriorPoint, guess: ActiveSet, rounds: int, wanted_gap: float) -> tuple[Array, Array, int] | None:
    """Solve for the guessed set, repair it, and return once the gap is proved.

    :param point: an interior iterate near the solution.
    :param rounds: factorisations allowed.
    :param wanted_gap: duality gap to reach, in the units of the form.
    :returns: u (N, K), w (N−1, K) and the factorisations used; None if the set was not found.
    """
    u, w = point.u, point.w
    for used in range(1, rounds + 1):
        try:
            u, w = _solve_tied(point, guess, u, w)
        except SolverError:
            return None
        repaired = _repair(point, guess, u, w)
        settled = repaired == guess
        if settled or used == rounds:
            feasible = np.clip(u, 0.0, 1.0) if settled else limited(np.clip(u, 0.0, 1.0), point.form.rate)
            return (feasible, w, used) if abs(point.form.gap(feasible, w)) <= wanted_gap else None
        guess = repaired
    return None


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

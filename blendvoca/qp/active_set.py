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
from blendvoca.linalg.block_tridiagonal import RepeatedBlock, difference_transpose
from blendvoca.qp.interior_point import Direction, InteriorPoint
from blendvoca.qp.problem import Array

Signs = NDArray[np.int8]

#: Diagonal that pins a coefficient: its coupling to others vanishes in rounding.
PIN = 1e30
#: Stiffness of a tie, relative to the mean Gram diagonal.
TIE = 1e5
#: Ties and gradients that hold to this are exact.
EXACT = 1e-12


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


def finish(
    point: InteriorPoint, guess: ActiveSet, rounds: int, accept: float = 0.0
) -> tuple[Array, Array, int, bool]:
    """Solve for the guessed set and repair it.

    :param point: an interior iterate near the solution.
    :param rounds: factorisations allowed.
    :returns: u (N, K), w (N−1, K), factorisations used, and whether the set proved right.
    """
    u, w = point.u, point.w
    for used in range(1, rounds + 1):
        try:
            u, w = _solve_tied(point.matrix, point, guess, u, w)
        except SolverError:
            return point.u, point.w, used, False
        repaired = _repair(point, guess, u, w)
        if repaired == guess:
            return np.clip(u, 0.0, 1.0), w, used, True
        guess = repaired
    return u, w, rounds, False


def _solve_tied(matrix: RepeatedBlock, point: InteriorPoint, act: ActiveSet, u: Array, w: Array) -> tuple[Array, Array]:
    """Minimise over the free coefficients with the ties of ``act`` holding exactly."""
    pinned, tied = act.bounds != 0, act.rates != 0
    factor = matrix.factor(np.where(pinned, PIN, 0.0), np.where(tied, TIE, 0.0))
    u = np.where(pinned, act.bounds > 0, u)
    w = np.where(tied, w, 0.0)
    goal = act.rates * point.rate
    for _ in range(6):
        slip = np.where(tied, np.diff(u, axis=0) - goal, 0.0)
        residual = u @ matrix.block + point.form.linear + difference_transpose(w + TIE * slip)
        residual[pinned] = 0.0
        u = u - factor.solve(residual)
        slip = np.where(tied, np.diff(u, axis=0) - goal, 0.0)
        w = w + TIE * slip
        if max(np.abs(slip).max(initial=0.0), np.abs(residual).max(initial=0.0)) <= EXACT * 10:
            break
    return u, w


def _repair(point: InteriorPoint, act: ActiveSet, u: Array, w: Array) -> ActiveSet:
    """Release limits that pull, add limits that are broken."""
    r = u @ point.form.gram + point.form.linear + difference_transpose(w)
    tolerance = 1e-11
    held = np.where(act.bounds * r <= tolerance, act.bounds, 0)
    broken = (u > 1.0 + tolerance).astype(np.int8) - (u < -tolerance)
    bounds = np.where(act.bounds != 0, held, broken)
    step = np.diff(u, axis=0)
    kept = np.where(act.rates * w >= -tolerance, act.rates, 0)
    over = (step > point.rate + tolerance).astype(np.int8) - (step < -point.rate - tolerance)
    return ActiveSet(bounds.astype(np.int8), np.where(act.rates != 0, kept, over).astype(np.int8))

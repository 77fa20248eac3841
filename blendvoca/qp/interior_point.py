"""Primal-dual interior point for the unit form: predictor, corrector and centrality correctors on one banded factor.

Mehrotra's method (SIAM J. Optim. 2, 1992) with Gondzio's multiple centrality correctors (Comput. Optim. Appl. 6, 1996).
The start is strictly feasible and slacks are recomputed from u, so every iterate obeys bounds and rate limits exactly.

========== ================================= ==========================================================
here       meaning                           where
========== ================================= ==========================================================
u          coefficients                      (N, K)
C u        constrained values, u over Δu     (2N−1, K)
s          slacks: upper − C u, C u − lower  (2, 2N−1, K)
lam        multipliers of those, λ > 0       (2, 2N−1, K)
w          λ_upper − λ_lower on rate limits  (N−1, K)
target     wanted change of s∘λ              (2, 2N−1, K)
mu         mean of s∘λ                       scalar; the central path has s∘λ = μ
========== ================================= ==========================================================
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blendvoca.errors import SolverError
from blendvoca.linalg.block_tridiagonal import BandFactor, RepeatedBlock
from blendvoca.linalg.riccati import RiccatiFactor
from blendvoca.qp.problem import Array, UnitForm
from blendvoca.qp.warm_start import admm, interior_start

#: How far along the way to the boundary a step may go.
TO_BOUNDARY = 0.99
#: A centrality corrector pulls products s·λ into this band around the target μ.
CENTRAL_LOW, CENTRAL_HIGH = 0.1, 10.0
#: Slack under which rounding decides: slacks are recomputed from u, not accumulated.
SMALLEST = 1e-15
#: Largest weight of a constraint in the Newton matrix, relative to the most flexible direction of the basis (which its
#: rounding must not drown), and the least that this is ever.
STIFFEST, STIFF_ENOUGH = 1e13, 1e7
#: A step shorter than this from this near a limit owes it to softened limits: they are hardened by that factor.
SHORT, NEAR, HARDEN = 0.05, 1e-12, 10.0
#: Proximal terms to try, relative to the mean Gram diagonal.
DAMPING = (0.0, 1e-9, 1e-7, 1e-5)
#: A corrector aims at a step this much longer, and is kept if it gains at least `CORRECTOR_GAIN`.
CORRECTOR_STRETCH, CORRECTOR_REACH, CORRECTOR_GAIN = 1.3, 0.1, 0.01
#: A step this long needs no corrector.
LONG = 0.95


@dataclass(eq=False)
class Direction:
    """A step of the primal-dual system.

    :param constrained: C du; slacks change by −C du (upper) and +C du (lower).
    :param length: longest step, at most 1, that keeps slacks and multipliers non-negative.
    """

    u: Array
    constrained: Array
    lam: Array
    length: float


class InteriorPoint:
    """The state of the method; :meth:`predict` and :meth:`advance` make one iteration with one factorisation."""

    def __init__(
        self, form: UnitForm, correctors: int = 1, steps: int = 20, start_mu: float = 5e-4, retreat: float = 0.2
    ) -> None:
        self.form, self.correctors = form, correctors
        self.n, self.k = form.linear.shape
        self.matrix = RepeatedBlock(form.gram, self.n)
        self.stiffest = max(STIFFEST * form.flexibility, STIFF_ENOUGH)
        self.rate = np.broadcast_to(form.rate, (self.n - 1, self.k))
        u, bounds, rates = admm(form, steps)
        self.u = interior_start(u, form.rate, retreat)
        self._slacken()
        signed = np.concatenate([bounds, rates])
        self.lam = np.maximum(np.stack([signed, -signed]), start_mu / self.s)
        self.iterations = 0

    @property
    def w(self) -> Array:
        """Rate multipliers (N−1, K)."""
        return self.lam[0, self.n :] - self.lam[1, self.n :]

    def predict(self) -> Direction:
        """Factor at this iterate and return the affine direction, which aims at μ = 0."""
        self.iterations += 1
        self._inverse_s, self._inverse_lam = 1.0 / self.s, 1.0 / self.lam
        self._softened = np.minimum(self._inverse_s, self.stiffest * self._inverse_lam)
        self._ratio = self.lam * self._softened
        weights = self._ratio[0] + self._ratio[1]
        self._factor = self._damped_factor(weights[: self.n], weights[self.n :])
        self._residual = self.gradient + self._transpose(self.lam[0] - self.lam[1])
        return self._direction(-self.s * self.lam)

    def _damped_factor(self, diagonal: Array, coupling: Array) -> BandFactor | RiccatiFactor:
        """Factor; where rounding leaves a pivot negative, add a proximal term, which moves no fixed point."""
        for damping in DAMPING:
            try:
                return self._factored(diagonal + damping if damping else diagonal, coupling)
            except SolverError:
                continue
        raise SolverError("the interior point's matrix is not positive definite", found=f"with damping {DAMPING[-1]}")

    def _factored(self, diagonal: Array, coupling: Array) -> BandFactor | RiccatiFactor:
        return self.matrix.factor(diagonal, coupling)

    def advance(self, affine: Direction) -> float:
        """Correct the predictor, step, and return the length of the step."""
        mu = float(np.vdot(self.s, self.lam)) / self.s.size
        centred = (max(float(self._products(affine, affine.length).mean()), 0.0) / mu) ** 3 * mu
        target = centred - self.s * self.lam
        target[0] += affine.constrained * affine.lam[0]
        target[1] -= affine.constrained * affine.lam[1]
        best = self._direction(target)
        for _ in range(self.correctors):
            if best.length >= LONG:
                break
            moved = self._products(best, min(1.0, CORRECTOR_STRETCH * best.length + CORRECTOR_REACH))
            push = np.minimum(np.maximum(moved, CENTRAL_LOW * centred), CENTRAL_HIGH * centred)
            push -= moved
            np.maximum(push, -CENTRAL_HIGH * centred, out=push)
            trial = target + push
            direction = self._direction(trial)
            if direction.length < best.length + CORRECTOR_GAIN:
                break
            best, target = direction, trial
        length = min(1.0, TO_BOUNDARY * best.length)
        if length < SHORT and self.s.min() < NEAR:
            self.stiffest *= HARDEN
        self._move(best, length)
        return length

    def _move(self, direction: Direction, length: float) -> None:
        self.u = self.u + length * direction.u
        self.lam = self.lam + length * direction.lam
        self._slacken()

    def _products(self, d: Direction, length: float) -> Array:
        """Return (s + a ds)(λ + a dλ)."""
        step = length * d.constrained
        out = length * d.lam
        out += self.lam
        out[0] *= self.s[0] - step
        out[1] *= self.s[1] + step
        return out

    def _direction(self, target: Array) -> Direction:
        """Solve the Newton system in which s∘λ changes by ``target`` to first order."""
        t = target * self._softened
        du, cd = self._solve(self._transpose(t[1] - t[0]) - self._residual)
        t[0] += self._ratio[0] * cd
        t[1] -= self._ratio[1] * cd
        shrink = max(
            float((cd * self._inverse_s[0]).max()),
            -float((cd * self._inverse_s[1]).min()),
            -float((t * self._inverse_lam).min()),
        )
        return Direction(du, cd, t, 1.0 if shrink <= 1.0 else 1.0 / shrink)

    def _solve(self, right: Array) -> tuple[Array, Array]:
        """Return the du (N, K) of a right-hand side, and C du (2N−1, K)."""
        du = self._factor.solve(right)
        return du, self._constrain(du)

    def _constrain(self, u: Array) -> Array:
        out = np.empty((2 * self.n - 1, self.k))
        out[: self.n] = u
        np.subtract(u[1:], u[:-1], out=out[self.n :])
        return out

    def _transpose(self, y: Array) -> Array:
        out = y[: self.n].copy()
        out[1:] += y[self.n :]
        out[:-1] -= y[self.n :]
        return out

    def _slacken(self) -> None:
        n = self.n
        self.s = np.empty((2, 2 * n - 1, self.k))
        np.subtract(1.0, self.u, out=self.s[0, :n])
        self.s[1, :n] = self.u
        step = self.u[1:] - self.u[:-1]
        np.subtract(self.rate, step, out=self.s[0, n:])
        np.add(self.rate, step, out=self.s[1, n:])
        np.maximum(self.s, SMALLEST, out=self.s)
        self.gradient = self.form.gradient(self.u)

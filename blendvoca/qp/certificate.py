"""The proof on an answer: feasibility, stationarity and a true duality gap, computed from the point itself.

Any rate multipliers w (N−1, K) make a dual-feasible point: with the reduced gradient r = H u + q + Δᵀ w the bound
multipliers max(r, 0) (lower) and max(−r, 0) (upper) close stationarity exactly, because the bounds are finite. So ::

    gap = Σ max(r, 0)(u − lower) + max(−r, 0)(upper − u) + max(w, 0)(δ − Δu) + max(−w, 0)(δ + Δu)

is the objective at u minus a lower bound on every feasible objective, whoever computed u and w.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import SolverError
from blendvoca.linalg.block_tridiagonal import difference_transpose
from blendvoca.qp.problem import NEGLIGIBLE, Array, RateLimitedQP

#: Distance, relative to the range, within which a bound or rate limit counts as active.
ACTIVE = 1e-7


@dataclass(frozen=True, eq=False)
class QPResult:
    """An answer and how good it is.

    :param status: ``"optimal"`` if feasibility and gap meet the tolerances, else ``"inaccurate"``.
    :param solver: who found it.
    :param iterations: factorisations for the structured solver; the backend's own count otherwise.
    :param coefficients: (N, K) u.
    :param rate_multipliers: (N−1, K) w: positive where a rise is held back, negative where a fall is, in units of the
        objective.
    :param bound_multipliers: (N, K) −r: negative at an active lower bound, positive at an active upper one.
    :param objective: Σ ½uᵀHu + qᵀu.
    :param primal_residual: largest violation of a bound or rate limit, in coefficients.
    :param dual_residual: largest violation of stationarity, relative to the gradient's scale.
    :param duality_gap: objective minus the dual bound, in units of the objective.
    :param relative_gap: the gap relative to the objective (or to `problem.NEGLIGIBLE` of the energy, whichever is
        larger).
    :param at_lower: (N, K) at the lower bound.
    :param at_upper: (N, K) at the upper bound.
    :param at_rate_limit: (N−1, K) 1 where a coefficient rises at the limit, −1 where it falls at it.
    :param regularisation: ridge relative to the mean Gram diagonal that picked the minimum-norm answer of a singular
        basis; else 0.
    """

    status: str
    solver: str
    iterations: int
    coefficients: Array
    rate_multipliers: Array
    bound_multipliers: Array
    objective: float
    primal_residual: float
    dual_residual: float
    duality_gap: float
    relative_gap: float
    at_lower: NDArray[np.bool_]
    at_upper: NDArray[np.bool_]
    at_rate_limit: NDArray[np.int8]
    regularisation: float = 0.0

    @property
    def is_optimal(self) -> bool:
        """Whether the certificate holds."""
        return self.status == "optimal"


def duality_gap(problem: RateLimitedQP, u: Array, w: Array, reduced: Array | None = None) -> float:
    """Return the gap between u (N, K) and the dual point of the rate multipliers w (N−1, K)."""
    r = reduced_gradient(problem, u, w) if reduced is None else reduced
    step, delta = np.diff(u, axis=0), np.asarray(problem.rate_limit)
    below, above = u - np.asarray(problem.lower), np.asarray(problem.upper) - u
    # A multiplier on an infinite limit is worthless as a bound unless it is zero.
    with np.errstate(invalid="ignore"):
        rates = np.where(w == 0, 0.0, np.abs(w) * delta - w * step)
    return float(np.sum(np.where(r > 0, r * below, -r * above)) + np.sum(rates))


def reduced_gradient(problem: RateLimitedQP, u: Array, w: Array) -> Array:
    """Return r = H u + q + Δᵀ w, (N, K)."""
    return problem.gradient(u) + difference_transpose(w)


def judge(
    problem: RateLimitedQP,
    u: Array,
    w: Array,
    *,
    solver: str,
    iterations: int,
    gap_tolerance: float = 1e-9,
    feasibility_tolerance: float = 1e-9,
    regularisation: float = 0.0,
) -> QPResult:
    """Weigh a point by the problem's own numbers.

    :param u: (N, K) coefficients.
    :param w: (N−1, K) rate multipliers, signed as in :class:`QPResult`.
    :raises SolverError: if the point has another shape or is not finite.
    """
    n, k = problem.shape
    if u.shape != (n, k) or w.shape != (n - 1, k) or not (np.isfinite(u).all() and np.isfinite(w).all()):
        raise SolverError(f"{solver} returned no point", expected=f"finite {(n, k)}", found=u.shape)
    lower, upper, delta = (np.asarray(a) for a in (problem.lower, problem.upper, problem.rate_limit))
    w = np.where(np.isinf(delta), 0.0, w)
    step, width = np.diff(u, axis=0), upper - lower
    r = reduced_gradient(problem, u, w)
    objective, gap = problem.objective(u), duality_gap(problem, u, w, r)
    primal = max((lower - u).max(), (u - upper).max(), (np.abs(step) - delta).max(initial=0.0), 0.0)
    # Size of the projected gradient step: |r| inside the bounds, 0 at a bound that pushes back.
    largest = float(np.diagonal(problem.gram).max())
    curvature = largest or 1.0
    stationarity = np.abs(u - np.clip(u - r / curvature, lower, upper)).max() * curvature
    scale = max(float(np.abs(problem.linear).max()), largest * float(width.max())) or 1.0
    relative = abs(gap) / (max(abs(objective), NEGLIGIBLE * problem.energy) or 1.0)
    near = ACTIVE * width
    rate = np.where(np.abs(step) >= delta - near, np.sign(step), 0.0)
    good = primal <= feasibility_tolerance and relative <= gap_tolerance
    return QPResult(
        status="optimal" if good else "inaccurate",
        solver=solver,
        iterations=iterations,
        coefficients=u,
        rate_multipliers=w,
        bound_multipliers=-r,
        objective=objective,
        primal_residual=float(primal),
        dual_residual=float(stationarity / scale),
        duality_gap=gap,
        relative_gap=relative,
        at_lower=u <= lower + near,
        at_upper=u >= upper - near,
        at_rate_limit=rate.astype(np.int8),
        regularisation=regularisation,
    )

"""The same problem through general solvers, for cross-checks and for the benchmark.

The point each returns is weighed by our own :func:`blendvoca.qp.certificate.judge`; nothing a solver says about itself
is believed. ``cvxopt`` is always installed; the others come with the extra ``solvers``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import scipy.sparse as sp

from blendvoca.errors import ConfigurationError, MissingDependencyError
from blendvoca.qp.certificate import QPResult, judge
from blendvoca.qp.problem import Array, RateLimitedQP
from blendvoca.qp.solve import solve


@dataclass(frozen=True)
class Answer:
    """What a backend returned: u and w flat, and its own iteration count."""

    u: Array
    w: Array
    iterations: int


@dataclass(frozen=True, eq=False)
class SparseForm:
    """The problem as general solvers take it: ½xᵀPx + qᵀx, bounds on x, −δ ≤ Δx ≤ δ (supplement Eq. 12).

    :param quadratic: (NK, NK) P, both triangles.
    :param difference: ((N−1)K, NK) Δ, only the rows whose δ is finite.
    :param finite: ((N−1)K,) which rows of Δ are there.
    """

    quadratic: sp.csc_matrix
    linear: Array
    difference: sp.csc_matrix
    rate: Array
    lower: Array
    upper: Array
    finite: Array

    @classmethod
    def of(cls, problem: RateLimitedQP) -> SparseForm:
        """Build the sparse matrices of a problem."""
        n, k = problem.shape
        quadratic = sp.kron(sp.identity(n), problem.gram, format="csc")
        step = sp.diags([-np.ones(n - 1), np.ones(n - 1)], [0, 1], shape=(n - 1, n))
        rate = np.tile(np.asarray(problem.rate_limit), n - 1)
        finite = np.isfinite(rate)
        difference = sp.csc_matrix(sp.kron(step, sp.identity(k), format="csr")[finite])
        lower, upper = (np.tile(np.asarray(b), n) for b in (problem.lower, problem.upper))
        return cls(sp.csc_matrix(quadratic), problem.linear.ravel(), difference, rate[finite], lower, upper, finite)


def solve_with(name: str, problem: RateLimitedQP, accuracy: float = 1e-9) -> QPResult:
    """Solve ``problem`` with one of :data:`BACKENDS`.

    :param accuracy: the tolerance handed to the backend, absolute and relative.
    :raises ConfigurationError: for an unknown name.
    :raises MissingDependencyError: if the backend's package is not installed.
    :raises SolverError: if it returned no finite point.
    """
    if name == "structured":
        return solve(problem)
    if name not in BACKENDS:
        raise ConfigurationError("unknown QP backend", expected=tuple(BACKENDS), found=name)
    form = SparseForm.of(problem)
    answer = BACKENDS[name](form, accuracy)
    n, k = problem.shape
    w = np.zeros((n - 1) * k)
    w[form.finite] = answer.w
    return judge(problem, answer.u.reshape(n, k), w.reshape(n - 1, k), solver=name, iterations=answer.iterations)


def _import(name: str) -> ModuleType:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingDependencyError(name, "solvers", f"the QP backend {name}") from error


def _piqp(kkt: str) -> Callable[[SparseForm, float], Answer]:
    def run(form: SparseForm, accuracy: float) -> Answer:
        piqp = _import("piqp")
        solver = piqp.SparseSolver()
        settings = solver.settings
        settings.kkt_solver = getattr(piqp.KKTSolver, kkt)
        settings.verbose = False
        settings.eps_abs = settings.eps_rel = accuracy
        settings.check_duality_gap = True
        settings.eps_duality_gap_abs = settings.eps_duality_gap_rel = accuracy
        rows = form.difference if form.rate.size else None
        limits = (-form.rate, form.rate) if form.rate.size else (None, None)
        solver.setup(form.quadratic, form.linear, None, None, rows, *limits, form.lower, form.upper)
        solver.solve()
        result = solver.result
        w = result.z_u - result.z_l if form.rate.size else np.zeros(0)
        return Answer(np.array(result.x), np.array(w), int(result.info.iter))

    return run


def _stacked(form: SparseForm) -> tuple[sp.csc_matrix, Array]:
    """Return G, h of Gx ≤ h: upper and lower bounds, rises, falls."""
    eye = sp.identity(form.linear.size, format="csc")
    rows = sp.vstack([eye, -eye, form.difference, -form.difference], format="csc")
    return rows, np.concatenate([form.upper, -form.lower, form.rate, form.rate])


def _rate_part(form: SparseForm, z: Array) -> Array:
    start, rows = 2 * form.linear.size, form.rate.size
    return z[start : start + rows] - z[start + rows : start + 2 * rows]


def _clarabel(form: SparseForm, accuracy: float) -> Answer:
    clarabel = _import("clarabel")
    rows, limits = _stacked(form)
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = accuracy
    cones = [clarabel.NonnegativeConeT(len(limits))]
    solution = clarabel.DefaultSolver(
        sp.csc_matrix(sp.triu(form.quadratic)), form.linear, rows, limits, cones, settings
    ).solve()
    return Answer(np.array(solution.x), _rate_part(form, np.array(solution.z)), int(solution.iterations))


def _osqp(form: SparseForm, accuracy: float) -> Answer:
    osqp = _import("osqp")
    rows = sp.vstack([sp.identity(form.linear.size, format="csc"), form.difference], format="csc")
    lower, upper = np.concatenate([form.lower, -form.rate]), np.concatenate([form.upper, form.rate])
    solver = osqp.OSQP()
    solver.setup(
        sp.csc_matrix(sp.triu(form.quadratic)),
        form.linear,
        rows,
        lower,
        upper,
        verbose=False,
        eps_abs=accuracy,
        eps_rel=accuracy,
        max_iter=50_000,
        polishing=True,
    )
    result = solver.solve(raise_error=False)
    return Answer(np.array(result.x), np.array(result.y)[form.linear.size :], int(result.info.iter))


def _cvxopt(dense: bool) -> Callable[[SparseForm, float], Answer]:
    def run(form: SparseForm, accuracy: float) -> Answer:
        import cvxopt
        from cvxopt import solvers

        stacked, limits = _stacked(form)
        rows = stacked.tocoo()
        if dense:  # as the authors hand it over: P dense, G sparse
            quadratic = cvxopt.matrix(form.quadratic.toarray())
        else:
            coo = form.quadratic.tocoo()
            quadratic = cvxopt.spmatrix(coo.data, coo.row, coo.col, coo.shape)
        g = cvxopt.spmatrix(rows.data, rows.row, rows.col, rows.shape)
        options = {"show_progress": False, "abstol": accuracy * 1e-3, "reltol": accuracy, "feastol": accuracy}
        solution = solvers.qp(
            quadratic, cvxopt.matrix(form.linear), g, cvxopt.matrix(limits), options=options | {"maxiters": 200}
        )
        z = np.array(solution["z"]).ravel()
        return Answer(np.array(solution["x"]).ravel(), _rate_part(form, z), int(solution["iterations"]))

    return run


#: Backends by name; each takes the sparse form and an accuracy.
BACKENDS: dict[str, Callable[[SparseForm, float], Answer]] = {
    "piqp": _piqp("sparse_ldlt"),
    "piqp-multistage": _piqp("sparse_multistage"),
    "clarabel": _clarabel,
    "osqp": _osqp,
    "cvxopt": _cvxopt(dense=False),
    "cvxopt-dense": _cvxopt(dense=True),
}

"""Sparse Cholesky: factor once, solve for many right-hand sides, and say who did it.

Backends, the first that is installed wins:

============== =============================================== ====================================
name           package                                         how it rejects indefinite matrices
============== =============================================== ====================================
scikit-sparse  scikit-sparse 0.4 or 0.5 (extra ``cholmod``)    CHOLMOD's own LLᵀ
cvxopt         cvxopt.cholmod (always installed)               CHOLMOD's supernodal LLᵀ
scipy          SuperLU in symmetric mode                       signs of the pivots (Sylvester)
============== =============================================== ====================================

cvxopt stays in the core though SciPy could do: SuperLU takes twice CHOLMOD's time for the factors (a tenth of a rig),
and another backend rounds otherwise, which tips the registration of the sample's head by up to 31 µm. With one that is
always there, a build gives the same bytes wherever it runs, unless the user has installed scikit-sparse.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import ConfigurationError, SolverError

BACKENDS = ("scikit-sparse", "cvxopt", "scipy")

Solve = Callable[[NDArray[np.float64]], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class CholeskyFactor:
    """A factored symmetric positive definite matrix (n, n).

    :param backend: who factored it: ``scikit-sparse 0.4.16``, ``cvxopt 1.3.3`` or ``scipy 1.17.1``.
    """

    backend: str
    shape: tuple[int, int]
    _solve: Solve

    def solve(self, right: ArrayLike) -> NDArray[np.float64]:
        """Return x of ``A x = right`` for one right-hand side (n,) or many (n, k).

        :raises SolverError: for another length, or values that are not finite.
        """
        b = np.asarray(right, dtype=np.float64)
        if b.ndim not in (1, 2) or b.shape[0] != self.shape[0]:
            raise SolverError("the right-hand side does not fit the matrix", expected=self.shape[0], found=b.shape)
        if not np.isfinite(b).all():
            raise SolverError("the right-hand side is not finite")
        if b.size == 0:
            return np.zeros(b.shape)
        flat = b.reshape(len(b), -1)
        return np.ascontiguousarray(self._solve(flat)).reshape(b.shape)


def factor(matrix: sp.spmatrix, backend: str | None = None) -> CholeskyFactor:
    """Factor a sparse symmetric positive definite matrix.

    :param matrix: (n, n); symmetric (checked), float64.
    :param backend: one of `BACKENDS`; None takes the first that is installed.
    :raises SolverError: for a matrix that is not square, finite, symmetric and numerically positive definite.
    :raises ConfigurationError: for an unknown backend, or one that is not installed.
    """
    if backend is not None and backend not in BACKENDS:
        raise ConfigurationError("unknown Cholesky backend", expected=BACKENDS, found=backend)
    a = _checked(matrix)
    # Unit diagonal: positive definiteness does not change, and rounding is judged on one scale.
    scale = 1.0 / np.sqrt(a.diagonal())
    scaled = sp.csc_matrix(sp.diags(scale) @ a @ sp.diags(scale))
    for name in BACKENDS if backend is None else (backend,):
        try:
            label, solve = _FACTORIES[name](scaled)
        except ImportError as error:
            if backend is not None:
                raise ConfigurationError(f"the Cholesky backend {name} is not installed", found=str(error)) from error
            continue
        _check_conditioning(solve, a.shape[0])
        return CholeskyFactor(label, a.shape, _rescaled(solve, scale))
    raise SolverError("no Cholesky backend is installed", expected=BACKENDS)  # pragma: no cover - scipy is required


def _rescaled(solve: Solve, scale: NDArray[np.float64]) -> Solve:
    return lambda right: scale[:, None] * solve(scale[:, None] * right)


def available_backends() -> tuple[str, ...]:
    """Return the backends that work here, in the order in which they are tried."""
    found = []
    for name in BACKENDS:
        try:
            factor(sp.identity(2, format="csc"), name)
        except ConfigurationError:
            continue
        found.append(name)
    return tuple(found)


def _checked(matrix: sp.spmatrix) -> sp.csc_matrix:
    a = sp.csc_matrix(matrix, dtype=np.float64)
    if a.shape[0] != a.shape[1] or a.shape[0] == 0:
        raise SolverError("Cholesky needs a square matrix", found=a.shape)
    a.sum_duplicates()
    if not np.isfinite(a.data).all():
        raise SolverError("Cholesky needs finite numbers", found="NaN or infinity in the matrix")
    scale = float(np.abs(a.data).max(initial=0.0))
    gap = abs(a - a.T)
    if gap.nnz and gap.max() > 1e-10 * scale:
        raise SolverError("Cholesky needs a symmetric matrix", found=f"a difference of {gap.max():.3g} across")
    if (a.diagonal() <= 0).any():
        raise _indefinite(int(np.flatnonzero(a.diagonal() <= 0)[0]))
    return a


def _indefinite(where: int | None = None) -> SolverError:
    at = "" if where is None else f" (pivot {where})"
    return SolverError(
        f"the matrix is not positive definite{at}",
        remedy="Something leaves a free direction or is weighted negatively: check constraints and weights.",
    )


def _check_conditioning(solve: Solve, n: int) -> None:
    """Refuse a matrix of unit diagonal whose smallest eigenvalue is rounding (two steps of inverse iteration).

    A singular matrix factors without complaint when rounding leaves its last pivot at +1e-17.
    """
    x = np.asfortranarray(np.random.default_rng(0).standard_normal((n, 1)))
    growth = 0.0
    for _ in range(2):
        x = solve(np.asfortranarray(x / np.linalg.norm(x)))
        growth = float(np.linalg.norm(x))
    if not growth * 8 * np.finfo(float).eps * n**0.5 < 1:
        raise SolverError(
            "the matrix is singular to rounding",
            found=f"smallest eigenvalue about {1 / growth:.1e} of the diagonal",
            remedy="Something leaves a free direction: hold at least one vertex of every component.",
        )


def _scikit_sparse(a: sp.csc_matrix) -> tuple[str, Solve]:
    from importlib.metadata import version

    from sksparse import cholmod

    try:
        if hasattr(cholmod, "cho_factor"):  # 0.5 and later
            solve: Solve = cholmod.cho_factor(sp.csc_array(a)).solve
        else:  # up to 0.4
            solve = cholmod.cholesky(a, mode="supernodal").solve_A
    except cholmod.CholmodNotPositiveDefiniteError as error:
        raise _indefinite() from error
    return f"scikit-sparse {version('scikit-sparse')}", solve


def _cvxopt(a: sp.csc_matrix) -> tuple[str, Solve]:
    import cvxopt
    from cvxopt import cholmod

    coo = sp.tril(a).tocoo()
    lower = cvxopt.spmatrix(coo.data, coo.row, coo.col, a.shape)
    mode = cholmod.options.get("supernodal")
    cholmod.options["supernodal"] = 2  # LLᵀ: the simplicial LDLᵀ accepts negative pivots
    try:
        symbolic = cholmod.symbolic(lower)
        cholmod.numeric(lower, symbolic)
    except ArithmeticError as error:
        raise _indefinite() from error
    finally:
        if mode is None:
            del cholmod.options["supernodal"]
        else:
            cholmod.options["supernodal"] = mode

    def solve(right: NDArray[np.float64]) -> NDArray[np.float64]:
        x = cvxopt.matrix(right)
        cholmod.solve(symbolic, x)
        return np.array(x)

    return f"cvxopt {cvxopt.__version__}", solve


def _scipy(a: sp.csc_matrix) -> tuple[str, Solve]:
    import scipy
    from scipy.sparse.linalg import splu

    try:
        factored = splu(a, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    except RuntimeError as error:  # exactly singular
        raise _indefinite() from error
    # A row that was swapped means a pivot of zero; a negative pivot means a negative eigenvalue (Sylvester).
    if not np.array_equal(factored.perm_r, factored.perm_c) or not (factored.U.diagonal() > 0).all():
        raise _indefinite()
    return f"scipy {scipy.__version__}", factored.solve


_FACTORIES: dict[str, Callable[[sp.csc_matrix], tuple[str, Solve]]] = {
    "scikit-sparse": _scikit_sparse,
    "cvxopt": _cvxopt,
    "scipy": _scipy,
}

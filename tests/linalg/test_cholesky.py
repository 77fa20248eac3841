"""Sparse Cholesky: the answer, the backends, and what is refused."""

from __future__ import annotations

import sys
import types

import numpy as np
import pytest
import scipy.sparse as sp

from blendvoca.errors import ConfigurationError, SolverError
from blendvoca.linalg.cholesky import BACKENDS, available_backends, factor

EACH = pytest.mark.parametrize("backend", available_backends())


def grid(n: int, shift: float = 1e-3) -> sp.csc_matrix:
    """A bi-Laplacian on an n × n grid, plus a little."""
    line = sp.diags([-np.ones(n - 1), 2.0 * np.ones(n), -np.ones(n - 1)], [-1, 0, 1])
    laplacian = sp.kron(line, sp.identity(n)) + sp.kron(sp.identity(n), line)
    return sp.csc_matrix(laplacian @ laplacian + shift * sp.identity(n * n))


@EACH
@pytest.mark.parametrize("columns", [None, 1, 7])
def test_solves_as_a_dense_solver_does(backend: str, columns: int | None) -> None:
    matrix = grid(6)
    right = np.random.default_rng(0).normal(size=(36,) if columns is None else (36, columns))
    found = factor(matrix, backend).solve(right)
    assert found.shape == right.shape
    np.testing.assert_allclose(found, np.linalg.solve(matrix.toarray(), right), rtol=1e-9, atol=1e-9)


@EACH
def test_says_who_factored_it(backend: str) -> None:
    assert factor(grid(3), backend).backend.startswith(backend)


@EACH
def test_rejects_what_is_not_positive_definite(backend: str) -> None:
    with pytest.raises(SolverError, match="not positive definite"):
        factor(sp.csc_matrix([[1.0, 2.0], [2.0, 1.0]]), backend)
    with pytest.raises(SolverError, match="not positive definite"):
        factor(sp.csc_matrix([[0.0, 1.0], [1.0, 0.0]]), backend)
    noise = np.random.default_rng(3).normal(size=(40, 40))
    indefinite = noise + noise.T
    indefinite += np.diag(np.abs(indefinite).sum(axis=1) * 0.3)  # positive diagonal, mixed eigenvalues
    assert np.linalg.eigvalsh(indefinite).min() < 0
    with pytest.raises(SolverError):
        factor(sp.csc_matrix(indefinite), backend)


@EACH
def test_rejects_a_singular_laplacian(backend: str) -> None:
    difference = np.diff(np.eye(50), axis=0)
    with pytest.raises(SolverError):
        factor(sp.csc_matrix(difference.T @ difference), backend)


@EACH
def test_accepts_a_badly_scaled_matrix(backend: str) -> None:
    matrix = grid(6)
    scale = sp.diags(10.0 ** np.random.default_rng(1).uniform(-9, 6, 36))
    right = np.random.default_rng(2).normal(size=36)
    found = factor(scale @ matrix @ scale, backend).solve(scale @ right)
    np.testing.assert_allclose(scale @ found, np.linalg.solve(matrix.toarray(), right), rtol=1e-8)


@pytest.mark.parametrize(
    "matrix",
    [sp.csc_matrix((2, 3)), sp.csc_matrix((0, 0)), sp.csc_matrix([[1.0, np.nan], [np.nan, 1.0]]),
     sp.csc_matrix([[2.0, 1.0], [0.0, 2.0]])],
)  # fmt: skip
def test_rejects_what_is_no_symmetric_matrix(matrix: sp.csc_matrix) -> None:
    with pytest.raises(SolverError):
        factor(matrix)


def test_rejects_right_hand_sides_that_do_not_fit() -> None:
    found = factor(grid(3))
    with pytest.raises(SolverError, match="does not fit"):
        found.solve(np.zeros(8))
    with pytest.raises(SolverError, match="not finite"):
        found.solve(np.full(9, np.inf))


def test_unknown_and_missing_backends_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="unknown"):
        factor(grid(3), "eigen")
    monkeypatch.setitem(sys.modules, "sksparse", None)
    with pytest.raises(ConfigurationError, match="not installed"):
        factor(grid(3), "scikit-sparse")


def test_falls_back_to_scipy_without_either_cholmod(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sksparse", None)
    monkeypatch.setitem(sys.modules, "cvxopt", None)
    assert factor(grid(3)).backend.startswith("scipy")
    assert available_backends() == ("scipy",)


@pytest.mark.parametrize("interface", ["0.4", "0.5"])
def test_both_interfaces_of_scikit_sparse(interface: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in with the names of each release; scikit-sparse itself is rarely installed."""

    class NotPositiveDefinite(Exception):
        pass

    def checked(matrix: sp.csc_matrix) -> np.ndarray:
        dense = matrix.toarray()
        if np.linalg.eigvalsh(dense).min() <= 0:
            raise NotPositiveDefinite
        return dense

    def solver(matrix: sp.csc_matrix, name: str) -> types.SimpleNamespace:
        dense = checked(matrix)
        return types.SimpleNamespace(**{name: lambda right: np.linalg.solve(dense, right)})

    cholmod = types.ModuleType("sksparse.cholmod")
    cholmod.CholmodNotPositiveDefiniteError = NotPositiveDefinite  # type: ignore[attr-defined]
    if interface == "0.4":
        cholmod.cholesky = lambda matrix, mode="auto": solver(matrix, "solve_A")  # type: ignore[attr-defined]
    else:
        cholmod.cho_factor = lambda matrix: solver(matrix, "solve")  # type: ignore[attr-defined]
    package = types.ModuleType("sksparse")
    package.cholmod = cholmod  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sksparse", package)
    monkeypatch.setitem(sys.modules, "sksparse.cholmod", cholmod)
    monkeypatch.setattr("importlib.metadata.version", lambda name: interface)
    found = factor(grid(3))
    assert found.backend == f"scikit-sparse {interface}"
    np.testing.assert_allclose(grid(3) @ found.solve(np.ones(9)), np.ones(9), atol=1e-9)
    with pytest.raises(SolverError):
        factor(sp.csc_matrix([[1.0, 2.0], [2.0, 1.0]]))


def test_backends_agree() -> None:
    right = np.random.default_rng(0).normal(size=(100, 3))
    answers = [factor(grid(10), name).solve(right) for name in available_backends()]
    assert set(available_backends()) <= set(BACKENDS) and "scipy" in available_backends()
    for other in answers[1:]:
        np.testing.assert_allclose(other, answers[0], rtol=1e-9)

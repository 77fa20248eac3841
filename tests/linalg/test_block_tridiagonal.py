"""Banded factors of repeated blocks with diagonal coupling, against dense matrices."""

import numpy as np
import pytest

from blendvoca.errors import InputError, SolverError
from blendvoca.linalg.block_tridiagonal import RepeatedBlock, difference_transpose


def dense(block, diagonal, coupling):
    n, k = diagonal.shape
    difference = np.kron(np.diff(np.eye(n), axis=0), np.eye(k))
    return np.kron(np.eye(n), block) + np.diag(diagonal.ravel()) + difference.T @ np.diag(coupling.ravel()) @ difference


@pytest.mark.parametrize(("n", "k"), [(1, 1), (1, 5), (6, 1), (7, 4), (30, 3)])
def test_solves_and_multiplies_as_the_dense_matrix(n, k):
    rng = np.random.default_rng(n * 10 + k)
    half = rng.standard_normal((k, k))
    block, diagonal = half @ half.T + 0.1 * np.eye(k), rng.uniform(0, 2, (n, k))
    coupling, right = rng.uniform(0, 3, (n - 1, k)), rng.standard_normal((n, k))
    matrix, whole = RepeatedBlock(block, n), dense(block, diagonal, coupling)
    np.testing.assert_allclose(matrix.multiply(right, diagonal, coupling).ravel(), whole @ right.ravel(), atol=1e-12)
    expected = np.linalg.solve(whole, right.ravel())
    kept = right.copy()
    np.testing.assert_allclose(matrix.factor(diagonal, coupling).solve(right).ravel(), expected, atol=1e-10)
    np.testing.assert_array_equal(right, kept)


def test_factors_do_not_share_memory():
    matrix = RepeatedBlock(np.eye(2), 3)
    first = matrix.factor(np.ones((3, 2)), np.zeros((2, 2)))
    matrix.factor(np.full((3, 2), 9.0), np.ones((2, 2)))
    np.testing.assert_allclose(first.solve(np.ones((3, 2))), 0.5)


def test_difference_transpose_is_the_adjoint():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((6, 3)), rng.standard_normal((5, 3))
    assert np.vdot(np.diff(x, axis=0), y) == pytest.approx(np.vdot(x, difference_transpose(y)))


def test_an_indefinite_matrix_names_the_pivot():
    diagonal = np.zeros((4, 2))
    diagonal[2, 1] = -5
    with pytest.raises(SolverError, match="block 2, row 1"):
        RepeatedBlock(np.eye(2), 4).factor(diagonal, np.zeros((3, 2)))


@pytest.mark.parametrize("block", [np.zeros((2, 3)), np.zeros((0, 0)), [[1.0, 2.0], [0.0, 1.0]], [[np.nan]]])
def test_wrong_blocks(block):
    with pytest.raises(InputError):
        RepeatedBlock(block, 3)


def test_wrong_sizes():
    with pytest.raises(InputError):
        RepeatedBlock(np.eye(2), 0)
    with pytest.raises(SolverError):
        RepeatedBlock(np.eye(2), 3).factor(np.ones((3, 2)), np.zeros((2, 2))).solve(np.ones((4, 2)))

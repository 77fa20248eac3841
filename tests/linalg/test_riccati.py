"""The Riccati recursion against the band factor, and where the band drowns."""

import numpy as np
import pytest

from blendvoca.errors import SolverError
from blendvoca.linalg.block_tridiagonal import RepeatedBlock, difference_transpose
from blendvoca.linalg.riccati import RiccatiFactor


def system(n, k, seed=0):
    rng = np.random.default_rng(seed)
    half = rng.standard_normal((k, k))
    gram, diagonal = half @ half.T + 0.1 * np.eye(k), rng.uniform(0, 2, (n, k))
    return gram, diagonal, rng.uniform(0, 3, (n - 1, k)), rng.standard_normal((n, k))


@pytest.mark.parametrize(("n", "k"), [(1, 1), (1, 5), (6, 1), (7, 4), (30, 3)])
def test_solves_as_the_band_does(n, k):
    gram, diagonal, coupling, right = system(n, k)
    expected = RepeatedBlock(gram, n).factor(diagonal, coupling).solve(right)
    u, steps = RiccatiFactor(gram, diagonal, coupling).solve_with_steps(right)
    np.testing.assert_allclose(u, expected, atol=1e-10)
    np.testing.assert_allclose(steps, np.diff(expected, axis=0), atol=1e-10)


def test_frames_without_coupling_are_solved_one_by_one():
    gram, diagonal, _, right = system(5, 3)
    u = RiccatiFactor(gram, diagonal, np.zeros((4, 3))).solve(right)
    for i in range(5):
        np.testing.assert_allclose(u[i], np.linalg.solve(gram + np.diag(diagonal[i]), right[i]), atol=1e-12)


def test_infinitely_stiff_coupling_moves_all_frames_alike():
    gram, diagonal, _, right = system(5, 3)
    stiff = np.full((4, 3), 1e25)
    u, steps = RiccatiFactor(gram, diagonal, stiff).solve_with_steps(right)
    together = np.linalg.solve(5 * gram + np.diag(diagonal.sum(axis=0)), right.sum(axis=0))
    np.testing.assert_allclose(u, np.tile(together, (5, 1)), rtol=1e-9)
    # The steps are what the forces leave, to full relative accuracy: E Δu is what holds frame by frame.
    force = (u @ gram + diagonal * u) + difference_transpose(stiff * steps)
    np.testing.assert_allclose(force, right, atol=1e-8)


def test_what_is_not_positive_definite_is_refused():
    with pytest.raises(SolverError):
        RiccatiFactor(-np.eye(2), np.zeros((3, 2)), np.ones((2, 2)))

"""The start: feasible, near the answer, and its envelopes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qp.problems import random_problem

from blendvoca.linalg.block_tridiagonal import difference_transpose
from blendvoca.qp import solve
from blendvoca.qp.problem import UnitForm
from blendvoca.qp.warm_start import admm, interior_start, limited


def slowly(u, rate):
    """Mean of the largest Lipschitz function under u and the smallest above it, by their definition."""
    n = len(u)
    distance = np.abs(np.arange(n)[:, None] - np.arange(n))[:, :, None] * rate
    return ((u[None] + distance).min(axis=1) + (u[None] - distance).max(axis=1)) / 2


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(1, 4), st.sampled_from([0.01, 0.1, 2.0]))
def test_limited_motion_is_the_mean_of_its_envelopes(seed, n, k, rate):
    rng = np.random.default_rng(seed)
    u, rates = rng.random((n, k)), rate * rng.uniform(0.5, 1, k)
    out = limited(u, rates)
    np.testing.assert_allclose(out, slowly(u, rates), atol=1e-13)
    assert (np.abs(np.diff(out, axis=0)) <= rates + 1e-13).all()
    assert (out >= u.min(axis=0) - 1e-13).all()
    assert (out <= u.max(axis=0) + 1e-13).all()


def test_motion_within_the_limits_is_left_alone():
    u = 0.5 + np.cumsum(np.random.default_rng(0).uniform(-0.05, 0.05, (9, 3)), axis=0)
    np.testing.assert_allclose(limited(u, np.full(3, 0.05)), u, atol=1e-14)


@pytest.mark.parametrize("n", [1, 2, 50])
def test_the_start_is_strictly_inside(n):
    rng = np.random.default_rng(0)
    rate = np.array([0.01, 0.1, 2.0])
    u = interior_start(np.round(rng.random((n, 3))), rate, 0.2)
    assert u.min() > 0
    assert u.max() < 1
    assert (np.abs(np.diff(u, axis=0)) < 0.9 * rate).all()


@pytest.mark.parametrize("delta", [0.03, 0.1, np.inf])
def test_admm_approaches_the_answer(delta):
    problem = random_problem(3, n=80, k=6, delta=delta, condition=30)
    form, best = UnitForm.of(problem), solve(problem)

    def distance(steps):
        return np.abs(form.coefficients(admm(form, steps)[0]) - best.coefficients).mean()

    assert distance(20) < 0.03
    assert distance(400) < 1e-3
    u, bounds, rates = admm(form, 3000)
    np.testing.assert_allclose(form.coefficients(u), best.coefficients, atol=1e-3)
    # Multipliers of limits that act together are not unique; that they prove a small gap is what counts.
    assert form.gap(limited(u, form.rate), rates) <= 1e-3 * abs(form.objective(u))
    stationary = form.gradient(u) + bounds + difference_transpose(rates)
    assert np.abs(stationary).max() <= 1e-2 * np.abs(form.linear).max()

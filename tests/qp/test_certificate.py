"""The certificate: a true bound, computed from the point alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qp.problems import random_problem

from blendvoca.errors import SolverError
from blendvoca.qp import solve
from blendvoca.qp.certificate import duality_gap, judge


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_the_gap_bounds_the_distance_to_the_optimum(seed):
    problem = random_problem(seed, n=10, k=3)
    rng = np.random.default_rng(seed)
    u = 0.5 + np.cumsum(rng.uniform(-0.04, 0.04, (10, 3)), axis=0)
    w = rng.normal(0, 0.1, (9, 3))  # any multipliers at all
    best = solve(problem).objective
    assert duality_gap(problem, u, w) >= problem.objective(u) - best - 1e-9 * abs(best)


def test_a_wrong_point_is_found_out():
    problem = random_problem(0)
    good = solve(problem)
    moved = good.coefficients.copy()
    moved[3, 1] += 0.3
    result = judge(problem, moved, good.rate_multipliers, solver="test", iterations=1)
    assert result.status == "inaccurate"
    assert result.primal_residual > 0.05
    shrunk = judge(problem, 0.9 * good.coefficients, good.rate_multipliers, solver="test", iterations=1)
    assert shrunk.status == "inaccurate"
    assert shrunk.primal_residual == 0
    assert shrunk.relative_gap > 1e-3
    assert shrunk.dual_residual > 1e-3


def test_multipliers_on_infinite_limits_count_for_nothing():
    problem = random_problem(0, delta=np.inf)
    good = solve(problem)
    result = judge(problem, good.coefficients, np.ones_like(good.rate_multipliers), solver="test", iterations=1)
    assert result.relative_gap == pytest.approx(good.relative_gap, abs=1e-9)


def test_no_point_is_an_error():
    problem = random_problem(0)
    with pytest.raises(SolverError):
        judge(problem, np.full(problem.shape, np.nan), np.zeros((11, 4)), solver="test", iterations=1)
    with pytest.raises(SolverError):
        judge(problem, np.zeros((2, 2)), np.zeros((11, 4)), solver="test", iterations=1)

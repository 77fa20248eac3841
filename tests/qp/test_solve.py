"""The structured solver: against a dense reference, in its symmetries, and where problems degenerate."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from qp.problems import changed, random_problem
from reference.dense_qp import solve_dense

from blendvoca.errors import ConfigurationError
from blendvoca.qp import QPSettings, RateLimitedQP, solve

SIZES = st.tuples(st.integers(1, 40), st.integers(1, 9))
CONDITIONS = st.sampled_from([1.0, 1e2, 1e4, 1e7])
DELTAS = st.sampled_from([1e-3, 0.03, 0.1, 0.5, 2.0, np.inf])


def proved(result, gap=1e-9):
    assert result.status == "optimal"
    assert result.primal_residual <= 1e-9
    assert result.relative_gap <= gap
    assert result.dual_residual <= 1e-4
    return result


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("delta", [0.02, 0.1, np.inf])
def test_agrees_with_the_dense_reference(seed, delta):
    problem = random_problem(seed, n=7, k=3, delta=delta)
    result = proved(solve(problem))
    expected = solve_dense(problem.gram, problem.linear, delta)
    assert result.objective == pytest.approx(problem.objective(expected), rel=1e-9)
    np.testing.assert_allclose(result.coefficients, expected, atol=1e-6)


def test_bounds_and_limits_may_differ_by_coefficient():
    limits = {"delta": np.array([0.05, np.inf, 0.4]), "lower": np.array([-0.5, 0.0, 0.2])}
    problem = random_problem(3, n=8, k=3, upper=np.array([0.5, 2.0, 0.6]), **limits)
    result = proved(solve(problem))
    expected = solve_dense(problem.gram, problem.linear, problem.rate_limit, problem.lower, problem.upper)
    np.testing.assert_allclose(result.coefficients, expected, atol=1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**6), SIZES, DELTAS, CONDITIONS, st.sampled_from([1e-4, 1, 1e3]))
def test_every_answer_is_feasible_and_proved(seed, size, delta, condition, scale):
    n, k = size
    result = proved(solve(random_problem(seed, n, k, delta, condition, scale)))
    u = result.coefficients
    assert u.min() >= 0
    assert u.max() <= 1
    assert np.abs(np.diff(u, axis=0)).max(initial=0) <= delta + 1e-9


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), size=SIZES, delta=DELTAS)
def test_units_of_length_do_not_matter(seed, size, delta):
    problem = random_problem(seed, *size, delta)
    metres = solve(problem)
    millimetres = solve(changed(problem, gram=1e6 * problem.gram, linear=1e6 * problem.linear))
    np.testing.assert_allclose(millimetres.coefficients, metres.coefficients, atol=2e-5)
    assert millimetres.relative_gap <= 1e-9


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), size=SIZES, delta=DELTAS)
def test_time_reversal_reverses_the_answer(seed, size, delta):
    problem = random_problem(seed, *size, delta)
    backwards = solve(changed(problem, linear=problem.linear[::-1]))
    forwards = solve(problem)
    np.testing.assert_allclose(backwards.coefficients[::-1], forwards.coefficients, atol=2e-5)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), size=SIZES, delta=st.sampled_from([0.03, 0.1, 1.0]))
def test_a_feasible_motion_is_recovered(seed, size, delta):
    n, k = size
    problem = random_problem(seed, n, k, delta)
    rng = np.random.default_rng(seed)
    u = np.empty((n, k))
    u[0] = rng.random(k)
    for frame in range(1, n):  # steps at the limit and rests at the bounds included
        u[frame] = np.clip(u[frame - 1] + delta * np.clip(rng.normal(0, 1, k), -1, 1), 0, 1)
    result = proved(solve(changed(problem, linear=-u @ problem.gram)))
    np.testing.assert_allclose(result.coefficients, u, atol=2e-5)


def test_coefficients_permute_with_the_basis():
    problem = random_problem(4, n=30, k=6)
    order = np.array([3, 1, 5, 0, 2, 4])
    permuted = changed(problem, gram=problem.gram[np.ix_(order, order)], linear=problem.linear[:, order])
    np.testing.assert_allclose(solve(permuted).coefficients, solve(problem).coefficients[:, order], atol=1e-6)


def test_active_sets_name_what_holds():
    gram, delta = np.eye(2), 0.1
    linear = -np.array([[0.0, -1.0], [0.5, 0.5], [2.0, 0.5]])
    result = proved(solve(RateLimitedQP(gram, linear, delta)))
    np.testing.assert_array_equal(result.at_rate_limit[:, 0], [1, 1])
    assert (result.rate_multipliers[:, 0] > 0).all()
    held = solve(RateLimitedQP(gram, -np.array([[-1.0, 2.0]]), delta))
    np.testing.assert_array_equal(held.at_lower, [[True, False]])
    np.testing.assert_array_equal(held.at_upper, [[False, True]])
    np.testing.assert_allclose(held.bound_multipliers, [[-1.0, 1.0]], atol=1e-6)


def test_single_frame_and_single_coefficient():
    one = proved(solve(RateLimitedQP(np.array([[4.0]]), np.array([[-1.0]]))))
    np.testing.assert_allclose(one.coefficients, [[0.25]], atol=1e-8)
    assert one.rate_multipliers.shape == (0, 1)


def test_infinite_delta_leaves_frames_alone():
    problem = random_problem(5, n=9, k=4, delta=np.inf)
    whole = solve(problem).coefficients
    for frame in range(9):
        alone = solve(changed(problem, linear=problem.linear[frame : frame + 1])).coefficients
        np.testing.assert_allclose(whole[frame], alone[0], atol=1e-6)


@pytest.mark.parametrize("delta", [1e-5, 1e-6, 1e-8, 1e-10, 1e-13])
@pytest.mark.parametrize(("n", "k"), [(2, 4), (12, 8), (60, 3), (90, 12)])
def test_very_small_rate_limits_are_proved_too(n, k, delta):
    result = solve(random_problem(n + k, n=n, k=k, delta=delta, condition=1e8))
    assert result.is_optimal, result.relative_gap
    assert np.abs(np.diff(result.coefficients, axis=0)).max() <= delta * (1 + 1e-6) + 1e-13


def test_coefficients_at_a_bound_are_on_it():
    u = solve(random_problem(5, n=200, k=8)).coefficients
    assert (u == 0).any() and (u == 1).any()
    assert not ((u > 0) & (u < 1e-11)).any() and not ((u < 1) & (u > 1 - 1e-11)).any()


def test_equal_shapes_share_the_motion_and_the_result_says_so():
    rng = np.random.default_rng(0)
    basis = rng.standard_normal((30, 3))[:, [0, 1, 2, 1]]
    u = rng.uniform(0.3, 0.4, (20, 4))
    problem = RateLimitedQP(basis.T @ basis, -(u @ basis.T) @ basis)
    result = proved(solve(problem))
    assert result.regularisation > 0
    np.testing.assert_allclose(result.coefficients[:, 1], result.coefficients[:, 3], atol=1e-3)
    np.testing.assert_allclose(result.coefficients @ basis.T, u @ basis.T, atol=1e-6)
    assert solve(random_problem(0)).regularisation == 0


def test_a_shape_that_does_not_move_stays_at_rest():
    problem = random_problem(2, n=20, k=3)
    gram, linear = np.zeros((4, 4)), np.zeros((20, 4))
    gram[:3, :3], linear[:, :3] = problem.gram, problem.linear
    result = proved(solve(RateLimitedQP(gram, linear)))
    assert result.regularisation > 0
    np.testing.assert_allclose(result.coefficients[:, 3], 0, atol=1e-3)
    np.testing.assert_allclose(result.coefficients[:, :3], solve(problem).coefficients, atol=1e-5)


def test_nothing_moves_nothing():
    result = proved(solve(RateLimitedQP(np.zeros((3, 3)), np.zeros((5, 3)))))
    np.testing.assert_allclose(result.coefficients, 0, atol=1e-3)


def test_a_face_at_rest_is_at_rest():
    problem = random_problem(1, n=15, k=5)
    result = proved(solve(changed(problem, linear=np.zeros((15, 5)))))
    np.testing.assert_allclose(result.coefficients, 0, atol=1e-6)


def test_a_face_at_rest_is_at_rest_on_a_singular_basis():
    rng = np.random.default_rng(0)
    basis = rng.standard_normal((30, 4)) @ rng.standard_normal((4, 8))
    result = proved(solve(RateLimitedQP(basis.T @ basis, np.zeros((17, 8)))))
    np.testing.assert_array_equal(result.coefficients, 0)
    assert result.regularisation > 0


def test_shapes_that_differ_by_many_powers_of_ten():
    # From its usual start the path ends at a gap of 76 % here.
    rng = np.random.default_rng(176)
    basis = rng.standard_normal((33, 51)) * 10.0 ** rng.uniform(-8, 0, 51)
    u = rng.uniform(-0.5, 1.5, (300, 51))
    frames = u @ basis.T + np.abs(basis).max() * rng.standard_normal((300, 33))
    proved(solve(RateLimitedQP(basis.T @ basis, -frames @ basis, 1e-4)))


def test_fixed_coefficients_stay():
    problem = random_problem(1, n=15, k=3, lower=[0.2, 0.0, 0.7], upper=[0.2, 1.0, 0.7])
    result = proved(solve(problem))
    np.testing.assert_array_equal(result.coefficients[:, [0, 2]], np.tile([0.2, 0.7], (15, 1)))
    all_fixed = proved(solve(changed(problem, lower=0.5, upper=0.5)))
    np.testing.assert_array_equal(all_fixed.coefficients, 0.5)


def test_redundant_limits_are_no_trouble():
    # From 0 to 1 in exactly ten steps of 0.1: both bounds and all rate limits act at once.
    target = np.linspace(0, 1, 11)[:, None] * np.ones(3)
    push = np.where(np.arange(11)[:, None] < 5, -2.0, 3.0)
    problem = random_problem(0, n=11, k=3)
    result = proved(solve(changed(problem, linear=-(target + push) @ problem.gram)))
    assert np.abs(np.diff(result.coefficients, axis=0)).max() <= 0.1 + 1e-9


@pytest.mark.parametrize("finish_gap", [0.0, 1e-5, 1e-2])
def test_the_finish_changes_accuracy_not_the_answer(finish_gap):
    problem = random_problem(7, n=60, k=8, noise=1.0)
    result = proved(solve(problem, QPSettings(finish_gap=finish_gap)))
    np.testing.assert_allclose(result.coefficients, solve(problem).coefficients, atol=1e-3)


def test_too_few_iterations_are_confessed():
    result = solve(random_problem(7, n=60, k=8), QPSettings(max_iterations=2))
    assert result.status == "inaccurate"
    assert result.relative_gap > 1e-9
    assert result.primal_residual <= 1e-9


@pytest.mark.parametrize("name", ["gap_tolerance", "max_iterations", "finish_rounds"])
def test_settings_out_of_range(name):
    with pytest.raises(ConfigurationError):
        QPSettings(**{name: 0})

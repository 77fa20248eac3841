"""The problem as a type: what it refuses, and the unit form."""

import numpy as np
import pytest
from qp.problems import changed, random_problem

from blendvoca.errors import InputError
from blendvoca.qp import RateLimitedQP
from blendvoca.qp.problem import UnitForm

GRAM, LINEAR = np.eye(2), np.zeros((3, 2))


@pytest.mark.parametrize(
    "arguments",
    [
        {"linear": np.zeros((0, 2))},
        {"linear": np.zeros((3, 0)), "gram": np.zeros((0, 0))},
        {"linear": np.zeros(2)},
        {"linear": np.zeros((3, 5))},
        {"linear": np.full((3, 2), np.nan)},
        {"gram": np.full((2, 2), np.inf)},
        {"gram": np.array([[1.0, 0.5], [0.0, 1.0]])},
        {"gram": -np.eye(2)},
        {"rate_limit": 0.0},
        {"rate_limit": -0.1},
        {"rate_limit": np.nan},
        {"rate_limit": [0.1, 0.0]},
        {"rate_limit": [0.1, 0.1, 0.1]},
        {"lower": 1.0, "upper": 0.0},
        {"lower": -np.inf},
        {"upper": np.nan},
    ],
)
def test_wrong_input_is_a_typed_error(arguments):
    with pytest.raises(InputError):
        RateLimitedQP(**{"gram": GRAM, "linear": LINEAR, **arguments})


def test_parts_are_rows_and_read_only():
    problem = RateLimitedQP(GRAM, LINEAR, np.inf, 0.0, [1.0, 2.0])
    assert problem.shape == (3, 2)
    np.testing.assert_array_equal(problem.rate_limit, [np.inf, np.inf])
    np.testing.assert_array_equal(problem.upper, [1, 2])
    with pytest.raises(ValueError, match="read-only"):
        problem.linear[0, 0] = 1


def test_the_unit_form_is_the_same_problem():
    problem = random_problem(1, lower=[-1.0, 0.0, 0.5, 0.2], upper=[1.0, 3.0, 0.5, 0.9])
    form = UnitForm.of(problem)
    assert form.gram.shape == (3, 3), "the coefficient that cannot move is gone"
    assert np.trace(form.gram) == pytest.approx(3)
    rng = np.random.default_rng(0)
    a, b = rng.random((2, 12, 3))

    def scaled(v):
        return np.sum(0.5 * v * (v @ form.gram) + v * form.linear)

    whole = problem.objective(form.coefficients(a)) - problem.objective(form.coefficients(b))
    assert whole == pytest.approx(form._scale * (scaled(a) - scaled(b)), rel=1e-9)
    assert form.coefficients(a)[:, 2] == pytest.approx(0.5)


def test_energy_counts_moving_coefficients_only():
    problem = changed(random_problem(0), gram=np.diag([1.0, 2, 3, 4]), lower=[0.0, 0, 0, 1])
    assert problem.energy == pytest.approx(0.5 * 12 * (1 + 2 + 3))

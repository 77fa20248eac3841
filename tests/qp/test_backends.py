"""Other solvers agree, and ours finds out what they return."""

import numpy as np
import pytest
from qp.problems import random_problem

from blendvoca.errors import ConfigurationError, MissingDependencyError
from blendvoca.qp import backends, solve
from blendvoca.qp.backends import BACKENDS, solve_with

PACKAGES = {"piqp": "piqp", "piqp-multistage": "piqp", "clarabel": "clarabel", "osqp": "osqp"}


@pytest.mark.parametrize("name", sorted(BACKENDS))
@pytest.mark.parametrize("delta", [0.05, np.array([0.1, np.inf, 0.2, 0.05]), np.inf])
def test_backends_agree(name, delta):
    if name in PACKAGES:
        pytest.importorskip(PACKAGES[name], reason="pip install 'blendvoca[solvers]'")
    problem = random_problem(2, n=15, k=4, delta=delta)
    ours, theirs = solve(problem), solve_with(name, problem, 1e-9)
    assert theirs.solver == name
    assert theirs.objective == pytest.approx(ours.objective, rel=1e-7)
    np.testing.assert_allclose(theirs.coefficients, ours.coefficients, atol=1e-3)
    assert theirs.relative_gap <= 1e-6, "their multipliers are read with the right sign"


def test_one_frame():
    assert solve_with("cvxopt", random_problem(0, n=1)).relative_gap <= 1e-6
    pytest.importorskip("piqp")
    assert solve_with("piqp", random_problem(0, n=1)).relative_gap <= 1e-6


def test_structured_is_a_name_too():
    assert solve_with("structured", random_problem(0)).solver == "structured"


def test_unknown_and_missing(monkeypatch):
    with pytest.raises(ConfigurationError, match="cvxopt"):
        solve_with("gurobi", random_problem(0))

    def absent(name):
        raise MissingDependencyError(name, "solvers", "a test")

    monkeypatch.setattr(backends, "_import", absent)
    with pytest.raises(MissingDependencyError, match="blendvoca\\[solvers\\]"):
        solve_with("piqp", random_problem(0))

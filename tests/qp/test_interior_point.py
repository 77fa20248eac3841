"""The central path: every iterate is feasible, the gap falls, flexible bases and stiff limits do not stop it."""

import numpy as np
import pytest
from qp.problems import random_problem

from blendvoca.qp.active_set import ActiveSet, finish
from blendvoca.qp.interior_point import InteriorPoint
from blendvoca.qp.problem import UnitForm


def follow(problem, gap, iterations=40):
    form = UnitForm.of(problem)
    point = InteriorPoint(form)
    gaps = [form.gap(point.u, point.w)]
    while gaps[-1] > gap * abs(form.objective(point.u)) and len(gaps) <= iterations:
        point.advance(point.predict())
        gaps.append(form.gap(point.u, point.w))
    return form, point, np.array(gaps)


@pytest.mark.parametrize("delta", [0.01, 0.1, np.inf])
def test_every_iterate_is_feasible_and_the_gap_falls(delta):
    form = UnitForm.of(random_problem(0, n=40, k=6, delta=delta))
    point = InteriorPoint(form)
    last = np.inf
    for _ in range(7):
        assert point.u.min() > 0
        assert point.u.max() < 1
        assert (np.abs(np.diff(point.u, axis=0)) < form.rate).all()
        assert (point.lam > 0).all()
        gap = form.gap(point.u, point.w)
        assert 0 <= gap < last
        last = gap
        point.advance(point.predict())


@pytest.mark.parametrize("condition", [1e4, 1e8, 1e12])
@pytest.mark.parametrize("delta", [1e-3, 0.03])
def test_flexible_bases_and_stiff_limits(condition, delta):
    form, point, gaps = follow(random_problem(1, n=100, k=5, delta=delta, condition=condition), 1e-8)
    assert gaps[-1] <= 1e-8 * abs(form.objective(point.u))


def test_residual_of_the_newton_system_vanishes_with_a_full_step():
    form, point, _ = follow(random_problem(2, n=30, k=4), 1e-2)
    affine = point.predict()
    before = np.abs(point._residual).max()
    u, lam = point.u + affine.u, point.lam + affine.lam
    w = lam[0] - lam[1]
    after = form.gradient(u) + w[:30]
    after[1:] += w[30:]
    after[:-1] -= w[30:]
    assert np.abs(after).max() < 1e-6 * max(before, 1e-3)


def test_the_finish_is_exact_or_nothing():
    form, point, _ = follow(random_problem(3, n=50, k=5), 1e-5)
    guess = ActiveSet.predicted(point, point.predict())
    scale = abs(form.objective(point.u))
    found, used = finish(point, guess, 6, 1e-9 * scale)
    assert found is not None
    assert 1 <= used <= 6
    assert abs(form.gap(*found)) <= 1e-9 * scale
    nothing = ActiveSet(np.ones_like(guess.bounds), np.zeros_like(guess.rates))
    wrong, _ = finish(point, nothing, 1, 1e-9 * scale)
    assert wrong is None, "a guess that is far off is not passed for an answer"
    assert guess.differs(guess) == 0
    assert guess.differs(nothing) > 0

"""The solver's entry point: normalise, follow the central path, finish on the active set, certify."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from blendvoca.errors import ConfigurationError, SolverError
from blendvoca.qp.active_set import ActiveSet, finish
from blendvoca.qp.certificate import QPResult, judge
from blendvoca.qp.interior_point import InteriorPoint
from blendvoca.qp.problem import NEGLIGIBLE, Array, RateLimitedQP, UnitForm
from blendvoca.qp.stiff import StiffInteriorPoint

#: A second attempt, made where the first is not proved, starts with this μ and goes on to this share of the tolerance.
CENTRE_MU, STRICTER = 0.1, 0.1


@dataclass(frozen=True)
class QPSettings:
    """How to solve.

    :param gap_tolerance: relative duality gap to reach.
    :param max_iterations: factorisations allowed on the central path.
    :param correctors: centrality correctors an iteration.
    :param finish_gap: relative gap under which the active set is guessed and solved for; 0 never does.
    :param finish_rounds: repairs of that guess before the path goes on.
    :param finish_again: the share of that gap under which a guess that failed is made anew.
    :raises ConfigurationError: for values out of range.
    """

    gap_tolerance: float = 1e-9
    max_iterations: int = 60
    correctors: int = 2
    finish_gap: float = 3e-4
    finish_rounds: int = 6
    finish_again: float = 0.1

    def __post_init__(self) -> None:
        if not (0 < self.gap_tolerance < 1 and 0 <= self.finish_gap < 1):
            raise ConfigurationError(
                "gap tolerances must lie between 0 and 1", found=(self.gap_tolerance, self.finish_gap)
            )
        if self.max_iterations < 1 or self.correctors < 0 or self.finish_rounds < 1:
            raise ConfigurationError("iteration limits must be positive")


def solve(problem: RateLimitedQP, settings: QPSettings | None = None) -> QPResult:
    """Solve a rate-limited QP and certify the answer.

    :param problem: in any units; it is normalised inside.
    :param settings: tolerances and limits; None takes the defaults.
    :returns: the result; `QPResult.status` is ``"optimal"`` if the certificate meets the tolerances.
    """
    settings = settings or QPSettings()
    form = UnitForm.of(problem)
    if form.gram.size == 0 or (form.linear >= 0.0).all():
        # Rest is optimal where every coefficient pulls down there: a face at rest, or nothing that can move.
        return _judged(problem, form, settings, np.zeros_like(form.linear), np.zeros_like(form.linear[1:]), 0)
    result = _judged(problem, form, settings, *_follow(InteriorPoint(form, settings.correctors), settings))
    if result.is_optimal:
        return result
    # Where columns differ by many powers of ten, a warm start or a guessed active set leads astray, and the ridge of a
    # singular basis can cost what the tolerance leaves: from the centre, and further, the path is longer and safe.
    centre = InteriorPoint(form, settings.correctors, steps=0, start_mu=CENTRE_MU, retreat=1.0)
    further = replace(settings, finish_gap=0.0, gap_tolerance=STRICTER * settings.gap_tolerance)
    again = _judged(problem, form, settings, *_follow(centre, further), result.iterations)
    attempts = [result, again]
    if not again.is_optimal:
        stiff = StiffInteriorPoint(form, settings.correctors, CENTRE_MU)
        attempts.append(_judged(problem, form, settings, *_follow(stiff, further), again.iterations))
    return min(attempts, key=lambda found: (not found.is_optimal, found.relative_gap))


def _judged(
    problem: RateLimitedQP, form: UnitForm, settings: QPSettings, v: Array, w: Array, iterations: int, before: int = 0
) -> QPResult:
    """Weigh a point of the unit form by the problem's own numbers."""
    return judge(
        problem,
        form.coefficients(v),
        form.multipliers(w),
        solver="structured",
        iterations=before + iterations,
        gap_tolerance=settings.gap_tolerance,
        regularisation=form.regularisation,
    )


def _follow(point: InteriorPoint, settings: QPSettings) -> tuple[Array, Array, int]:
    """Follow the central path from ``point``; return v, w and the factorisations spent."""
    form = point.form
    extra, try_under = 0, settings.finish_gap
    while point.iterations < settings.max_iterations:
        gap, scale = form.gap(point.u, point.w), max(abs(form.objective(point.u)), NEGLIGIBLE * form.energy)
        if gap <= settings.gap_tolerance * scale:
            break
        try:
            affine = point.predict()
        except SolverError:
            break
        if gap <= try_under * scale:
            guess = ActiveSet.predicted(point, affine)
            found, used = finish(point, guess, settings.finish_rounds, settings.gap_tolerance * scale)
            extra += used
            if found is not None:
                return *found, point.iterations + extra
            try_under *= settings.finish_again
        if point.advance(affine) < 1e-8:
            break
    return point.u, point.w, point.iterations + extra

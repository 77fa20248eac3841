"""The interior point for rate limits that are a small share of the range: slower, and proof against their stiffness.

With δ at 1e-5 of the range and less, the Newton matrix couples neighbouring frames by up to δ⁻², and a band factor
keeps nothing of a basis whose columns are nearly dependent. Here steps between frames are variables of their own: the
recursion of :mod:`blendvoca.linalg.riccati` solves for them without subtraction, their slacks are exact relative to δ,
and no weight is softened.
"""

from __future__ import annotations

import numpy as np

from blendvoca.linalg.riccati import RiccatiFactor
from blendvoca.qp.interior_point import SMALLEST, Direction, InteriorPoint
from blendvoca.qp.problem import Array, UnitForm


class StiffInteriorPoint(InteriorPoint):
    """Starts from the centre of the bounds, with all frames alike."""

    def __init__(self, form: UnitForm, correctors: int, start_mu: float) -> None:
        self.step = np.zeros((form.linear.shape[0] - 1, form.linear.shape[1]))
        super().__init__(form, correctors, steps=0, start_mu=start_mu, retreat=1.0)
        self.stiffest = np.inf

    def _factored(self, diagonal: Array, coupling: Array) -> RiccatiFactor:
        self._riccati = RiccatiFactor(self.form.gram, diagonal, coupling)
        return self._riccati

    def _solve(self, right: Array) -> tuple[Array, Array]:
        du, steps = self._riccati.solve_with_steps(right)
        return du, np.concatenate([du, steps])

    def _move(self, direction: Direction, length: float) -> None:
        self.step = self.step + length * direction.constrained[self.n :]
        super()._move(direction, length)

    def _slacken(self) -> None:
        super()._slacken()
        n = self.n
        np.subtract(self.rate, self.step, out=self.s[0, n:])
        np.add(self.rate, self.step, out=self.s[1, n:])
        np.maximum(self.s[:, n:], SMALLEST * np.minimum(self.rate, 1.0), out=self.s[:, n:])

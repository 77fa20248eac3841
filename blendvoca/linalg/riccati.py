"""Block-tridiagonal systems whose coupling may be as stiff as one likes, solved by a Riccati recursion.

The system is the stationarity of ``Σ ½ uₙᵀ (G + Dₙ) uₙ − rₙᵀ uₙ + Σ ½ (uₙ₊₁ − uₙ)ᵀ Eₙ (uₙ₊₁ − uₙ)``, the same as
that of :mod:`blendvoca.linalg.block_tridiagonal`. A band factor holds ``G + D + E`` and drowns G in the
rounding of a large E. Here the cost-to-go ½ uᵀ S u − tᵀ u passes from frame to frame through the parallel sum of S and
E in Joseph's form ::

    S : E = Fᵀ S F + Kᵀ E K   with   F = (S + E)⁻¹ E,   K = (S + E)⁻¹ S

which subtracts nothing, and steps uₙ₊₁ − uₙ are solved for themselves, not taken as differences of u. The recursion is
that of Rao, Wright and Rawlings (J. Optim. Theory Appl. 99, 1998). One small dense call a frame makes it several times
slower than the band.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import LinAlgError, cho_solve, cholesky

from blendvoca.errors import SolverError

Array = NDArray[np.float64]


class RiccatiFactor:
    """The factored system.

    :param gram: (K, K) symmetric positive semidefinite G, the same for all frames.
    :param diagonal: (N, K) non-negative D.
    :param coupling: (N−1, K) non-negative E.
    :raises SolverError: if a cost-to-go is not positive definite in rounding.
    """

    def __init__(self, gram: Array, diagonal: Array, coupling: Array) -> None:
        n, k = diagonal.shape
        self._cost, self._stepper = np.empty((n, k, k)), np.empty((max(n - 1, 0), k, k))
        self._coupling = coupling
        ahead = np.zeros((k, k))
        try:
            for i in range(n - 1, -1, -1):
                if i < n - 1:
                    ahead = self._pass_back(i)
                self._cost[i] = gram + ahead
                self._cost[i].flat[:: k + 1] += diagonal[i]
            self._first = cholesky(self._cost[0], lower=True)
        except (LinAlgError, ValueError) as error:
            raise SolverError("a cost-to-go is not positive definite", found=error) from error

    def _pass_back(self, i: int) -> Array:
        """Return the parallel sum of the cost-to-go of frame i + 1 and the coupling that leads there."""
        cost, coupling = self._cost[i + 1], self._coupling[i]
        self._stepper[i] = cholesky(cost + np.diag(coupling), lower=True)
        stays = cho_solve((self._stepper[i], True), np.diag(coupling))
        moves = cho_solve((self._stepper[i], True), cost)
        total = stays.T @ cost @ stays + moves.T @ (coupling[:, None] * moves)
        return (total + total.T) / 2

    def solve(self, right: Array) -> Array:
        """Return u (N, K) for a right-hand side r (N, K)."""
        return self.solve_with_steps(right)[0]

    def solve_with_steps(self, right: Array) -> tuple[Array, Array]:
        """Return u (N, K) and its steps uₙ₊₁ − uₙ (N−1, K) for a right-hand side r (N, K)."""
        to_go = np.array(right, dtype=np.float64)
        for i in range(len(right) - 2, -1, -1):
            to_go[i] += self._coupling[i] * cho_solve((self._stepper[i], True), to_go[i + 1])
        u, steps = np.empty_like(to_go), np.empty_like(to_go[1:])
        u[0] = cho_solve((self._first, True), to_go[0])
        for i in range(len(steps)):
            steps[i] = cho_solve((self._stepper[i], True), to_go[i + 1] - self._cost[i + 1] @ u[i])
            u[i + 1] = u[i] + steps[i]
        return u, steps

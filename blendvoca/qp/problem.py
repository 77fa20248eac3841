"""The rate-limited quadratic program of the fit, and its unit form.

Over N frames of K coefficients (paper Eq. 2, supplement 8)::

    minimise   Σₙ ½ uₙᵀ H uₙ + qₙᵀ uₙ
    subject to lower ≤ uₙ ≤ upper,   |uₙ₊₁ − uₙ| ≤ δ

with H = BᵀB and qₙ = Bᵀ(b₀ − pₙ). All frames share H, so the authors' matrix P = I ⊗ H is never built.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import InputError

Array = NDArray[np.float64]

#: Smallest eigenvalue of the Gram matrix, relative to the largest, under which it counts as singular.
SINGULAR = 1e-13
#: Ridge that then makes the answer unique, relative to the mean diagonal.
RIDGE = 1e-12
#: Coefficients this near a bound, relative to the rate limit, are put on it: what a solver leaves there is rounding,
#: and another processor's kernels leave another. The certificate is computed afterwards.
AT_BOUND = 1e-10
#: Objectives under this share of the energy of all coefficients at full range count as zero in relative gaps.
NEGLIGIBLE = 1e-6


@dataclass(frozen=True, eq=False)
class RateLimitedQP:
    """One sequence to fit.

    :param gram: (K, K) symmetric positive semidefinite H.
    :param linear: (N, K) linear terms q, one row a frame.
    :param rate_limit: δ > 0, scalar or (K,); infinity switches it off.
    :param lower: scalar or (K,) finite lower bounds.
    :param upper: scalar or (K,) finite upper bounds, nowhere under the lower ones.
    :raises InputError: for empty or mismatched shapes, values that are not finite, δ ≤ 0, crossed bounds, or a Gram
        matrix that is not symmetric positive semidefinite.
    """

    gram: Array
    linear: Array
    rate_limit: ArrayLike = 0.1
    lower: ArrayLike = 0.0
    upper: ArrayLike = 1.0

    def __post_init__(self) -> None:
        gram, linear = _finite("the Gram matrix", self.gram), _finite("the linear terms", self.linear)
        if linear.ndim != 2 or linear.size == 0:
            raise InputError("linear terms have a wrong shape", expected="(N > 0, K > 0)", found=linear.shape)
        k = linear.shape[1]
        if gram.shape != (k, k):
            raise InputError("the Gram matrix does not fit the linear terms", expected=(k, k), found=gram.shape)
        lower, upper = (_row(name, getattr(self, name), k) for name in ("lower", "upper"))
        rate = _row("rate_limit", self.rate_limit, k, finite=False)
        if not (rate > 0).all():
            raise InputError("rate limits must be positive", expected="δ > 0 or infinity", found=rate.min())
        if (lower > upper).any():
            bad = int(np.flatnonzero(lower > upper)[0])
            raise InputError(f"bounds of coefficient {bad} cross", found=f"{lower[bad]} > {upper[bad]}")
        _check_semidefinite(gram)
        values = {"gram": (gram + gram.T) / 2, "linear": linear, "rate_limit": rate, "lower": lower, "upper": upper}
        for name, value in values.items():
            value = np.array(value)
            value.setflags(write=False)
            object.__setattr__(self, name, value)

    @property
    def shape(self) -> tuple[int, int]:
        """(N, K)."""
        return self.linear.shape

    def gradient(self, u: Array) -> Array:
        """Return H uₙ + qₙ as (N, K).

        :param u: (N, K) coefficients.
        """
        return u @ self.gram + self.linear

    def objective(self, u: Array) -> float:
        """Return Σₙ ½ uₙᵀ H uₙ + qₙᵀ uₙ.

        :param u: (N, K) coefficients.
        """
        return float(np.vdot(u, 0.5 * (u @ self.gram) + self.linear))

    @property
    def energy(self) -> float:
        """Σₙₖ ½ Hₖₖ (upperₖ − lowerₖ)²: the scale of objectives, in their units."""
        width = np.asarray(self.upper) - np.asarray(self.lower)
        return 0.5 * self.shape[0] * float(np.diagonal(self.gram) @ width**2)


@dataclass(frozen=True, eq=False)
class UnitForm:
    """The same problem in v = (u − lower) / (upper − lower) ∈ [0, 1], without coefficients that cannot move.

    In this form the solver has one scale for all: bounds are 0 and 1, the mean of the Gram diagonal is 1, and units of
    length have cancelled.

    :param gram: (K', K') scaled Gram matrix, ridge included.
    :param linear: (N, K') scaled linear terms.
    :param rate: (K',) rate limits in units of the range; 2 where they can never act.
    :param regularisation: ridge relative to the mean diagonal; 0 for a basis of full rank.
    :param flexibility: smallest eigenvalue of `gram`.
    :param offset: scaled objective at v = 0.
    """

    gram: Array
    linear: Array
    rate: Array
    regularisation: float
    flexibility: float
    offset: float
    _kept: NDArray[np.intp]
    _width: Array
    _scale: float
    _problem: RateLimitedQP

    @classmethod
    def of(cls, problem: RateLimitedQP) -> UnitForm:
        """Normalise a problem; `gram` is (0, 0) if all coefficients are fixed."""
        lower, upper = np.asarray(problem.lower), np.asarray(problem.upper)
        kept = np.flatnonzero(upper > lower)
        width = (upper - lower)[kept]
        gram = problem.gram[np.ix_(kept, kept)] * width * width[:, None]
        floor = np.broadcast_to(lower, problem.shape)
        linear = problem.gradient(floor)[:, kept] * width
        scale = float(np.trace(gram)) / max(len(kept), 1) or float(np.abs(linear).max(initial=0.0)) or 1.0
        gram = gram / scale
        eigenvalues = np.linalg.eigvalsh(gram) if len(kept) else np.ones(1)
        ridge = RIDGE if eigenvalues[0] <= SINGULAR * max(eigenvalues[-1], 1.0) else 0.0
        rate = np.asarray(problem.rate_limit)[kept] / width
        # The ridge pulls towards u = 0, so that the answer is the one of minimum norm.
        pull = ridge * (lower[kept] / width)
        return cls(
            gram + ridge * np.eye(len(kept)),
            linear / scale + pull,
            np.where(rate < 1, rate, 2.0),
            ridge,
            max(float(eigenvalues[0]), 0.0) + ridge,
            problem.objective(floor) / scale,
            kept,
            width,
            scale,
            problem,
        )

    @property
    def energy(self) -> float:
        """Σ ½ Hₖₖ over frames and coefficients, as `RateLimitedQP.energy`."""
        return 0.5 * self.linear.shape[0] * float(np.trace(self.gram))

    def gradient(self, v: Array) -> Array:
        """Return the gradient of the objective at v, (N, K')."""
        return v @ self.gram + self.linear

    def objective(self, v: Array) -> float:
        """Return the problem's objective at v, scaled."""
        return float(np.vdot(v, 0.5 * (v @ self.gram) + self.linear)) + self.offset

    def gap(self, v: Array, w: Array) -> float:
        """Return the duality gap of v and rate multipliers w; see :mod:`blendvoca.qp.certificate`."""
        r = self.gradient(v)
        r[1:] += w
        r[:-1] -= w
        bounds = np.vdot(np.maximum(r, 0.0), v) - np.vdot(np.minimum(r, 0.0), 1.0 - v)
        rates = np.vdot(np.abs(w), np.broadcast_to(self.rate, w.shape)) - np.vdot(w, v[1:] - v[:-1])
        return float(bounds + rates)

    def coefficients(self, v: Array) -> Array:
        """Return u (N, K) of v (N, K'), on the bounds exactly where v is within `AT_BOUND` of them."""
        near = AT_BOUND * np.minimum(self.rate, 1.0)
        v = np.where(v < near, 0.0, np.where(v > 1.0 - near, 1.0, v))
        lower, upper = np.asarray(self._problem.lower), np.asarray(self._problem.upper)
        u = np.tile(lower, (self._problem.shape[0], 1))
        u[:, self._kept] += v * self._width
        u[:, self._kept] = np.where(v == 1.0, upper[self._kept], u[:, self._kept])
        return np.clip(u, lower, upper)

    def multipliers(self, w: Array) -> Array:
        """Return the rate multipliers (N−1, K) in the problem's units."""
        out = np.zeros((self._problem.shape[0] - 1, self._problem.shape[1]))
        out[:, self._kept] = w * (self._scale / self._width)
        return out


def _finite(name: str, value: ArrayLike) -> Array:
    array = np.asarray(value, dtype=np.float64)
    if not np.isfinite(array).all():
        raise InputError(f"{name} must be finite", found="NaN or infinity")
    return array


def _row(name: str, value: ArrayLike, k: int, finite: bool = True) -> Array:
    array = np.asarray(value, dtype=np.float64)
    if array.shape not in ((), (1,), (k,)):
        raise InputError(f"{name} has a wrong shape", expected=f"a scalar or ({k},)", found=array.shape)
    if np.isnan(array).any() or (finite and not np.isfinite(array).all()):
        raise InputError(f"{name} must be {'finite' if finite else 'a number'}", found=array.tolist())
    return np.broadcast_to(array, (k,))


def _check_semidefinite(gram: Array) -> None:
    largest = float(np.abs(gram).max())
    if np.abs(gram - gram.T).max() > 1e-10 * largest:
        raise InputError("the Gram matrix is not symmetric", remedy="Pass BᵀB.")
    lowest = float(np.linalg.eigvalsh(gram)[0])
    if lowest < -1e-10 * largest:
        raise InputError("the Gram matrix is not positive semidefinite", found=f"an eigenvalue of {lowest:.3g}")

"""A start near the answer: a few steps of ADMM, whose linear system is diagonal in two fixed bases.

ADMM splits u from its bounded copies (Boyd et al., Found. Trends Mach. Learn. 3, 2011, 5.2). Scaled so that the Gram
matrix has a unit diagonal, its system is ``H + ρ₁ I + ρ₂ ΔᵀΔ``: the eigenvectors of H diagonalise it across
coefficients, the cosine transform (type II) across frames. A step costs a tenth of a factorisation; ten to twenty bring
the interior point to where it would be after two to five of its own.

========== ========================================= ================
here       meaning                                   where
========== ========================================= ================
box        copy of u held in its bounds              (N, K)
rates      copy of Δu held in its rate limits        (N−1, K)
dual_*     scaled multipliers of the two             as their copies
========== ========================================= ================
"""

from __future__ import annotations

import numpy as np
from scipy.fft import dct, idct

from blendvoca.qp.problem import Array, UnitForm

#: Penalties ρ of bounds and rate limits, relative to the unit diagonal.
BOX_PENALTY, RATE_PENALTY = 0.3, 3.0
#: Over-relaxation.
RELAXATION = 1.6


def admm(form: UnitForm, steps: int, rest: float = 0.3) -> tuple[Array, Array, Array]:
    """Return u within its bounds (N, K), bound multipliers (N, K) and rate multipliers (N−1, K), all approximate."""
    n, k = form.linear.shape
    # Single precision does: the answer is a start, good to some per cent.
    scale = np.sqrt(np.maximum(np.diagonal(form.gram), 1e-6)).astype(np.float32)
    eigenvalues, vectors = np.linalg.eigh(form.gram / np.outer(scale, scale))
    vectors = vectors.astype(np.float32)
    frequency = 4.0 * np.sin(np.pi * np.arange(n) / (2 * n)) ** 2
    response = 1.0 / (np.maximum(eigenvalues, 0.0) + BOX_PENALTY + RATE_PENALTY * frequency[:, None])
    response = response.astype(np.float32)
    linear, limit = (form.linear / scale).astype(np.float32), (form.rate * scale).astype(np.float32)
    box, dual_box = np.tile(rest * scale, (n, 1)), np.zeros((n, k), np.float32)
    rates, dual_rates = np.zeros((n - 1, k), np.float32), np.zeros((n - 1, k), np.float32)
    for _ in range(steps):
        right = BOX_PENALTY * (box - dual_box) - linear
        push = RATE_PENALTY * (rates - dual_rates)
        right[1:] += push
        right[:-1] -= push
        waves = dct(right, axis=0, norm="ortho", overwrite_x=True) @ vectors
        waves *= response
        u = idct(waves @ vectors.T, axis=0, norm="ortho", overwrite_x=True)
        u *= RELAXATION
        dual_box += (1.0 - RELAXATION) * box
        dual_box += u
        np.minimum(np.maximum(dual_box, 0.0, out=box), scale, out=box)
        dual_box -= box
        dual_rates += (1.0 - RELAXATION) * rates
        dual_rates += u[1:]
        dual_rates -= u[:-1]
        np.minimum(np.maximum(dual_rates, -limit, out=rates), limit, out=rates)
        dual_rates -= rates
    u64, scale64 = box.astype(np.float64) / scale, scale.astype(np.float64)
    return np.clip(u64, 0.0, 1.0), BOX_PENALTY * dual_box * scale64, RATE_PENALTY * dual_rates * scale64


def limited(u: Array, rate: Array) -> Array:
    """Return the mean of the largest motion under u and the smallest above it that obey the rate limits.

    Both envelopes stay within the range of u, so bounds survive.
    """
    climb = np.arange(len(u))[:, None] * rate

    def under(x: Array) -> Array:
        ahead = np.minimum.accumulate(x - climb, axis=0) + climb
        behind = np.minimum.accumulate((x + climb)[::-1], axis=0)[::-1] - climb
        return np.minimum(ahead, behind)

    return (under(u) - under(-u)) / 2


def interior_start(u: Array, rate: Array, retreat: float, margin: float = 0.1) -> Array:
    """Return a strictly feasible point: u made to obey the rate limits, drawn a share ``retreat`` towards its mean."""
    feasible = limited(u, rate)
    centre = np.clip(feasible.mean(axis=0), margin, 1.0 - margin)
    return (1.0 - retreat) * feasible + retreat * centre

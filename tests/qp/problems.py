"""Small problems for the tests of the QP."""

from __future__ import annotations

import numpy as np

from blendvoca.qp import RateLimitedQP


def random_problem(seed=0, n=12, k=4, delta=0.1, condition=100.0, scale=1.0, noise=0.3, **bounds):
    """A basis of given condition, a smooth motion, noise that pushes it out of bounds and over rate limits."""
    rng = np.random.default_rng(seed)
    left, _ = np.linalg.qr(rng.standard_normal((3 * k + 5, k)))
    right, _ = np.linalg.qr(rng.standard_normal((k, k)))
    basis = scale * left * np.geomspace(1.0, condition**-0.5, k) @ right
    time = np.arange(n)[:, None] / 60
    motion = 0.5 + 0.7 * np.sin(2 * np.pi * rng.uniform(0.5, 3, k) * time + rng.uniform(0, 6, k))
    frames = motion @ basis.T + noise * scale * rng.standard_normal((n, len(basis))) * k**-0.5
    return RateLimitedQP(basis.T @ basis, -frames @ basis, delta, **bounds)


def changed(problem, **parts):
    """The problem with some parts replaced."""
    names = ("gram", "linear", "rate_limit", "lower", "upper")
    return RateLimitedQP(**{**{name: getattr(problem, name) for name in names}, **parts})

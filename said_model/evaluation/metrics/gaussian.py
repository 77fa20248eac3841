"""Distances between Gaussians and between mixtures of them (paper supplement 10, Eq. 14 and 15)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from blendvoca.errors import InputError, SolverError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Mixture:
    """A Gaussian mixture.

    :param weights: (K,) non-negative, summing to 1.
    :param means: (K, d).
    :param covariances: (K, d, d) symmetric, positive semi-definite.
    :raises InputError: for shapes that do not agree or weights that are none.
    """

    weights: Array
    means: Array
    covariances: Array

    def __post_init__(self) -> None:
        count, size = self.means.shape if self.means.ndim == 2 else (0, 0)
        if self.weights.shape != (count,) or self.covariances.shape != (count, size, size) or not count:
            found = (self.weights.shape, self.means.shape, self.covariances.shape)
            raise InputError("a mixture's shapes do not agree", expected="(K,), (K, d), (K, d, d)", found=found)
        if self.weights.min() < 0 or abs(self.weights.sum() - 1) > 1e-6:
            raise InputError("a mixture's weights are no shares", expected="≥ 0, sum 1", found=self.weights.tolist())


def squared_wasserstein(mean_a: Array, covariance_a: Array, mean_b: Array, covariance_b: Array) -> float:
    """Return the squared 2-Wasserstein distance between two Gaussians, the Fréchet distance of Eq. 14.

    ``‖μₐ − μ_b‖² + tr Σₐ + tr Σ_b − 2 ‖Σₐ^½ Σ_b^½‖_*``: the nuclear norm is the trace of ``(Σₐ^½ Σ_b Σₐ^½)^½``, but
    does not take the root of rounding errors where a covariance is singular.
    """
    cross = np.linalg.norm(_root(covariance_a) @ _root(covariance_b), ord="nuc")
    difference = mean_a - mean_b
    return float(max(difference @ difference + np.trace(covariance_a) + np.trace(covariance_b) - 2 * cross, 0.0))


def _root(covariance: Array) -> Array:
    """Return the symmetric square root of a positive semi-definite matrix."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return (vectors * np.sqrt(values.clip(0))) @ vectors.T


def mixture_distance(a: Mixture, b: Mixture) -> float:
    """Return WInD between two mixtures: the optimal transport of their weights (Eq. 15).

    The cost of moving weight between components is their squared 2-Wasserstein distance.

    :raises InputError: if the mixtures differ in dimension.
    :raises SolverError: if the linear program has no answer.
    """
    if a.means.shape[1] != b.means.shape[1]:
        raise InputError("mixtures of different dimension", expected=a.means.shape[1], found=b.means.shape[1])
    rows, columns = len(a.weights), len(b.weights)
    cost = [
        squared_wasserstein(a.means[i], a.covariances[i], b.means[j], b.covariances[j])
        for i in range(rows)
        for j in range(columns)
    ]
    # Weights sum to 1 on both sides, so the inequalities of Eq. 15 hold with equality.
    sums = np.vstack([np.kron(np.eye(rows), np.ones(columns)), np.kron(np.ones(rows), np.eye(columns))])
    shares = np.concatenate([a.weights / a.weights.sum(), b.weights / b.weights.sum()])
    answer = linprog(cost, A_eq=sums[:-1], b_eq=shares[:-1], bounds=(0, None), method="highs")
    if not answer.success:
        raise SolverError("the transport between mixtures has no answer", found=answer.message)
    return float(answer.fun)

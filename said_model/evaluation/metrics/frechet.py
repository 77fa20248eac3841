"""Fréchet distance between latent features (paper Eq. 14; Heusel et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import InputError
from said_model.evaluation.metrics.gaussian import squared_wasserstein


@dataclass(frozen=True)
class FrechetDistance:
    """The distance and what it rests on.

    :param value: the distance, in squared latent units.
    :param samples_real: rows of the real features.
    :param samples_generated: rows of the generated ones.
    :param rank_deficient: whether a covariance has fewer samples than it needs for full rank: the value is then
        defined, but biased upwards.
    """

    value: float
    samples_real: int
    samples_generated: int
    rank_deficient: bool


def frechet_distance(real: NDArray[np.floating], generated: NDArray[np.floating]) -> FrechetDistance:
    """Return the Fréchet distance between two sets of features (n, d) and (m, d); covariances divide by n − 1.

    :raises InputError: for features of different size, fewer than two rows, or values that are not finite.
    """
    real, generated = checked_features(real), checked_features(generated)
    if real.shape[1] != generated.shape[1]:
        raise InputError("features of different size", expected=real.shape[1], found=generated.shape[1])
    value = squared_wasserstein(
        real.mean(axis=0),
        np.atleast_2d(np.cov(real, rowvar=False)),
        generated.mean(axis=0),
        np.atleast_2d(np.cov(generated, rowvar=False)),
    )
    return FrechetDistance(value, len(real), len(generated), min(len(real), len(generated)) <= real.shape[1])


def checked_features(features: NDArray[np.floating], least: int = 2) -> NDArray[np.float64]:
    """Return features (n, d) as float64.

    :raises InputError: for another shape, fewer than ``least`` rows, or values that are not finite.
    """
    array = np.asarray(features, dtype=np.float64)
    if array.ndim != 2 or len(array) < least or not array.shape[1]:
        raise InputError("too few or misshapen features", expected=f"(n ≥ {least}, d)", found=array.shape)
    if not np.isfinite(array).all():
        raise InputError("features are not finite", found=f"row {int(np.argmin(np.isfinite(array).all(axis=1)))}")
    return array

"""Wasserstein inception distance: Fréchet distance between Gaussian mixtures (paper Eq. 15; Dimitrakopoulos et al.)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import InputError, MissingDependencyError
from said_model.evaluation.metrics.frechet import checked_features
from said_model.evaluation.metrics.gaussian import Mixture, mixture_distance

#: Mixture components and repeats (supplement 10).
COMPONENTS, REPEATS = 5, 10


@dataclass(frozen=True)
class WInD:
    """Mean and deviation over repeats, since mixtures depend on their random start.

    :param mean: mean of the distances.
    :param deviation: their standard deviation (divided by the number of repeats, as NumPy does).
    :param values: the distance of every repeat.
    :param samples_real: rows of the real features.
    :param samples_generated: rows of the generated ones.
    """

    mean: float
    deviation: float
    values: tuple[float, ...]
    samples_real: int
    samples_generated: int


def fit_mixture(features: NDArray[np.float64], components: int, seed: int) -> Mixture:
    """Fit a Gaussian mixture with full covariances to features (n, d) by expectation maximisation (scikit-learn).

    :raises MissingDependencyError: without scikit-learn.
    """
    try:
        from sklearn.mixture import GaussianMixture
    except ImportError as error:
        raise MissingDependencyError("scikit-learn", "said", "fitting mixtures") from error
    fitted = GaussianMixture(components, random_state=seed).fit(features)
    return Mixture(fitted.weights_ / fitted.weights_.sum(), fitted.means_, fitted.covariances_)


def wind(
    real: NDArray[np.floating],
    generated: NDArray[np.floating],
    *,
    components: int = COMPONENTS,
    repeats: int = REPEATS,
    seed: int = 0,
) -> WInD:
    """Return WInD between features (n, d) and (m, d).

    :raises InputError: for features of different size or fewer rows than components.
    """
    real, generated = checked_features(real, components), checked_features(generated, components)
    if real.shape[1] != generated.shape[1]:
        raise InputError("features of different size", expected=real.shape[1], found=generated.shape[1])
    # Truth against itself is not zero either: both sides get a mixture of their own, as in the paper's Table 1.
    values = [
        mixture_distance(
            fit_mixture(real, components, seed + 2 * repeat), fit_mixture(generated, components, seed + 2 * repeat + 1)
        )
        for repeat in range(repeats)
    ]
    return WInD(float(np.mean(values)), float(np.std(values)), tuple(values), len(real), len(generated))

"""Fréchet distance, WInD and multimodality: identities, closed forms, degenerate input."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from blendvoca.errors import InputError
from said_model.evaluation.metrics.frechet import frechet_distance
from said_model.evaluation.metrics.gaussian import Mixture, mixture_distance, squared_wasserstein
from said_model.evaluation.metrics.multimodality import multimodality, style_multimodality
from said_model.evaluation.metrics.wind import fit_mixture, wind

RNG = np.random.default_rng


def covariance(rng: np.random.Generator, size: int) -> np.ndarray:
    root = rng.normal(size=(size, size))
    return root @ root.T


def test_wasserstein_of_gaussians_against_the_textbook_formula():
    rng = RNG(0)
    a, b, ca, cb = rng.normal(size=6), rng.normal(size=6), covariance(rng, 6), covariance(rng, 6)
    expected = np.sum((a - b) ** 2) + np.trace(ca + cb - 2 * np.real(sqrtm(ca @ cb)))
    assert squared_wasserstein(a, ca, b, cb) == pytest.approx(expected, rel=1e-8)


def test_one_dimension_has_a_closed_form():
    # W² of N(m, s²) and N(n, t²) is (m − n)² + (s − t)².
    assert squared_wasserstein(np.ones(1), np.full((1, 1), 4.0), np.zeros(1), np.full((1, 1), 9.0)) == pytest.approx(2)


@pytest.mark.parametrize("rows", [300, 10])
def test_frechet_is_zero_on_itself_and_moves_with_a_shift(rows):
    features = RNG(1).normal(size=(rows, 24))
    assert frechet_distance(features, features).value == pytest.approx(0, abs=1e-9)
    moved = frechet_distance(features, features + 0.5)
    assert moved.value == pytest.approx(24 * 0.25, rel=1e-8)
    assert moved.rank_deficient == (rows <= 24)


def test_frechet_of_singular_covariances_is_finite_and_symmetric():
    flat, line = np.zeros((5, 3)), np.outer(np.arange(5.0), [1, 1, 0])
    assert frechet_distance(flat, line).value == pytest.approx(frechet_distance(line, flat).value)
    assert frechet_distance(flat, line).value == pytest.approx(2 * 4 + 2 * 2.5)


def test_mixture_distance_ignores_order_and_splitting():
    rng = RNG(2)
    means, covariances = rng.normal(size=(3, 4)), np.stack([covariance(rng, 4) for _ in range(3)])
    mixture = Mixture(np.array([0.2, 0.3, 0.5]), means, covariances)
    order = [2, 0, 1]
    shuffled = Mixture(mixture.weights[order], means[order], covariances[order])
    assert mixture_distance(mixture, shuffled) == pytest.approx(0, abs=1e-9)
    split = Mixture(np.array([0.2, 0.3, 0.25, 0.25]), means[[0, 1, 2, 2]], covariances[[0, 1, 2, 2]])
    assert mixture_distance(split, mixture) == pytest.approx(0, abs=1e-9)
    one, other = (Mixture(np.ones(1), means[i : i + 1], covariances[i : i + 1]) for i in (0, 1))
    expected = squared_wasserstein(means[0], covariances[0], means[1], covariances[1])
    assert mixture_distance(one, other) == pytest.approx(expected)


def test_wind_is_seeded_and_grows_with_distance():
    rng = RNG(3)
    clusters = rng.normal(size=(5, 6)) * 8
    first, second = (clusters[rng.integers(5, size=200)] + rng.normal(size=(200, 6)) for _ in range(2))
    near, again = (wind(first, second, repeats=2, seed=4) for _ in range(2))
    far = wind(first, second + 3, repeats=2, seed=4)
    assert near == again
    assert near.mean < far.mean
    assert far.deviation == pytest.approx(np.std(far.values))
    assert np.isclose(fit_mixture(first, 5, 0).weights.sum(), 1)


def test_multimodality_of_known_sets():
    apart = {"a": np.repeat([[0.0, 0.0]], 8, axis=0), "b": np.repeat([[1.0, 1.0]], 8, axis=0)}
    assert multimodality(apart, RNG(0), pairs=4).value == 0  # clips are never mixed
    spread = {"a": RNG(0).normal(size=(4000, 1))}
    answer = multimodality(spread, RNG(1), pairs=2000)
    assert answer.value == pytest.approx(2 / np.sqrt(np.pi), rel=0.05)  # E|x − y| of two standard normals
    assert (answer.pairs, answer.clips) == (2000, 1)


def test_style_pairs_are_counted_with_repetition():
    answer = style_multimodality({"a": np.arange(8.0)[:, None]})
    assert answer.pairs == 36
    assert answer.value == pytest.approx(sum(j - i for i in range(8) for j in range(i, 8)) / 36)


def test_bad_input_says_how_many_were_needed():
    with pytest.raises(InputError, match=r"expected 72 .*found 5"):
        multimodality({"a": np.zeros((5, 2))}, RNG(0))
    with pytest.raises(InputError, match="n ≥ 5"):
        wind(np.zeros((3, 2)), np.zeros((9, 2)))
    with pytest.raises(InputError, match="different size"):
        frechet_distance(np.zeros((3, 2)), np.zeros((3, 4)))
    with pytest.raises(InputError, match="not finite"):
        frechet_distance(np.full((3, 2), np.nan), np.zeros((3, 2)))
    with pytest.raises(InputError, match="no shares"):
        Mixture(np.array([0.7, 0.7]), np.zeros((2, 1)), np.zeros((2, 1, 1)))

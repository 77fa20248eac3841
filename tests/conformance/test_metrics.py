"""Metrics against another implementation's numbers (``metrics.npz``)."""

from __future__ import annotations

import numpy as np
import pytest

from said_model.evaluation.metrics.frechet import frechet_distance
from said_model.evaluation.metrics.gaussian import Mixture, mixture_distance
from said_model.evaluation.metrics.multimodality import paired_distance


@pytest.fixture
def data(conformance):
    return np.load(conformance / "metrics.npz")


def test_frechet_distance(data):
    answer = frechet_distance(data["latents_a"], data["latents_b"])
    assert answer.value == pytest.approx(float(data["frechet_distance"]), rel=1e-6)


def test_wind(data):
    first, second = (Mixture(*(data[f"gmm{i}_{part}"] for part in ("weights", "means", "covs"))) for i in (1, 2))
    assert mixture_distance(first, second) == pytest.approx(float(data["wind"]), rel=1e-5)


def test_multimodality(data):
    assert paired_distance(data["pairs_a"], data["pairs_b"]) == pytest.approx(float(data["multimodality"]), rel=1e-6)

"""Figures of distances against NumPy on the whole of them."""

import numpy as np
import pytest

from blendvoca.fit.distances import DistanceFigures


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e4])
def test_figures_agree_with_the_whole(scale):
    values = scale * np.random.default_rng(0).gamma(2, 1, (50, 400)).astype(np.float32)
    figures = DistanceFigures()
    for block in np.split(values, [1, 17, 17, 40]):
        figures.add(block)
    assert figures.count == values.size
    assert figures.mean == pytest.approx(values.mean(dtype=float), rel=1e-9)
    assert figures.maximum == values.max()
    for share in (0, 5, 50, 95, 99.9, 100):
        assert figures.percentile(share) == pytest.approx(np.percentile(values, share, method="higher"), rel=4e-3)


def test_zeros_and_nothing():
    figures = DistanceFigures()
    assert np.isnan([figures.mean, figures.maximum, figures.percentile(95)]).all()
    figures.add(np.zeros((0, 5), np.float32))
    assert figures.count == 0
    figures.add(np.zeros(3, np.float32))
    assert (figures.mean, figures.maximum, figures.percentile(95)) == (0, 0, 0)

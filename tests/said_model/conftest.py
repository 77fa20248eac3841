"""A tiny model and sound for it."""

from __future__ import annotations

import numpy as np
import pytest

from blendvoca.audio import Waveform


@pytest.fixture
def tiny_network():
    from reference.said_tiny import filled, tiny_config

    from said_model.network.said import SaidNetwork

    return filled(SaidNetwork(tiny_config()))


@pytest.fixture
def tiny_model(tiny_network):
    from said_model import SAiD

    return SAiD(tiny_network)


@pytest.fixture(scope="session")
def babble():
    """Three seconds of noise that swells and fades."""
    swell = 0.1 * (1.2 + np.sin(np.arange(48_000) / 3000))
    return Waveform((np.random.default_rng(5).standard_normal(48_000) * swell).astype(np.float32), 16_000)

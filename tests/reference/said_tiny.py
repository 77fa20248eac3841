"""A network of every part, small enough to run in milliseconds, none of its weights zero."""

from __future__ import annotations

from typing import Any

from reference.said_weights import reference_state

from said_model.config import DenoiserConfig, EncoderConfig, ModelConfig
from said_model.network.said import SaidNetwork


def tiny_config(**denoiser: Any) -> ModelConfig:
    """Return a log-mel model of width 32."""
    return ModelConfig(
        encoder=EncoderConfig(settings={"bands": 8, "orders": 2}),
        denoiser=DenoiserConfig(**{"width": 32, "heads": 2, "feature_dim": 16, **denoiser}),
    )


def filled(network: SaidNetwork) -> SaidNetwork:
    """Give a network the reference weights."""
    network.load_state_dict(reference_state({key: value.shape for key, value in network.state_dict().items()}))
    return network.eval()

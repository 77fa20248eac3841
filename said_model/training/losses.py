"""Training losses (paper Eq. 5 to 8)."""

from __future__ import annotations

from torch import Tensor

from said_model.training.settings import LossConfig


def diffusion_loss(
    config: LossConfig, prediction: Tensor, target: Tensor, mask: Tensor, spread: Tensor | None = None
) -> dict[str, Tensor]:
    """Return ``loss`` and its parts ``noise`` and ``velocity``, means over what the mask admits.

    :param prediction: (B, N, K) of the network.
    :param target: what it should be (the noise, in the paper).
    :param mask: (B, N) false where a frame does not count; a velocity counts where both its frames do.
    :param spread: (K,) of the coefficients, where errors are divided by it.
    """
    error = prediction.float() - target
    if spread is not None:
        error = error / spread
    noise = _mean(config, error, mask)
    velocity = _mean(config, error.diff(dim=1), mask[:, 1:] & mask[:, :-1])
    return {"loss": noise + config.velocity_weight * velocity, "noise": noise, "velocity": velocity}


def _mean(config: LossConfig, error: Tensor, mask: Tensor) -> Tensor:
    size = error.abs() if config.error == "absolute" else error.square()
    weight = mask.unsqueeze(-1).to(size)
    return (size * weight).sum() / (weight.sum().clamp(min=1) * size.shape[-1])

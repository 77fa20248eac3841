"""Training losses (paper Eq. 5 to 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from said_model.training.settings import LossConfig


def lip_columns(names: Sequence[str]) -> tuple[int, int] | None:
    """Return the columns of jawOpen and mouthClose, ``None`` where one of the two is missing."""
    if not {"jawOpen", "mouthClose"} <= set(names):
        return None
    return names.index("jawOpen"), names.index("mouthClose")


@dataclass(frozen=True, eq=False)
class Aperture:
    """How far lips are parted, as far as two coefficients say it: jawOpen less mouthClose.

    :param jaw: column of jawOpen.
    :param close: column of mouthClose.
    :param spread: of the difference, in the clips.
    """

    jaw: int
    close: int
    spread: float

    @classmethod
    def of(cls, values: NDArray[np.floating], names: Sequence[str]) -> Aperture | None:
        """Return it for coefficients (T, K) of these names, ``None`` where one of the two is missing."""
        columns = lip_columns(names)
        if columns is None:
            return None
        jaw, close = columns
        return cls(jaw, close, max(float((values[:, jaw] - values[:, close]).std()), 1e-3))


def diffusion_loss(
    config: LossConfig, prediction: Tensor, target: Tensor, mask: Tensor, spread: Tensor | None = None,
    aperture: Aperture | None = None,
) -> dict[str, Tensor]:  # fmt: skip
    """Return ``loss`` and its parts ``noise`` and ``velocity``, means over what the mask admits.

    :param prediction: (B, N, K) of the network.
    :param target: what it should be (the noise, in the paper).
    :param mask: (B, N) false where a frame does not count; a velocity counts where both its frames do.
    :param spread: (K,) of the coefficients, where errors are divided by it.
    :param aperture: of the lips, whose error is added ``config.lip_weight`` times: each coefficient may be right within
        its spread while lips that should touch do not.
    """
    error = prediction.float() - target
    weighed = error if spread is None else error / spread
    noise = _mean(config, weighed, mask)
    velocity = _mean(config, weighed.diff(dim=1), mask[:, 1:] & mask[:, :-1])
    loss = noise + config.velocity_weight * velocity
    if aperture is not None and config.lip_weight > 0:
        parted = (error[..., aperture.jaw] - error[..., aperture.close]) / aperture.spread
        loss = loss + config.lip_weight * _mean(config, parted[..., None], mask)
    return {"loss": loss, "noise": noise, "velocity": velocity}


def _mean(config: LossConfig, error: Tensor, mask: Tensor) -> Tensor:
    size = error.abs() if config.error == "absolute" else error.square()
    weight = mask.unsqueeze(-1).to(size)
    return (size * weight).sum() / (weight.sum().clamp(min=1) * size.shape[-1])

"""Training losses (paper Eq. 5 to 8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from said_model.training.settings import LossConfig

#: Lips are in contact where mouthClose answers so much of jawOpen; smaller openings of the jaw count as this one.
_CONTACT, _LEAST_JAW = 0.6, 0.02


def lip_columns(names: Sequence[str]) -> tuple[int, int] | None:
    """Return the columns of jawOpen and mouthClose, ``None`` where one of the two is missing."""
    if not {"jawOpen", "mouthClose"} <= set(names):
        return None
    return names.index("jawOpen"), names.index("mouthClose")


def in_contact(coefficients: Tensor, columns: tuple[int, int]) -> Tensor:
    """Return (B, N), true where the lips of coefficients (B, N, K) touch.

    :param columns: of jawOpen and mouthClose.
    """
    jaw, close = (coefficients[..., column] for column in columns)
    return close > _CONTACT * jaw.clamp(min=_LEAST_JAW)


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
    aperture: Aperture | None = None, coefficients: Tensor | None = None,
) -> dict[str, Tensor]:  # fmt: skip
    """Return ``loss`` and its parts ``noise`` and ``velocity``, means over what the mask admits.

    :param prediction: (B, N, K) of the network.
    :param target: what it should be (the noise, in the paper).
    :param mask: (B, N) false where a frame does not count; a velocity counts where both its frames do.
    :param spread: (K,) of the coefficients, where errors are divided by it.
    :param aperture: of the lips, whose error is added ``config.lip_weight`` times: each coefficient may be right within
        its spread while lips that should touch do not.
    :param coefficients: (B, N, K), the true ones, which tell where that error counts ``config.closure_weight`` times.
    """
    error = prediction.float() - target
    weighed = error if spread is None else error / spread
    noise = _mean(config, weighed, mask)
    velocity = _mean(config, weighed.diff(dim=1), mask[:, 1:] & mask[:, :-1])
    loss = noise + config.velocity_weight * velocity
    if aperture is not None and config.lip_weight > 0:
        parted = (error[..., aperture.jaw] - error[..., aperture.close]) / aperture.spread
        counted = mask.to(parted)
        if coefficients is not None and config.closure_weight != 1:
            touching = in_contact(coefficients, (aperture.jaw, aperture.close))
            counted = counted * (1 + (config.closure_weight - 1) * touching)
        loss = loss + config.lip_weight * (_size(config, parted) * counted).sum() / mask.sum().clamp(min=1)
    return {"loss": loss, "noise": noise, "velocity": velocity}


def _size(config: LossConfig, error: Tensor) -> Tensor:
    return error.abs() if config.error == "absolute" else error.square()


def _mean(config: LossConfig, error: Tensor, mask: Tensor) -> Tensor:
    size = _size(config, error)
    weight = mask.unsqueeze(-1).to(size)
    return (size * weight).sum() / (weight.sum().clamp(min=1) * size.shape[-1])

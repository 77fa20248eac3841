"""Classifier-free guidance. The formula stands here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

#: (noisy coefficients (B, N, K), timestep) to the prediction (B, N, K).
Denoise = Callable[[Tensor, float], Tensor]
#: The same, with the audio and without it.
DenoisePair = Callable[[Tensor, float], tuple[Tensor, Tensor]]


def guide(conditional: Tensor, unconditional: Tensor, scale: float) -> Tensor:
    """Paper Eq. 9: ``cond + scale * (cond - uncond)``; scale 0 is the conditional model.

    Elsewhere the scale is often counted from 1: their 3 is 2 here.
    """
    return conditional + scale * (conditional - unconditional)


def guided(pair: DenoisePair, scale: float) -> Denoise:
    """Return the guided denoiser of a pair."""
    return lambda x, timestep: guide(*pair(x, timestep), scale)

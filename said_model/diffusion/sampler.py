"""Sampling: from noise to coefficients, over any denoiser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from said_model.diffusion.guidance import Denoise
from said_model.diffusion.schedule import Schedule


@dataclass(frozen=True, eq=False)
class InpaintingConstraint:
    """What a sample must agree with (paper 4.2.4).

    :param reference: (B, N, K) coefficients.
    :param mask: (B, N, K) or anything that broadcasts to it: 1 keeps the reference, 0 is free.
    :param noise: (B, N, K) the noise that the reference is noised with, the same at every step.
    """

    reference: Tensor
    mask: Tensor
    noise: Tensor

    def impose(self, x: Tensor, schedule: Schedule, step: int) -> Tensor:
        """Paper Eq. 10: put the noised reference where the mask keeps it, as it stands before ``step``."""
        return self._blend(x, schedule.noised(self.reference, self.noise, step))

    def restore(self, coefficients: Tensor) -> Tensor:
        """Put the reference itself back where the mask keeps it."""
        return self._blend(coefficients, self.reference)

    def _blend(self, x: Tensor, kept: Tensor) -> Tensor:
        return torch.where(self.mask > 0, torch.lerp(x, kept, self.mask.to(x)), x)


def draw_noise(seed: int, shape: tuple[int, ...], device: torch.device | str = "cpu") -> Tensor:
    """Return standard normal start noise, the same on every device for a seed."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(device)


def sample(
    denoise: Denoise,
    schedule: Schedule,
    noise: Tensor,
    kept: InpaintingConstraint | None = None,
    on_step: Callable[[int], None] | None = None,
) -> Tensor:
    """Denoise from start to end.

    :param denoise: the (guided) denoiser.
    :param schedule: a fresh schedule; it is used up.
    :param noise: (B, N, K) start.
    :param kept: parts that are given; their frames and blendshapes come back exactly.
    :param on_step: is called with the number of each finished step.
    :return: (B, N, K) coefficients in [0, 1].
    """
    x = noise
    for step, timestep in enumerate(schedule.timesteps):
        if kept is not None and step > 0:
            x = kept.impose(x, schedule, step)
        x = schedule.advance(denoise(x, timestep), step, x)
        if on_step is not None:
            on_step(step + 1)
    x = schedule.coefficients(x)
    return x if kept is None else kept.restore(x)

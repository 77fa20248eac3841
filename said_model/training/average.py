"""Weights averaged over the steps of a training (exponential moving average): what is validated and kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """The averages of parameters, on their device.

    :param parameters: what is averaged; they start as their own average.
    """

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        self.parameters: list[Tensor] = list(parameters)
        self.values = [parameter.detach().clone() for parameter in self.parameters]

    @torch.no_grad()
    def update(self, decay: Tensor) -> None:
        """Move the averages to the parameters by a share of ``1 - decay``, a zero-dimensional tensor."""
        if decay.device.type == "cpu":
            torch._foreach_lerp_(self.values, self.parameters, 1 - float(decay))
            return
        # Nothing here waits for the device.
        steps = torch._foreach_sub(self.parameters, self.values)
        torch._foreach_mul_(steps, 1 - decay)
        torch._foreach_add_(self.values, steps)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Put the averages in the parameters' place for a while."""
        kept = [parameter.detach().clone() for parameter in self.parameters]
        self._set(self.values)
        try:
            yield
        finally:
            self._set(kept)

    def load(self, values: Sequence[Tensor]) -> None:
        """Take averages that were kept."""
        with torch.no_grad():
            for mine, other in zip(self.values, values, strict=True):
                mine.copy_(other)

    @torch.no_grad()
    def _set(self, values: Sequence[Tensor]) -> None:
        for parameter, value in zip(self.parameters, values, strict=True):
            parameter.copy_(value)

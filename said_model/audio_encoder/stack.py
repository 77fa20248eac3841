"""Convolutions over log-mel spectra: the part of the speech encoder that is learned (:mod:`said_model.training.encoder`)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from said_model.config import require


@dataclass(frozen=True)
class StackSettings:
    """Size of the stack.

    :param width: channels.
    :param features: width of a feature vector.
    :param dilations: of the blocks, in spectra.
    """

    width: int = 128
    features: int = 64
    dilations: tuple[int, ...] = (1, 2, 4, 6)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dilations", tuple(self.dilations))
        require(min(self.width, self.features, *self.dilations) >= 1, "wrong stack", "1 or more", self)

    @property
    def reach(self) -> int:
        """Spectra on either side that a feature depends on."""
        return 2 + sum(self.dilations)


class Block(nn.Module):
    """Normalised over channels; a dilated convolution, then one of width one, around a residual path."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.near = nn.Conv1d(width, width, 3, padding=dilation, dilation=dilation)
        self.mix = nn.Conv1d(width, width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, W, L) to (B, W, L)."""
        h = self.norm(x.transpose(1, 2)).transpose(1, 2)
        return x + self.mix(F.gelu(self.near(h)))


class Stack(nn.Module):
    """Spectra (B, bands, L) to features (B, D, L)."""

    def __init__(self, bands: int, settings: StackSettings) -> None:
        super().__init__()
        self.first = nn.Conv1d(bands, settings.width, 5, padding=2)
        self.blocks = nn.ModuleList([Block(settings.width, dilation) for dilation in settings.dilations])
        self.norm = nn.LayerNorm(settings.width)
        self.last = nn.Conv1d(settings.width, settings.features, 1)

    def forward(self, spectra: Tensor) -> Tensor:
        """(B, bands, L) to (B, D, L)."""
        x = self.first(spectra)
        for block in self.blocks:
            x = block(x)
        return self.last(self.norm(x.transpose(1, 2)).transpose(1, 2))


class CoefficientHead(nn.Module):
    """What a stack is trained through: coefficients from its features, linearly after one nonlinearity."""

    def __init__(self, features: int, coefficients: int) -> None:
        super().__init__()
        self.out = nn.Linear(features, coefficients)

    def forward(self, features: Tensor) -> Tensor:
        """(B, N, D) to (B, N, K)."""
        result: Tensor = self.out(torch.tanh(features))
        return result

"""Convolutions over log-mel spectra at animation frames: the learned part of the embedded speech encoder.

It is trained with the denoiser, and through a linear head that must predict the coefficients from its features: what
is in them is then what moves a face, in whatever voice and room it was said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blendvoca.arkit import BLENDVOCA_NAMES
from said_model.audio_encoder.perturbation import SpectraPerturbation
from said_model.ranges import (
    HIGHEST_FPS,
    LOWEST_FPS,
    MOST_FEATURES,
    MOST_SHAPES,
    WIDEST,
    listed,
    require,
    require_integer,
    require_number,
)


@dataclass(frozen=True)
class StackSettings:
    """Size of the stack.

    :param width: channels.
    :param features: width of a feature vector.
    :param dilations: of the blocks, in frames.
    :param coefficients: that the head predicts.
    :param kinds: of sound that the head predicts; their probabilities, and that of contact, stand among the features.
    :param rate: frames per second.
    """

    width: int = 256
    features: int = 64
    dilations: tuple[int, ...] = (1, 2, 3, 1, 2, 3)
    coefficients: int = len(BLENDVOCA_NAMES)
    rate: float = 60.0
    kinds: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "dilations", listed(self.dilations, "dilations"))
        require_integer(self.width, "width of the stack", 1, WIDEST)
        require_integer(self.features, "features of the stack", 1, MOST_FEATURES)
        require_integer(len(self.dilations), "number of dilations", 1, 100)
        for dilation in self.dilations:
            require_integer(dilation, "dilation", 1, 1000)
        require_integer(self.coefficients, "coefficients of the stack", 1, MOST_SHAPES)
        require_integer(self.kinds, "kinds of sound of the stack", 0, MOST_FEATURES)
        if self.kinds:
            require(self.features > self.kinds + 1, "wrong features of the stack", f"more than {self.kinds + 1}",
                    self.features)  # fmt: skip
        require_number(self.rate, "rate of the stack", LOWEST_FPS, HIGHEST_FPS)

    @property
    def learned(self) -> int:
        """Features that are not probabilities."""
        return self.features - self.kinds - 1 if self.kinds else self.features

    @property
    def context_seconds(self) -> float:
        """Seconds on either side that a feature depends on, spectra included; whole blocks of three frames.

        Where a piece of sound begins after whole blocks, spectra and frames stand as they do in the whole.
        """
        return 3 * math.ceil((self.reach + 1.5) / 3) / self.rate

    @property
    def reach(self) -> int:
        """Frames on either side that a feature depends on."""
        return 2 + sum(self.dilations)


#: Share of a block's channels that is dropped.
DROPOUT = 0.1


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
        return x + self.mix(F.dropout(F.gelu(self.near(h)), DROPOUT, self.training))


class Stack(nn.Module):
    """Spectra (B, N, bands) to features (B, N, D) between -1 and 1, and a head that predicts motion from them.

    Where the head also predicts the kind of sound, as a recogniser of speech does, its probabilities are features too:
    they say the same of every voice (phonetic posteriorgrams, Hazen et al. 2009).
    """

    def __init__(self, bands: int, settings: StackSettings) -> None:
        super().__init__()
        self.perturb = SpectraPerturbation(bands, settings.rate)
        self.first = nn.Conv1d(bands, settings.width, 5, padding=2)
        self.blocks = nn.ModuleList([Block(settings.width, dilation) for dilation in settings.dilations])
        self.norm = nn.LayerNorm(settings.width)
        self.last = nn.Linear(settings.width, settings.learned)
        self.learned, self.coefficients = settings.learned, settings.coefficients
        #: Coefficients, whether the lips are in contact (a logit), kinds of sound (logits).
        self.head = nn.Linear(settings.learned, settings.coefficients + 1 + settings.kinds)

    def forward(self, spectra: Tensor) -> Tensor:
        """(B, N, bands) to (B, N, D)."""
        seen = self.perturb(spectra) if self.training else spectra
        x = self.first(seen.transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        features = torch.tanh(self.last(self.norm(x.transpose(1, 2))))
        if self.head.out_features == self.coefficients + 1:
            return features
        told = self.head(features)[..., self.coefficients :]
        return torch.cat([features, told[..., :1].sigmoid(), told[..., 1:].softmax(-1)], dim=-1)

    def predict(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """(B, N, D) to the coefficients (B, N, K) and the logit of contact (B, N) predicted from them."""
        predicted: Tensor = self.head(features[..., : self.learned])
        return predicted[..., : self.coefficients], predicted[..., self.coefficients]

    def kinds(self, features: Tensor) -> Tensor:
        """(B, N, D) to the logits of kinds of sound (B, N, C) predicted from them."""
        predicted: Tensor = self.head(features[..., : self.learned])
        return predicted[..., self.coefficients + 1 :]

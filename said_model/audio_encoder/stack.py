"""Convolutions over log-mel spectra at animation frames: the learned part of the embedded speech encoder.

It is trained with the denoiser, and through a linear head that must predict the coefficients from its features: what
is in them is then what moves a face, in whatever voice and room it was said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blendvoca.arkit import BLENDVOCA_NAMES
from said_model.audio_encoder.mel import FLOOR
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
    dilations: tuple[int, ...] = (1, 2, 3, 1, 2, 3, 4, 6)
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


class Prediction(NamedTuple):
    """What the head predicts from features.

    :param coefficients: (B, N, K).
    :param contact: (B, N), logit of whether the lips are in contact.
    :param kinds: (B, N, C), logits of kinds of sound.
    """

    coefficients: Tensor
    contact: Tensor
    kinds: Tensor


class Stack(nn.Module):
    """Spectra (B, N, bands) to features (B, N, D) between -1 and 1, and a head that predicts motion from them.

    Where the head also predicts the kind of sound, as a recogniser of speech does, its probabilities are features too:
    they say the same of every voice (phonetic posteriorgrams, Hazen et al. 2009).

    :param centres: (bands,) of the spectra's bands on the mel scale.
    :param settings: size.
    :param floor: power that was added to the spectra.
    """

    def __init__(self, centres: Tensor, settings: StackSettings, floor: float = FLOOR) -> None:
        super().__init__()
        self.perturb = SpectraPerturbation(centres, settings.rate, floor)
        self.first = nn.Conv1d(len(centres), settings.width, 5, padding=2)
        self.blocks = nn.ModuleList([Block(settings.width, dilation) for dilation in settings.dilations])
        self.norm = nn.LayerNorm(settings.width)
        self.last = nn.Linear(settings.width, settings.learned)
        self.learned, self.parts = settings.learned, (settings.coefficients, 1, settings.kinds)
        self.head = nn.Linear(settings.learned, sum(self.parts))

    def forward(self, spectra: Tensor) -> Tensor:
        """(B, N, bands) to (B, N, D)."""
        seen = self.perturb(spectra) if self.training else spectra
        x = self.first(seen.transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        features = torch.tanh(self.last(self.norm(x.transpose(1, 2))))
        if not self.parts[-1]:
            return features
        predicted = self.predict(features)
        return torch.cat([features, predicted.contact.sigmoid()[..., None], predicted.kinds.softmax(-1)], dim=-1)

    def predict(self, features: Tensor) -> Prediction:
        """(B, N, D) to what the head predicts from them."""
        coefficients, contact, kinds = self.head(features[..., : self.learned]).split(self.parts, dim=-1)
        return Prediction(coefficients, contact[..., 0], kinds)

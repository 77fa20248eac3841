"""Training of the speech encoder's learned part, before the denoiser: features that predict what moves a face.

The head predicts coefficients, each against its spread, and whether the lips are in contact: closures are short and
small among the coefficients, and what makes lip motion look right. Where the shards tell the phones, it predicts the
kind of sound too, which differs less from take to take and from voice to voice than the motion does. The same loss
stays beside the denoiser's when that is trained.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from said_model.audio_encoder.stack import Stack
from said_model.checkpoints.state_dict import fill, read_weights, write_weights
from said_model.training.losses import in_contact, lip_columns
from said_model.training.settings import AugmentConfig, LoopConfig
from said_model.training.tasks.task import WindowTask
from said_model.training.windows import Batch, TrainingClip

WEIGHTS_FILE = "stack.safetensors"
#: Coefficients that hardly move must not weigh more than those that do.
_LEAST_SPREAD = 0.03
_CONTACT_WEIGHT = 1.5
#: Weight of the kind of sound; share of its probability that is spread over all kinds, since times of phones are rough.
_KIND_WEIGHT, _SMOOTHING = 1.0, 0.05


class StackLoss:
    """What the head misses.

    :param clips: whose spread the errors are held against.
    :param names: of the coefficients; without jawOpen and mouthClose contact is left out.
    """

    def __init__(self, clips: list[TrainingClip], names: tuple[str, ...]) -> None:
        spread = np.concatenate([clip.values for clip in clips]).std(axis=0)
        self.spread = torch.from_numpy(spread.clip(min=_LEAST_SPREAD).astype(np.float32))
        self.lips = lip_columns(names)

    def __call__(
        self, stack: Stack, features: Tensor, coefficients: Tensor, mask: Tensor, kinds: Tensor | None = None
    ) -> Tensor:
        """Return the mean loss of features (B, N, D) against coefficients (B, N, K) where ``mask`` (B, N) admits it.

        :param kinds: (B, N) of sound, where the stack predicts them.
        """
        predicted = stack.predict(features)
        miss = ((predicted.coefficients - coefficients).abs() / self.spread.to(coefficients)).mean(-1)
        if self.lips is not None:
            contact = in_contact(coefficients, self.lips).to(predicted.contact)
            missed = F.binary_cross_entropy_with_logits(predicted.contact, contact, reduction="none")
            miss = miss + _CONTACT_WEIGHT * missed
        if kinds is not None and predicted.kinds.shape[-1] > 0:
            miss = miss + _KIND_WEIGHT * F.cross_entropy(
                predicted.kinds.transpose(1, 2), kinds, reduction="none", label_smoothing=_SMOOTHING
            )
        return (miss * mask).sum() / mask.sum().clamp(min=1)


class StackTask(WindowTask):
    """The stack as the loop trains it."""

    capturable = False

    def __init__(
        self, stack: Stack, loop: LoopConfig, augment: AugmentConfig, train: list[TrainingClip],
        validation: list[TrainingClip], names: tuple[str, ...], fps: float,
    ) -> None:  # fmt: skip
        self.stack, self.miss = stack, StackLoss(train, names)
        super().__init__(stack, loop, augment, train, validation, names, fps)

    def loss(self, drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the loss of one random batch."""
        return {"loss": self._loss(self.train.cut(drawn))}

    def validate(self) -> float:
        """Return the loss over windows that cover the validation split."""
        return self.mean_loss(self._loss)

    def save(self, folder: Path, notes: Mapping[str, Any]) -> None:
        """Write the stack's weights."""
        write_weights(folder / WEIGHTS_FILE, self.stack.state_dict())

    def _loss(self, batch: Batch) -> Tensor:
        features = self.stack(batch.features.float())  # type: ignore[union-attr]  # clips are read with their spectra
        return self.miss(self.stack, features, batch.coefficients, batch.mask, batch.kinds)


def read_stack(stack: Stack, folder: Path) -> None:
    """Put the best weights of a stack's training into a stack.

    :raises FormatError: if they do not fit.
    """
    fill(stack.state_dict(), read_weights(folder / WEIGHTS_FILE), "the stack", folder)

"""What trainings on windows have in common: two splits, and how they are drawn from and validated."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from said_model.config import SAMPLE_RATE
from said_model.training.engine import BLOCK
from said_model.training.settings import AugmentConfig, LoopConfig
from said_model.training.windows import Batch, TrainingClip, WindowSource


class WindowTask:
    """Part of an :class:`said_model.training.engine.Task`; losses and checkpoints are the model's.

    :param module: what is trained.
    :param train: clips to draw from.
    :param validation: clips to validate on.
    :param names: blendshapes of both.
    :param fps: their frame rate.
    """

    chance: float | None = None
    capturable = True
    block = BLOCK

    def __init__(
        self, module: nn.Module, loop: LoopConfig, augment: AugmentConfig, train: list[TrainingClip],
        validation: list[TrainingClip], names: tuple[str, ...], fps: float,
    ) -> None:  # fmt: skip
        self.module, self.loop = module, loop
        self.train, self.held_out = (WindowSource(c, names, augment, SAMPLE_RATE, fps) for c in (train, validation))
        self.place(torch.device("cpu"), 0)

    def place(self, device: torch.device, rank: int) -> None:
        """Put the module and the clips on a device, for a process."""
        self.device, self.rank = device, rank
        self.module.to(device)
        self.train.place(device)
        self.held_out.place(device)

    def draw(self, first: int, count: int) -> dict[str, Tensor]:
        """Return windows of a block of steps."""
        return self.train.draw(first, count, self.loop.batch, self.loop.seed, self.rank)

    def mean_loss(self, loss: Callable[[Batch], Tensor], at_once: int = 32) -> float:
        """Return the mean of a loss over windows that cover the validation split."""
        places, total = self.held_out.fixed(self.held_out.config.frames), torch.zeros((), device=self.device)
        for start in range(0, len(places), at_once):
            batch = self.held_out.at(places[start : start + at_once])
            total += loss(batch) * len(batch.mask)
        return float(total.cpu()) / len(places)

"""Training of the regression baseline, from the same shards and windows as SAiD."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from blendvoca.dataset import BlendVOCA
from said_model.audio_encoder import normalise
from said_model.config import SAMPLE_RATE
from said_model.evaluation.baselines.end2end_au import End2EndAU, RegressorConfig, regression_loss, save_regressor
from said_model.training.loop import Outcome, Report, run
from said_model.training.settings import AugmentConfig, LoopConfig
from said_model.training.tasks.said import extent, training_clips
from said_model.training.tasks.task import WindowTask
from said_model.training.windows import Batch, TrainingClip


class RegressionTask(WindowTask):
    """The baseline as the loop trains it."""

    #: Recurrent layers draw their dropout by themselves.
    capturable = False

    def __init__(
        self, model: End2EndAU, loop: LoopConfig, augment: AugmentConfig, train: list[TrainingClip],
        validation: list[TrainingClip],
    ) -> None:  # fmt: skip
        self.model = model
        super().__init__(model, loop, augment, train, validation, model.config.names, model.config.fps)

    def loss(self, drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the loss of one random batch."""
        return {"loss": self._loss(self.train.cut(drawn))}

    def _loss(self, batch: Batch) -> Tensor:
        waveform = normalise(batch.waveform)  # type: ignore[arg-type]  # clips are read with their waveforms
        return regression_loss(self.module(waveform, batch.coefficients.shape[1]), batch.coefficients, batch.mask)

    def validate(self) -> float:
        """Return the loss over windows that cover the split."""
        return self.mean_loss(self._loss)

    def save(self, folder: Path, notes: Mapping[str, Any]) -> None:
        """Write weights and configuration."""
        save_regressor(folder, self.model, notes)


def train_end2end(
    shards: str | Path,
    out: str | Path,
    loop: LoopConfig,
    frames: int = 120,
    on_report: Callable[[Report], None] | None = None,
    device: str | None = None,
    on_note: Callable[[str], None] | None = None,
) -> Outcome:
    """Train the baseline from shards with sound into a folder.

    :raises AudioError: for shards without sound.
    :raises MissingInputError: for shards without both splits.
    """
    torch.manual_seed(loop.seed)
    splits = [BlendVOCA(shards, split, audio_rate=SAMPLE_RATE) for split in ("train", "validation")]
    names = splits[0].names
    clips = [training_clips(dataset, names, None) for dataset in splits]
    model = End2EndAU(RegressorConfig(names, splits[0].entry(0).fps))
    facts = {"end2end": dataclasses.asdict(model.config), "frames": frames}
    task = RegressionTask(model, loop, AugmentConfig(frames), clips[0], clips[1])
    about = extent(clips[0], model.config.fps)
    return run(task, out, loop, facts, on_report, device, on_note, about)

"""Training of the sync expert: every frame of sound has to find its own frame of motion within its window."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from blendvoca.dataset import BlendVOCA
from blendvoca.internal.progress import Progress
from said_model.audio_encoder.features import FeatureCache, Shifts, fill_together
from said_model.config import LOG_MEL, SAMPLE_RATE
from said_model.evaluation.sync_expert import SyncConfig, SyncExpert, save_sync
from said_model.training.loop import Outcome, Report, run
from said_model.training.recipes import load_encoder
from said_model.training.settings import AugmentConfig, LoopConfig, SyncSettings, loop_of
from said_model.training.tasks.said import extent, training_clips
from said_model.training.tasks.task import WindowTask
from said_model.training.windows import Batch, TrainingClip

#: Frames of a training window.
FRAMES = 120


class SyncTask(WindowTask):
    """The sync expert as the loop trains it."""

    chance: float | None = math.log(FRAMES)

    def __init__(
        self, model: SyncExpert, loop: LoopConfig, train: list[TrainingClip], validation: list[TrainingClip]
    ) -> None:
        self.model = model
        # Sound that is moved against the motion would teach the wrong instant.
        augment = AugmentConfig(FRAMES, shift_probability=0.0)
        super().__init__(model, loop, augment, train, validation, model.config.names, model.config.fps)

    def loss(self, drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the loss of one random batch."""
        return self._loss(self.train.cut(drawn))

    def _loss(self, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropy of the instant among all frames of the window (InfoNCE), both ways."""
        features = batch.features.float()  # type: ignore[union-attr]  # clips are read with their features
        sound, seen = self.model.encode_audio(features), self.model.encode_motion(batch.coefficients)
        scores = (sound @ seen.transpose(1, 2)) / self.model.log_temperature.exp()
        scores = scores.masked_fill(~(batch.mask[:, None] & batch.mask[:, :, None]), -1e4)
        instant = torch.arange(scores.shape[1], device=scores.device).expand(len(scores), -1)
        instant = torch.where(batch.mask, instant, -100)
        parts = [F.cross_entropy(view, instant) for view in (scores, scores.transpose(1, 2))]
        return {"loss": (parts[0] + parts[1]) / 2}

    def validate(self) -> float:
        """Return the loss over windows that cover the split."""
        return self.mean_loss(lambda batch: self._loss(batch)["loss"])

    def save(self, folder: Path, notes: Mapping[str, Any]) -> None:
        """Write weights and configuration."""
        save_sync(folder, self.model, notes)


def train_sync(
    shards: str | Path,
    out: str | Path,
    loop: LoopConfig | None = None,
    *,
    encoder: str = LOG_MEL,
    on_report: Callable[[Report], None] | None = None,
    on_features: Progress | None = None,
    device: str | None = None,
    on_note: Callable[[str], None] | None = None,
    preset: str | None = None,
) -> Outcome:
    """Train a sync expert from shards with sound, for :func:`~said_model.evaluation.sync_expert.load_sync`.

    :raises AudioError: for shards without sound.
    :raises MissingInputError: for shards without both splits.
    """
    loop = loop or loop_of(SyncSettings())
    torch.manual_seed(loop.seed)
    loaded, described = load_encoder(encoder)
    splits = [BlendVOCA(shards, split, audio_rate=SAMPLE_RATE) for split in ("train", "validation")]
    names, fps = splits[0].names, splits[0].entry(0).fps if len(splits[0]) else 60.0
    cache = FeatureCache(shards, loaded, described.name, fps, Shifts())
    fill_together([(cache, split) for split in splits], on_features, device)
    clips = [training_clips(dataset, names, cache) for dataset in splits]
    model = SyncExpert(SyncConfig(names, fps, loaded.feature_dim, described.name))
    facts = {"sync": dataclasses.asdict(model.config), "preset": preset}
    about = f"{extent(clips[0], fps)}; {described.name}"
    return run(SyncTask(model, loop, clips[0], clips[1]), out, loop, facts, on_report, device, on_note, about)

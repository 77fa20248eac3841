"""Training of the metric VAE (paper supplement 11.2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.dataset import BlendVOCA
from blendvoca.errors import ConfigurationError
from blendvoca.speakers import VOCASET_FPS
from said_model.checkpoints.state_dict import write_weights
from said_model.evaluation.vae import FRAMES, CoefficientVAE, Reconstruction
from said_model.training.loop import Outcome, Report, run
from said_model.training.settings import AugmentConfig, VaeConfig
from said_model.training.tasks.said import LEAST_SPREAD, extent, training_clips
from said_model.training.tasks.task import WindowTask
from said_model.training.windows import Batch, TrainingClip

WEIGHTS_FILE = "vae.safetensors"


class VaeTask(WindowTask):
    """The VAE as the loop trains it."""

    #: Its latents are drawn by torch.
    capturable = False

    def __init__(
        self, config: VaeConfig, train: list[TrainingClip], validation: list[TrainingClip], names: tuple[str, ...]
    ) -> None:
        self.model, self.config = CoefficientVAE(), config
        spread = np.concatenate([clip.values for clip in train]).std(axis=0).clip(min=LEAST_SPREAD)
        self.spread = torch.from_numpy(spread.astype(np.float32))
        augment = AugmentConfig(FRAMES, shift_probability=0.0)
        super().__init__(self.model, config.loop, augment, train, validation, names, VOCASET_FPS)

    def place(self, device: torch.device, rank: int) -> None:
        """Put the model, the clips and their spread on a device."""
        super().place(device, rank)
        self.spread = self.spread.to(device)

    def draw(self, first: int, count: int) -> dict[str, Tensor]:
        """Return windows and the weight of the KL term (:meth:`VaeConfig.kl_weight`) of a block of steps."""
        config = self.config
        steps = torch.arange(first, first + count, device=self.device).double()
        within = (steps * (config.cycles / config.loop.steps)) % 1.0
        weight = config.largest_weight * (within / config.rising).clamp(max=1.0)
        return {**super().draw(first, count), "kl_weight": weight.float()}

    def loss(self, drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the loss of one random batch (Eq. 18)."""
        windows = self.train.cut(drawn).coefficients
        return self._losses(self.module(windows), windows, drawn["kl_weight"])

    def _losses(self, answer: Reconstruction, windows: Tensor, kl_weight: Tensor | float) -> dict[str, Tensor]:
        """Return Eq. 16 and 17, each summed over a window and averaged over the batch."""
        error = (windows - answer.coefficients) / self.spread
        reconstruction = error.square().sum((1, 2)).mean()
        velocity = error.diff(dim=1).square().sum((1, 2)).mean()
        spread = answer.log_variance.exp() + answer.mean.square() - 1 - answer.log_variance
        divergence = 0.5 * spread.sum(1).mean()
        loss = reconstruction + velocity + kl_weight * divergence
        return {"loss": loss, "reconstruction": reconstruction, "velocity": velocity, "divergence": divergence}

    def validate(self) -> float:
        """Return reconstruction plus velocity error of the split's windows, decoded from the latent's mean."""

        def loss(batch: Batch) -> Tensor:
            return self._losses(self.module(batch.coefficients), batch.coefficients, 0.0)["loss"]

        return self.mean_loss(loss, 64)

    def save(self, folder: Path, notes: Mapping[str, Any]) -> None:
        """Write the weights; ``said_model.evaluation.vae.load_vae`` reads them."""
        write_weights(folder / WEIGHTS_FILE, self.model.state_dict())


def train_vae(
    shards: str | Path,
    out: str | Path,
    config: VaeConfig | None = None,
    on_report: Callable[[Report], None] | None = None,
    device: str | None = None,
    on_note: Callable[[str], None] | None = None,
    preset: str | None = None,
) -> Outcome:
    """Train the VAE on the training split of shards; ``out/vae.safetensors`` is the best by validation.

    :raises MissingInputError: for shards without a training or validation split.
    :raises ConfigurationError: for shards that lack one of BlendVOCA's blendshapes.
    """
    config = config or VaeConfig()
    torch.manual_seed(config.loop.seed)
    splits = [BlendVOCA(shards, split, audio=False) for split in ("train", "validation")]
    clips = [_columns(training_clips(dataset, dataset.names, None, audio=False), dataset) for dataset in splits]
    task = VaeTask(config, clips[0], clips[1], BLENDVOCA_NAMES)
    facts = {key: value for key, value in dataclasses.asdict(config).items() if key != "loop"}
    about = extent(clips[0], VOCASET_FPS)
    return run(task, out, config.loop, {"vae": facts, "preset": preset}, on_report, device, on_note, about)


def _columns(clips: list[TrainingClip], dataset: BlendVOCA) -> list[TrainingClip]:
    """Return the clips in the VAE's columns; further ones are left out."""
    missing = [name for name in BLENDVOCA_NAMES if name not in dataset.names]
    if missing:
        raise ConfigurationError("the VAE knows other blendshapes", expected=f"the {len(BLENDVOCA_NAMES)} of BlendVOCA",
                                 found=f"no {missing}")  # fmt: skip
    order = [dataset.names.index(name) for name in BLENDVOCA_NAMES]
    return [dataclasses.replace(clip, values=clip.values[:, order]) for clip in clips]

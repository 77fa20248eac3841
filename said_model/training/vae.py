"""Training of the metric VAE (paper supplement 11.2)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.dataset import BlendVOCA
from blendvoca.errors import ConfigurationError
from blendvoca.speakers import VOCASET_FPS
from said_model.checkpoints.state_dict import write_weights
from said_model.config import SAMPLE_RATE, require
from said_model.evaluation.vae import FRAMES, CoefficientVAE, Reconstruction
from said_model.training.loop import LoopConfig, Outcome, Report, run
from said_model.training.said import training_clips
from said_model.training.windows import AugmentConfig, TrainingClip, WindowSource

WEIGHTS_FILE = "vae.safetensors"
#: Coefficients that never move have no spread to weigh their error by.
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True)
class VaeConfig:
    """A training of the VAE; the defaults are the paper's.

    :param cycles: of the annealing.
    :param rising: share of a cycle in which the weight of the KL term rises linearly.
    :param largest_weight: of the KL term (β of Eq. 18), reached after the rise and held.
    """

    loop: LoopConfig = field(
        default_factory=lambda: LoopConfig(steps=100_000, learning_rate=1e-4, ema_decay=0.99, evaluate_every=1000)
    )
    cycles: int = 10
    rising: float = 0.5
    largest_weight: float = 1.0

    def __post_init__(self) -> None:
        require(self.cycles >= 1, "wrong number of annealing cycles", "1 or more", self.cycles)
        require(0 < self.rising <= 1, "wrong share of rise", "above 0, to 1", self.rising)
        require(self.largest_weight >= 0, "wrong weight of the KL term", "0 or more", self.largest_weight)

    def kl_weight(self, step: int) -> float:
        """Return β at a step: a saw-tooth with plateaus (cyclical annealing, Fu et al. 2019)."""
        within = (step * self.cycles / self.loop.steps) % 1.0
        return self.largest_weight * min(within / self.rising, 1.0)


class VaeTask:
    """The VAE as the loop trains it."""

    chance: float | None = None

    def __init__(
        self, config: VaeConfig, train: list[TrainingClip], validation: list[TrainingClip], names: tuple[str, ...]
    ) -> None:
        self.model, self.config = CoefficientVAE(), config
        self.module: nn.Module = self.model
        augment = AugmentConfig(FRAMES, shift_probability=0.0)
        self.train, self.held_out = (
            WindowSource(clips, names, augment, SAMPLE_RATE, VOCASET_FPS) for clips in (train, validation)
        )
        spread = np.concatenate([clip.values for clip in train]).std(axis=0).clip(min=_LEAST_SPREAD)
        self.spread = torch.from_numpy(spread.astype(np.float32))

    def loss(self, step: int, rank: int, device: torch.device) -> dict[str, Tensor]:
        """Return the loss of one random batch (Eq. 18)."""
        loop = self.config.loop
        windows = self.train.draw(step, loop.batch, loop.seed + 1000 * rank).coefficients.to(device)
        return self._losses(self.module(windows), windows, self.config.kl_weight(step))

    def _losses(self, answer: Reconstruction, windows: Tensor, kl_weight: float) -> dict[str, Tensor]:
        """Return Eq. 16 and 17, each summed over a window and averaged over the batch."""
        miss = (windows - answer.coefficients) / self.spread.to(windows)
        reconstruction = miss.square().sum((1, 2)).mean()
        velocity = miss.diff(dim=1).square().sum((1, 2)).mean()
        spread = answer.log_variance.exp() + answer.mean.square() - 1 - answer.log_variance
        divergence = 0.5 * spread.sum(1).mean()
        loss = reconstruction + velocity + kl_weight * divergence
        return {"loss": loss, "reconstruction": reconstruction, "velocity": velocity, "divergence": divergence}

    def validate(self, device: torch.device) -> float:
        """Return reconstruction plus velocity error of the split's windows, decoded from the latent's mean."""
        places = self.held_out.fixed(FRAMES)
        total = 0.0
        for start in range(0, len(places), 64):
            windows = self.held_out.at(places[start : start + 64]).coefficients.to(device)
            losses = self._losses(self.module(windows), windows, 0.0)
            total += float(losses["loss"]) * len(windows)
        return total / len(places)

    def save(self, folder: Path, notes: Mapping[str, Any]) -> None:
        """Write the weights; ``said_model.evaluation.vae.load_vae`` reads them."""
        write_weights(folder / WEIGHTS_FILE, self.model.state_dict())


def train_vae(
    shards: str | Path,
    out: str | Path,
    config: VaeConfig | None = None,
    on_report: Callable[[Report], None] | None = None,
    device: str | None = None,
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
    return run(task, out, config.loop, {"vae": facts}, on_report, device)


def _columns(clips: list[TrainingClip], dataset: BlendVOCA) -> list[TrainingClip]:
    """Return the clips in the VAE's columns; further ones are left out."""
    missing = [name for name in BLENDVOCA_NAMES if name not in dataset.names]
    if missing:
        raise ConfigurationError("the VAE knows other blendshapes", expected=f"the {len(BLENDVOCA_NAMES)} of BlendVOCA",
                                 found=f"no {missing}")  # fmt: skip
    order = [dataset.names.index(name) for name in BLENDVOCA_NAMES]
    return [dataclasses.replace(clip, values=clip.values[:, order]) for clip in clips]

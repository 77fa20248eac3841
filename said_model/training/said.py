"""Training of SAiD (paper 4.2.2 and 5.1)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import ConfigurationError, MissingInputError
from blendvoca.progress import Progress
from said_model.audio_encoder import normalise
from said_model.audio_encoder.features import (
    AcousticAugmentation,
    FeatureCache,
    Shifts,
    Views,
    fill_together,
    speech,
)
from said_model.checkpoints import folder as checkpoint
from said_model.config import (
    SAMPLE_RATE,
    Alignment,
    DenoiserConfig,
    DiffusionConfig,
    EncoderConfig,
    ModelConfig,
    require,
)
from said_model.diffusion.schedule import alpha_bars
from said_model.network.said import SaidNetwork
from said_model.training.loop import LoopConfig, Outcome, Report, run
from said_model.training.losses import DiffusionLoss
from said_model.training.windows import AugmentConfig, Batch, TrainingClip, WindowSource

#: Loss of a network that predicts no noise at all: E|ε| + E|εⁿ⁺¹ − εⁿ| of standard normal noise.
_CHANCE_NOISE, _CHANCE_VELOCITY = math.sqrt(2 / math.pi), 2 / math.sqrt(math.pi)
#: Validation windows are at most so many, spread over the split.
_VALIDATION_WINDOWS = 64


@dataclass(frozen=True)
class TrainConfig:
    """A training of SAiD; the defaults are the paper's.

    :param null_probability: of replacing the audio features by the null condition (paper 4.2.3).
    :param finetune_encoder: train the speech encoder too (ablation of Table 2); features are then not cached.
    :param cache: read the encoder's features from a cache, computed once.
    :param shifts: cached audio shifts.
    :param views: V, cached views of a clip: the clean sound and V - 1 under acoustic augmentation; 1 for the clean one
        alone.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    loop: LoopConfig = field(default_factory=LoopConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    loss: DiffusionLoss = field(default_factory=DiffusionLoss)
    null_probability: float = 0.1
    finetune_encoder: bool = False
    cache: bool = True
    shifts: int = 5
    views: int = 1

    def __post_init__(self) -> None:
        require(0 <= self.null_probability <= 1, "wrong probability", "0 to 1", self.null_probability)
        if self.finetune_encoder and self.cache:
            what = "features of an encoder that is trained cannot be cached"
            raise ConfigurationError(what, remedy="Use --no-cache.")
        if self.views > 1 and not self.cache:
            raise ConfigurationError("acoustic views are cached ones", remedy="Leave out --no-cache, or the views.")


def training_clips(
    dataset: BlendVOCA, names: tuple[str, ...], cache: FeatureCache | None, audio: bool = True
) -> list[TrainingClip]:
    """Read all clips of a split: coefficients, and cached features or waveforms.

    :param cache: features are taken from it; without one, waveforms are kept (where ``audio``).
    :raises ConfigurationError: if the dataset has other blendshapes than the model.
    :raises MissingInputError: if the split is empty.
    """
    if tuple(dataset.names) != tuple(names):
        missing = [name for name in names if name not in dataset.names]
        raise ConfigurationError(
            "the shards hold other blendshapes than the model", expected=list(names), found=f"no {missing}"
            if missing else "the same in another order"
        )  # fmt: skip
    if len(dataset) == 0:
        raise MissingInputError(f"no clips in the split {dataset.split!r}", path=dataset.root)
    clips = []
    for row in range(len(dataset)):
        clip = dataset[row]
        clips.append(
            TrainingClip(
                clip.track.values.astype(np.float32),
                cache.read(dataset, row) if cache is not None else None,
                speech(clip.waveform, f"{clip.speaker}/{clip.sentence}") if cache is None and audio else None,
                dataset.speakers.index(clip.speaker),
                cache.read_views(dataset, row) if cache is not None else None,
            )
        )
    return clips


class SaidTask:
    """SAiD as the loop trains it."""

    def __init__(
        self, network: SaidNetwork, config: TrainConfig, train: list[TrainingClip], validation: list[TrainingClip]
    ) -> None:
        self.network, self.config = network, config
        self.module: nn.Module = network
        if not config.finetune_encoder:
            network.freeze_encoder()
        names, fps = config.model.names, config.model.fps
        self.train = WindowSource(train, names, config.augment, SAMPLE_RATE, fps)
        self.held_out = WindowSource(validation, names, config.augment, SAMPLE_RATE, fps)
        self.signal = alpha_bars(config.model.diffusion).double()
        loss = config.loss
        known = loss.error == "absolute" and config.model.diffusion.prediction == "epsilon"
        self.chance = _CHANCE_NOISE + loss.velocity_weight * _CHANCE_VELOCITY if known else None

    def loss(self, step: int, rank: int, device: torch.device) -> dict[str, Tensor]:
        """Return the loss of one random batch (paper Eq. 8)."""
        loop = self.config.loop
        batch = self.train.draw(step, loop.batch, loop.seed + 1000 * rank).to(device)
        count = len(batch.coefficients)
        timesteps = torch.randint(len(self.signal), (count,)).to(device)
        noise = torch.randn(batch.coefficients.shape).to(device)
        silent = (torch.rand(count) < self.config.null_probability).to(device)
        return self._loss(batch, timesteps, noise, silent)

    def _loss(self, batch: Batch, timesteps: Tensor, noise: Tensor, silent: Tensor) -> dict[str, Tensor]:
        clean = self.config.model.diffusion.scale * batch.coefficients
        share = self.signal.to(device=clean.device)[timesteps][:, None, None]
        signal, spread = share.sqrt().to(clean), (1 - share).sqrt().to(clean)
        noisy = signal * clean + spread * noise
        target = {"epsilon": noise, "sample": clean, "v_prediction": signal * noise - spread * clean}
        prediction = self.module(noisy, timesteps, self._audio(batch, silent))
        return self.config.loss(prediction, target[self.config.model.diffusion.prediction], batch.mask)

    def _audio(self, batch: Batch, silent: Tensor) -> Tensor:
        """Return the features, replaced by the null condition where ``silent`` (paper 4.2.3)."""
        features = batch.features
        if features is None:
            waveform = normalise(batch.waveform)  # type: ignore[arg-type]  # one of both is always given
            with torch.set_grad_enabled(self.config.finetune_encoder and torch.is_grad_enabled()):
                features = self.network.encode(waveform, batch.coefficients.shape[1])
        return torch.where(silent[:, None, None], self.network.null_features(1, 1), features)

    def validate(self, device: torch.device) -> float:
        """Return the mean loss over fixed windows, timesteps and noise, with the audio given."""
        places = self.held_out.fixed(self.config.augment.frames)
        places = places[:: max(len(places) // _VALIDATION_WINDOWS, 1)]
        generator = torch.Generator().manual_seed(0)
        total = 0.0
        for start in range(0, len(places), 16):
            batch = self.held_out.at(places[start : start + 16]).to(device)
            count = len(batch.coefficients)
            # Even over the timesteps, so that few windows still cover them.
            timesteps = (torch.arange(start, start + count) * 389 % len(self.signal)).to(device)
            noise = torch.randn(batch.coefficients.shape, generator=generator).to(device)
            losses = self._loss(batch, timesteps, noise, torch.zeros(count, dtype=torch.bool, device=device))
            total += float(losses["loss"]) * count
        return total / len(places)

    def save(self, folder: Path, notes: Mapping[str, Any]) -> None:
        """Write the checkpoint."""
        checkpoint.save(folder, self.network, notes)


def train(
    shards: str | Path,
    out: str | Path,
    config: TrainConfig,
    *,
    network: SaidNetwork | None = None,
    on_report: Callable[[Report], None] | None = None,
    on_features: Progress | None = None,
    device: str | None = None,
    augment: AcousticAugmentation | None = None,
) -> Outcome:
    """Train SAiD from shards into a folder (checkpoint, log, state for resuming).

    :param network: to start from; by default a new one of ``config.model``.
    :param on_report: hears of the training's progress.
    :param on_features: of the feature cache's.
    :param augment: what makes ``config.views - 1`` further views of every training clip; validation stays clean.
    :raises AudioError: for shards without sound.
    :raises ConfigurationError: for shards with other blendshapes than the model's.
    """
    torch.manual_seed(config.loop.seed)
    network = checkpoint.build(config.model) if network is None else network
    splits = [BlendVOCA(shards, split, audio_rate=SAMPLE_RATE) for split in ("train", "validation")]
    cache = None
    if config.cache:
        cache = FeatureCache(
            shards, network.audio_encoder, config.model.encoder.name, config.model.fps, Shifts(config.shifts),
            _views(config, augment),
        )  # fmt: skip
        fill_together(cache, splits[:1], on_features, device)
        fill_together(cache.clean_only(), splits[1:], on_features, device)
    caches = (cache, cache.clean_only() if cache is not None else None)
    clips = [training_clips(dataset, config.model.names, held) for dataset, held in zip(splits, caches)]
    task = SaidTask(network, config, clips[0], clips[1])
    facts = {key: value for key, value in dataclasses.asdict(config).items() if key not in ("loop", "model")}
    facts["acoustics"] = augment.name if augment is not None else None
    return run(task, out, config.loop, {"model": config.model.to_dict(), **facts}, on_report, device)


def _views(config: TrainConfig, augment: AcousticAugmentation | None) -> Views | None:
    if (config.views > 1) != (augment is not None):
        raise ConfigurationError("acoustic views and augmentation go together", expected="both or none",
                                 found=(config.views, getattr(augment, "name", None)))  # fmt: skip
    return Views(augment, config.views) if augment is not None else None


def model_for(
    shards: str | Path,
    encoder: EncoderConfig,
    feature_dim: int,
    width: int = 192,
    alignment: Alignment | None = None,
    diffusion: DiffusionConfig | None = None,
) -> ModelConfig:
    """Return the configuration of a new model for a dataset's blendshapes and frame rate.

    :param width: channels; every 32 of them make a head.
    :raises MissingInputError: if the dataset has no training split.
    """
    dataset = BlendVOCA(shards, "train", audio=False)
    if len(dataset) == 0:
        raise MissingInputError("no clips to train on", expected="a training split", path=Path(shards))
    denoiser = DenoiserConfig(width, max(width // 32, 1), feature_dim, alignment=alignment or Alignment())
    return ModelConfig(dataset.names, dataset.entry(0).fps, encoder, denoiser, diffusion or DiffusionConfig())

"""Trainings by name: what the command line and the ablations ask for, as configurations of the same trainer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from blendvoca.errors import ConfigurationError
from said_model import audio_encoder
from said_model.config import LOG_MEL, Alignment, DiffusionConfig, EncoderConfig, Prediction
from said_model.network.said import SaidNetwork
from said_model.training.loop import LoopConfig
from said_model.training.losses import DiffusionLoss
from said_model.training.said import TrainConfig, model_for
from said_model.training.windows import AugmentConfig


@dataclass(frozen=True)
class Recipe:
    """A training and the untrained network that it starts from."""

    config: TrainConfig
    network: SaidNetwork


def load_encoder(name: str) -> tuple[audio_encoder.AudioEncoder, EncoderConfig]:
    """Load a speech encoder by name: log-mel, or one that transformers can read.

    :raises DownloadError: if it is not on this machine and cannot be fetched.
    """
    if name == LOG_MEL:
        config = EncoderConfig()
        return audio_encoder.build(config), config
    from said_model.audio_encoder.pretrained import load_pretrained

    return load_pretrained(name)


def said_recipe(
    shards: str | Path,
    encoder: str = LOG_MEL,
    *,
    width: int = 192,
    alignment: str = "1",
    prediction: Prediction = "epsilon",
    scale: float = 1.0,
    error: str = "absolute",
    velocity_weight: float = 1.0,
    steps: int = 50_000,
    batch: int = 8,
    frames: int = 120,
    learning_rate: float = 1e-5,
    warmup: int = 500,
    decay: str = "constant",
    ema: float = 0.9999,
    evaluate_every: int = 1000,
    precision: str = "no",
    compiled: bool = False,
    seed: int = 0,
    no_cache: bool = False,
    finetune_encoder: bool = False,
) -> Recipe:
    """Return the training that these options describe; the defaults are the paper's (5.1).

    :raises ConfigurationError: for a setting out of range.
    :raises MissingInputError: for shards without a training split.
    """
    heard, described = load_encoder(encoder)
    if finetune_encoder:
        if next(heard.parameters(), None) is None:
            raise ConfigurationError(f"{described.name} has no weights to fine-tune",
                                     remedy="Name another --encoder.")  # fmt: skip
        # Weights that are trained belong to the checkpoint.
        described = EncoderConfig(described.name, described.settings, stored=True)
    diffusion = DiffusionConfig(prediction=prediction, scale=scale)
    model = model_for(shards, described, heard.feature_dim, width, Alignment.parse(alignment), diffusion)
    loop = LoopConfig(
        steps=steps, batch=batch, learning_rate=learning_rate, warmup=warmup, decay=decay, ema_decay=ema, seed=seed,
        evaluate_every=evaluate_every, precision=precision, compile=compiled,
    )  # fmt: skip
    config = TrainConfig(
        model, loop, AugmentConfig(frames), DiffusionLoss(error, velocity_weight),
        finetune_encoder=finetune_encoder, cache=not (no_cache or finetune_encoder),
    )  # fmt: skip
    torch.manual_seed(seed)
    return Recipe(config, SaidNetwork(model, heard))

"""Trainings by name: what the command line and the ablations ask for, as configurations of the same trainer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import ConfigurationError
from blendvoca.synthetic.performance.visemes import KINDS, PHONES
from said_model import audio_encoder
from said_model.audio_encoder.mel import STACK_FLOOR
from said_model.audio_encoder.stack import StackSettings
from said_model.checkpoints.folder import read_sampler
from said_model.config import LOG_MEL, Alignment, DiffusionConfig, EncoderConfig
from said_model.network.said import SaidNetwork
from said_model.training.acoustics import AcousticAugmentation, augmentation
from said_model.training.presets import resolve
from said_model.training.settings import (
    AugmentConfig,
    DistillConfig,
    DistillSettings,
    LossConfig,
    SaidSettings,
    TrainConfig,
    loop_of,
)
from said_model.training.tasks.said import model_for


@dataclass(frozen=True)
class Recipe:
    """A training, the untrained network that it starts from, and the preset's name, if it has one."""

    config: TrainConfig
    network: SaidNetwork
    preset: str | None = None
    augment: AcousticAugmentation | None = None


@dataclass(frozen=True)
class DistillRecipe:
    """A distillation, and the preset's name, if it has one."""

    config: DistillConfig
    preset: str | None = None
    augment: AcousticAugmentation | None = None


def load_encoder(name: str) -> tuple[audio_encoder.AudioEncoder, EncoderConfig]:
    """Load a speech encoder by name: log-mel, or one that transformers can read.

    :raises DownloadError: if it is not on this machine and cannot be fetched.
    """
    if name == LOG_MEL:
        config = EncoderConfig()
        return audio_encoder.build(config), config
    from said_model.audio_encoder.pretrained import load_pretrained

    return load_pretrained(name)


def said_recipe(shards: str | Path, encoder: str = LOG_MEL, preset: str | None = None, **options: Any) -> Recipe:
    """Return the training that a preset and options describe; without any, the paper's (5.1).

    :param preset: of :data:`said_model.training.presets.PRESETS`.
    :param options: of :class:`said_model.training.settings.SaidSettings`.
    :raises ConfigurationError: for a setting out of range, or options that contradict the preset.
    :raises MissingInputError: for shards without a training split.
    """
    chosen = resolve(SaidSettings, preset, options)
    torch.manual_seed(chosen.seed)
    dataset = BlendVOCA(shards, "train", audio=False)
    loaded, described = _with_stack(encoder, dataset) if chosen.stack else load_encoder(encoder)
    augment = augmentation(chosen.acoustics)
    if chosen.finetune_encoder:
        if next(loaded.parameters(), None) is None:
            raise ConfigurationError(f"{described.name} has no weights to fine-tune",
                                     remedy="Name another --encoder.")  # fmt: skip
        # Weights that are trained belong to the checkpoint.
        described = EncoderConfig(described.name, described.settings, stored=True)
    diffusion = DiffusionConfig(prediction=chosen.prediction, scale=chosen.scale)  # type: ignore[arg-type]  # it checks
    alignment = Alignment.parse(chosen.alignment)
    model = model_for(shards, described, loaded.feature_dim, chosen.width, alignment, diffusion)
    loss = LossConfig(
        chosen.error, chosen.velocity_weight, chosen.weigh_shapes, chosen.lip_weight, chosen.closure_weight
    )  # fmt: skip
    config = TrainConfig(
        model, loop_of(chosen, len(dataset)), _augment(chosen),
        loss, chosen.null_probability,
        "window" if chosen.finetune_encoder else chosen.encoder_input, chosen.encoder_training_mode,
        chosen.finetune_encoder, cache=not chosen.no_cache,
        views=chosen.views if augment else 1, validation=chosen.validation,
        stack_steps=chosen.stack_steps if chosen.stack else 0, guidance=chosen.guidance,
    )  # fmt: skip
    return Recipe(config, SaidNetwork(model, loaded), preset, augment)


def distill_recipe(teacher: str | Path, preset: str | None = None, **options: Any) -> DistillRecipe:
    """Return the distillation that a preset and options describe.

    :param teacher: folder of a checkpoint, whose guidance is the default.
    :param options: of :class:`said_model.training.settings.DistillSettings`.
    :raises ConfigurationError: for a setting out of range, or options that contradict the preset.
    :raises MissingInputError: if there is no checkpoint.
    """
    chosen = resolve(DistillSettings, preset, options)
    if chosen.teacher_steps < chosen.student_steps or chosen.teacher_steps % max(chosen.student_steps, 1):
        raise ConfigurationError(
            "the teacher takes a whole number of steps for each of the student's",
            expected=f"a multiple of {chosen.student_steps}", found=chosen.teacher_steps,
        )  # fmt: skip
    augment = augmentation(chosen.acoustics)
    guidance = read_sampler(teacher).guidance_scale if chosen.guidance is None else chosen.guidance
    config = DistillConfig(
        loop_of(chosen), guidance, chosen.student_steps, chosen.teacher_steps // chosen.student_steps,
        chosen.round_windows, chosen.round_steps, chosen.frames, chosen.views if augment else 1,
    )  # fmt: skip
    return DistillRecipe(config, preset, augment)


def _with_stack(encoder: str, dataset: BlendVOCA) -> tuple[audio_encoder.AudioEncoder, EncoderConfig]:
    """Make a log-mel encoder with a stack, whose weights belong to the checkpoint."""
    if encoder != LOG_MEL:
        raise ConfigurationError("learned convolutions stand on log-mel spectra", expected=LOG_MEL, found=encoder,
                                 remedy="Leave out --stack or --encoder.")  # fmt: skip
    rate = dataset.entry(0).fps if len(dataset) else StackSettings.rate
    known = len(dataset) > 0 and PHONES in dataset[0].provenance
    stack = StackSettings(coefficients=len(dataset.names), rate=rate, kinds=len(KINDS) if known else 0)
    config = EncoderConfig(LOG_MEL, {"floor": STACK_FLOOR, "stack": asdict(stack)}, stored=True)
    return audio_encoder.build(config), config


def _augment(chosen: SaidSettings) -> AugmentConfig:
    return AugmentConfig(
        chosen.frames, chosen.shift_probability, chosen.mirror_probability, chosen.random_length, chosen.overhang,
        chosen.replacement,
    )  # fmt: skip

"""Options that the commands which train SAiD share: settings of :func:`said_model.training.recipes.said_recipe`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])
_OPTIONS = (
    click.option("--encoder", default="log-mel", show_default=True,
                 help="log-mel (no download), or a wav2vec 2.0, HuBERT, WavLM or XLSR name or folder."),
    click.option("--width", default=192, show_default=True, help="Channels of the denoiser, a multiple of 32."),
    click.option("--prediction", default="epsilon", show_default=True, help="epsilon, sample or v_prediction."),
    click.option("--scale", default=1.0, show_default=True,
                 help="Of the coefficients against the noise; 8 brings short trainings further."),
    click.option("--steps", default=50_000, show_default=True, help="Optimiser steps."),
    click.option("--batch", default=8, show_default=True, help="Windows a step (and GPU)."),
    click.option("--frames", default=120, show_default=True, help="Frames of a window."),
    click.option("--learning-rate", default=1e-5, show_default=True),
    click.option("--warmup", default=500, show_default=True, help="Steps until the learning rate is reached."),
    click.option("--decay", default="constant", show_default=True, type=click.Choice(["constant", "cosine"]),
                 help="Of the learning rate; cosine falls to zero at the last step: short trainings get further."),
    click.option("--ema", default=0.9999, show_default=True, help="Decay of the averaged weights."),
    click.option("--evaluate-every", default=1000, show_default=True, help="Steps between validations."),
    click.option("--precision", default="no", show_default=True, type=click.Choice(["no", "bf16", "fp16"])),
    click.option("--compile", "compiled", is_flag=True, help="Compile the network (GPU)."),
    click.option("--device", default="auto", show_default=True, help="auto or cpu; GPUs through `accelerate launch`."),
)  # fmt: skip


def training_options(command: Command) -> Command:
    """Add the options."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command

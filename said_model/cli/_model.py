"""Options and steps that the sampling commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from said_model.audio_encoder.speech import Speech
    from said_model.model import SAiD

Command = TypeVar("Command", bound=Callable[..., Any])

_MODEL = (
    click.option("--model", type=click.Path(path_type=Path), help="Checkpoint folder [default: the demo model]."),
    click.option("--pretrained", metavar="REPOSITORY",
                 help="Fetch weights from the Hugging Face hub instead, such as yunik1004/SAiD."),
    click.option("--device", default="auto", show_default=True, help="auto, cpu or cuda."),
    click.option("--precision", type=click.Choice(["float32", "bfloat16"]), default="float32", show_default=True),
)  # fmt: skip
_SAMPLER = (
    click.option("--sampler", type=click.Choice(["dpm", "said-ddim"]), default="dpm", show_default=True,
                 help="said-ddim is the authors' setting."),
    click.option("--steps", type=int, help="Denoising steps [default: 10; said-ddim: 1000]."),
    click.option("--guidance", default=2.0, show_default=True, help="Weight of the guidance, 0 is none (paper Eq. 9)."),
    click.option("--seed", default=0, show_default=True, help="The same seed gives the same sample."),
)  # fmt: skip
_WINDOWS = (
    click.option("--window", default=300, show_default=True, help="Frames that the model looks at together."),
    click.option("--overlap", default=90, show_default=True, help="Frames that neighbouring windows share."),
    click.option("--at-once", default=4, show_default=True, help="Windows in a batch; fewer take less memory."),
)


def _decorator(options: tuple[Callable[[Command], Command], ...]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


model_options, sampler_options, window_options = (_decorator(group) for group in (_MODEL, _SAMPLER, _WINDOWS))


def open_model(model: Path | None, pretrained: str | None, device: str, precision: str) -> SAiD:
    """Load what the options name, and say which encoder listens.

    :raises ConfigurationError: if they name two models, or none and there is no demo model.
    """
    from blendvoca.errors import ConfigurationError
    from said_model import SAiD
    from said_model.checkpoints.folder import DEMO
    from said_model.model import pick_device

    if model is not None and pretrained is not None:
        raise ConfigurationError("two models", expected="--model or --pretrained", found="both")
    if pretrained is not None:
        from said_model.checkpoints.authors import fetch, network_of
        from said_model.checkpoints.state_dict import read_weights

        path = fetch(pretrained)
        said = SAiD(network_of(read_weights(path), path=path), pick_device(device), precision)
    elif model is None and not DEMO.is_dir():
        raise ConfigurationError(
            "no model", expected="--model FOLDER or --pretrained REPOSITORY",
            remedy="Train one with `said train`, or import the authors' weights with `said import-weights`.",
        )  # fmt: skip
    else:
        if model is None:
            click.echo("model: the demo model that comes with this package", err=True)
        said = SAiD.load(model or DEMO, device, precision)
    click.echo(f"speech encoder: {said.describe_encoder}", err=True)
    return said


def open_speech(path: Path) -> Speech:
    """Read sound and pass on what is to be said about it."""
    from said_model.audio_encoder.speech import load_speech

    speech = load_speech(path)
    for note in speech.notes:
        click.echo(f"warning: {path.name}: {note}", err=True)
    return speech

"""Options and steps that the sampling commands share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendvoca.errors import ConfigurationError
from blendvoca.terminal.lazy_group import note
from blendvoca.terminal.options import default_of
from said_model.cli.options.groups import option_group
from said_model.config import DEFAULT_STEPS, SamplerConfig
from said_model.diffusion.sections import WindowConfig
from said_model.synthesis.settings import PRESETS, Conventions

if TYPE_CHECKING:
    from said_model.audio_encoder.speech import Speech
    from said_model.model import SAiD


@dataclass(frozen=True)
class ModelChoice:
    """Which model, and where it runs."""

    model: Path | None
    pretrained: str | None
    device: str
    precision: str

    def open(self) -> SAiD:
        """Load the model and say which speech encoder it has.

        :raises ConfigurationError: if two models are named, or none and there is no demo model.
        """
        from said_model import SAiD
        from said_model.checkpoints.folder import DEMO
        from said_model.model import pick_device

        if self.model is not None and self.pretrained is not None:
            raise ConfigurationError("two models", expected="--model or --pretrained", found="both")
        if self.pretrained is not None:
            from said_model.checkpoints.hub import commit_of, fetch, open_weights

            path = fetch(self.pretrained)
            network, sampler = open_weights(path)
            said = SAiD(network, pick_device(self.device), self.precision, sampler)
            click.echo(f"weights: {self.pretrained}, commit {commit_of(path) or 'not known'}", err=True)
        elif self.model is None and not DEMO.is_dir():
            raise ConfigurationError(
                "no model", expected="--model FOLDER or --pretrained REPOSITORY",
                remedy="Train one with `said train`, or import the authors' weights with `said import-weights`.",
            )  # fmt: skip
        else:
            if self.model is None:
                click.echo("model: the demo model that comes with this package", err=True)
            said = SAiD.load(self.model or DEMO, self.device, self.precision)
        click.echo(f"speech encoder: {said.describe_encoder}", err=True)
        return said


@dataclass(frozen=True)
class DrawingChoice:
    """How samples are drawn: what differs from the checkpoint's sampler, how long clips are cut, the conventions."""

    sampler: str | None
    steps: int | None
    guidance: float | None
    preset: str = "default"
    window: int | None = None
    overlap: int | None = None
    at_once: int = WindowConfig.at_once

    def __post_init__(self) -> None:
        """Refuse what contradicts the preset, and values out of range, before anything is loaded.

        :raises ConfigurationError: naming them.
        """
        chosen = PRESETS[self.preset]
        if chosen.sampler is not None and self.sampler not in (None, chosen.sampler.name):
            self._refuse(f"--sampler {chosen.sampler.name}", f"--sampler {self.sampler}")
        for name, value in (("window", self.window), ("overlap", self.overlap)):
            if chosen.conventions.whole_clip and value is not None:
                self._refuse("the whole clip as one window", f"--{name} {value}")
        SamplerConfig().changed(self.sampler, self.steps, self.guidance)
        _ = self.windows

    def _refuse(self, expected: str, found: str) -> None:
        raise ConfigurationError(f"an option contradicts --preset {self.preset}", expected=expected, found=found,
                                 remedy="Leave out one of the two.")  # fmt: skip

    @property
    def conventions(self) -> Conventions:
        """The preset's conventions."""
        return PRESETS[self.preset].conventions

    @property
    def windows(self) -> WindowConfig:
        """How long clips are cut."""
        given = {"frames": self.window, "overlap": self.overlap, "at_once": self.at_once}
        return WindowConfig(**{name: value for name, value in given.items() if value is not None})

    def sampler_for(self, said: SAiD) -> SamplerConfig:
        """Return the preset's sampler, or the checkpoint's, with what was asked for; and say which it is."""
        own = PRESETS[self.preset].sampler or said.sampler
        found = own.changed(self.sampler, self.steps, self.guidance)
        guidance = f"guidance {found.guidance_scale:g}"
        if 0 < found.guidance_scale <= self.conventions.guidance_above:
            guidance += f" counts as none (--preset {self.preset})"
        click.echo(f"sampler: {found.name}, {found.step_count} steps, {guidance}", err=True)
        if not found.suits(said.config.diffusion):
            own = said.sampler
            note(f"this model was distilled into {own.step_count} steps; other samplers and numbers give worse motion")
        return found


_STEPS = "; ".join(f"{name}: {steps}" for name, steps in DEFAULT_STEPS.items())
_SAMPLER = (
    click.option("--sampler", type=click.Choice(list(DEFAULT_STEPS)),
                 help="said-ddim is the authors' setting [default: the checkpoint's]."),
    click.option("--steps", type=int,
                 help=f"Denoising steps [default: the checkpoint's; another sampler's: {_STEPS}]."),
    click.option("--guidance", type=float,
                 help="Weight of the guidance, 0 is none (paper Eq. 9) [default: the checkpoint's]."),
)  # fmt: skip
_WINDOWS = (
    click.option("--preset", type=click.Choice(list(PRESETS)), default="default", show_default=True,
                 help="paper: as the authors' code does it, whole clips in one window for one (docs/sampling.md)."),
    click.option("--window", type=int,
                 help=f"Frames that the model looks at together [default: {default_of(WindowConfig, 'frames')}]."),
    click.option("--overlap", type=int,
                 help=f"Frames that neighbouring windows share [default: {default_of(WindowConfig, 'overlap')}]."),
    click.option("--at-once", default=default_of(WindowConfig, "at_once"), show_default=True,
                 help="Windows in a batch; fewer take less memory."),
)  # fmt: skip


def _live(sampler: str | None, steps: int | None, guidance: float | None) -> DrawingChoice:
    return DrawingChoice(sampler, steps, guidance)


seed_option = click.option("--seed", default=0, show_default=True, help="The same seed gives the same sample.")
blinks_option = click.option("--blinks", is_flag=True, help="Add natural blinks, small motion of eyes and head; lips "
                             "are left alone.")  # fmt: skip
#: Hands the command ``model``, a :class:`ModelChoice`.
model_options = option_group(
    "model", ModelChoice,
    click.option("--model", type=click.Path(path_type=Path), help="Checkpoint folder [default: the demo model]."),
    click.option("--pretrained", metavar="REPOSITORY[@REVISION]",
                 help="Weights of the Hugging Face hub instead, such as yunik1004/SAiD; fetched once."),
    click.option("--device", default="auto", show_default=True, metavar="[auto|cpu|cuda]", help="Where it runs."),
    click.option("--precision", type=click.Choice(["float32", "bfloat16"]), default="float32", show_default=True,
                 help="Of the computation."),
)  # fmt: skip
#: Hands the command ``drawing``, a :class:`DrawingChoice`.
drawing_options = option_group("drawing", DrawingChoice, *_SAMPLER, *_WINDOWS)
#: The same without presets and windows.
live_drawing_options = option_group("drawing", _live, *_SAMPLER)


def open_speech(path: Path) -> Speech:
    """Read sound and pass on what is to be said about it."""
    from said_model.audio_encoder.speech import load_speech

    speech = load_speech(path)
    for sentence in speech.notes:
        click.echo(f"warning: {path.name}: {sentence}", err=True)
    return speech

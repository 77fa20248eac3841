"""``said train``: a model from shards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from blendvoca.terminal.paths import OutFolder
from said_model.cli.options.training import given, training_options
from said_model.training.settings import SaidSettings, WindowSettings


@click.command()
@click.argument("shards", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--out", required=True, type=OutFolder(), help="Folder of the run.")
@click.option("--model", type=click.Choice(["said", "end2end-au"]), default="said", show_default=True,
              help="end2end-au is the regression baseline, without the diffusion options.")  # fmt: skip
@click.option("--encoder", help="log-mel (no download, the default), or a wav2vec 2.0, HuBERT, WavLM, XLSR or Whisper "
              "name or folder.")  # fmt: skip
@training_options(SaidSettings)
def train(shards: Path, out: Path, model: str, encoder: str | None, preset: str | None, device: str,
          **options: Any) -> None:  # fmt: skip
    """Train SAiD on SHARDS, a folder that `blendvoca build` or `download` wrote.

    The run folder gets the best checkpoint, a CSV log, TensorBoard events, and what is needed to go on: the same
    command resumes a run that was stopped, and ends where an undisturbed one would have. Without options the training
    is the paper's, 2,000,000 steps; `--preset short` takes minutes.
    """
    from said_model.cli.options.progress import counting_bar, ended, note, training_bar
    from said_model.config import LOG_MEL
    from said_model.extras import import_optional

    chosen = None if device == "auto" else device
    if model == "end2end-au":
        _train_baseline(shards, out, chosen, {"encoder": encoder, "preset": preset, **options})
        return
    recipe = import_optional("said_model.training.recipes").said_recipe(
        shards, encoder or LOG_MEL, preset, **given(options)
    )
    with counting_bar("Encoding") as encoded, training_bar("Training", recipe.config.loop.steps) as on_report:
        outcome = import_optional("said_model.training.tasks.said").train(
            shards, out, recipe.config, network=recipe.network, on_report=on_report, on_features=encoded, on_note=note,
            device=chosen, augment=recipe.augment, preset=preset,
        )  # fmt: skip
    best = f"Best validation loss {outcome.best_validation:.4f} at step {outcome.best_step}"
    ended(outcome, recipe.config.loop.steps, f"{best}; {outcome.seconds:.0f} s",
          f"Sample with it: said sample SPEECH.wav --model {out}")  # fmt: skip


def _train_baseline(shards: Path, out: Path, device: str | None, options: dict[str, Any]) -> None:
    """Train the regression baseline; refuse options that it does not have."""
    from dataclasses import fields

    from blendvoca.dataset import BlendVOCA
    from blendvoca.errors import ConfigurationError
    from said_model.cli.options.progress import ended, note, training_bar
    from said_model.extras import import_optional
    from said_model.training.settings import loop_of

    known = {field.name for field in fields(WindowSettings)}
    other = [name for name, value in options.items() if name not in known and value is not None]
    if other:
        raise ConfigurationError("end2end-au has no such options", found=other, remedy="Leave them out.")
    chosen = WindowSettings(**given({name: options[name] for name in known}))
    loop = loop_of(chosen, len(BlendVOCA(shards, "train", audio=False)))
    library = import_optional("said_model.training.tasks.end2end_au")
    with training_bar("Training", loop.steps) as on_report:
        outcome = library.train_end2end(shards, out, loop, chosen.frames, on_report, device, note)
    best = f"Best validation error {outcome.best_validation:.4g} at step {outcome.best_step}: {out}"
    ended(outcome, loop.steps, best, f"Sample with it: said baseline {out} SHARDS --out TRACKS")

"""``said distill``: many guided steps into few."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from said_model.cli.options.training import given, training_options
from said_model.training.settings import DistillSettings


@click.command()
@click.argument("teacher", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.argument("shards", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the run.")
@training_options(DistillSettings)
def distill(teacher: Path, shards: Path, out: Path, preset: str | None, device: str, **options: Any) -> None:
    """Train a student of TEACHER, a checkpoint, that draws in two passes of the network what TEACHER draws in twenty.

    SHARDS is what TEACHER was trained on, or more speech like it. The student's guidance is the teacher's.
    """
    from said_model.cli.options.progress import counting_bar, ended, note, training_bar
    from said_model.extras import import_optional

    recipe = import_optional("said_model.training.recipes").distill_recipe(teacher, preset, **given(options))
    steps = recipe.config.loop.steps
    with counting_bar("Encoding") as encoded, training_bar("Distilling", steps) as on_report:
        outcome = import_optional("said_model.training.tasks.distill").distill(
            shards, teacher, out, recipe.config, on_report=on_report, on_features=encoded, on_note=note,
            device=None if device == "auto" else device, augment=recipe.augment, preset=recipe.preset,
        )  # fmt: skip
    best = f"Best validation loss {outcome.best_validation:.4f} at step {outcome.best_step}"
    ended(outcome, steps, f"{best}; {outcome.seconds:.0f} s",
          f"Sample with it: said sample SPEECH.wav --model {out}")  # fmt: skip

"""``said train-sync``: the model that measures whether lips and sound agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from blendvoca.terminal.paths import OutFolder
from said_model.cli.options.training import given, training_options
from said_model.training.settings import SyncSettings


@click.command()
@click.argument("shards", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--out", required=True, type=OutFolder(), help="Folder of the run.")
@click.option("--encoder", default="log-mel", show_default=True, help="Speech encoder, as for `said train`.")
@training_options(SyncSettings)
def train_sync(shards: Path, out: Path, encoder: str, preset: str | None, device: str, **options: Any) -> None:
    """Train the sync expert on SHARDS with sound; `said evaluate --sync` measures synchrony with it."""
    from blendvoca.dataset import BlendVOCA
    from said_model.cli.options.progress import counting_bar, ended, note, training_bar
    from said_model.extras import import_optional
    from said_model.training.presets import resolve
    from said_model.training.settings import loop_of

    chosen = resolve(SyncSettings, preset, given(options))
    loop = loop_of(chosen, len(BlendVOCA(shards, "train", audio=False)))
    library = import_optional("said_model.training.tasks.sync_expert")
    with counting_bar("Encoding") as encoded, training_bar("Training", loop.steps) as on_report:
        outcome = library.train_sync(
            shards, out, loop, encoder=encoder, on_report=on_report, on_features=encoded,
            device=None if device == "auto" else device, on_note=note, preset=preset,
        )  # fmt: skip
    ended(outcome, loop.steps,
          f"Best validation loss {outcome.best_validation:.4g} at step {outcome.best_step}: {out}")  # fmt: skip

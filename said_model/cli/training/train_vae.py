"""``said train-vae``: the feature extractor of the metrics."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from blendvoca.terminal.paths import OutFolder
from said_model.cli.options.training import given, training_options
from said_model.training.settings import VaeSettings


@click.command()
@click.argument("shards", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--out", required=True, type=OutFolder(), help="Folder of the run.")
@training_options(VaeSettings)
def train_vae(shards: Path, out: Path, preset: str | None, device: str, **options: Any) -> None:
    """Train the VAE whose latents FD, WInD and multimodality are measured in (paper supplement 11).

    Without options the training is the paper's, 4,000,000 steps; `--preset short` takes minutes.
    """
    from blendvoca.dataset import BlendVOCA
    from said_model.cli.options.progress import ended, note, training_bar
    from said_model.extras import import_optional
    from said_model.training.presets import resolve
    from said_model.training.settings import VaeConfig, loop_of

    chosen = resolve(VaeSettings, preset, given(options))
    config = VaeConfig(loop_of(chosen, len(BlendVOCA(shards, "train", audio=False))))
    library = import_optional("said_model.training.tasks.vae")
    with training_bar("Training", config.loop.steps) as on_report:
        device_name = None if device == "auto" else device
        outcome = library.train_vae(shards, out, config, on_report, device_name, note, preset)
    ended(outcome, config.loop.steps,
          f"Best validation error {outcome.best_validation:.4g} at step {outcome.best_step}: {out}")  # fmt: skip

"""``said train-vae``: the feature extractor of the metrics."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("shards", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the run.")
@click.option("--steps", default=100_000, show_default=True, help="Optimiser steps.")
@click.option("--batch", default=8, show_default=True, help="Windows a step.")
@click.option("--learning-rate", default=1e-4, show_default=True)
@click.option("--evaluate-every", default=1000, show_default=True, help="Steps between validations.")
@click.option("--device", default="auto", show_default=True, help="auto or cpu.")
@click.option("--seed", default=0, show_default=True)
def train_vae(
    shards: Path, out: Path, steps: int, batch: int, learning_rate: float, evaluate_every: int, device: str, seed: int
) -> None:
    """Train the VAE whose latents FD, WInD and multimodality are measured in (paper supplement 11)."""
    from said_model.cli._progress import conclude, training_bar
    from said_model.extras import import_optional

    library, loop = import_optional("said_model.training.vae"), import_optional("said_model.training.loop")
    settings = loop.LoopConfig(
        steps=steps, batch=batch, learning_rate=learning_rate, evaluate_every=evaluate_every, ema_decay=0.99, seed=seed
    )
    with training_bar("Training", steps) as on_report:
        chosen = None if device == "auto" else device
        outcome = library.train_vae(shards, out, library.VaeConfig(loop=settings), on_report, chosen)
    conclude(f"Best validation error {outcome.best_validation:.4g} at step {outcome.best_step}: {out}")

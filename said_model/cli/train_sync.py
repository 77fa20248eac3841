"""``said train-sync``: the model that tells whether lips and sound agree."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("shards", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the run.")
@click.option("--encoder", default="log-mel", show_default=True, help="Speech encoder, as for `said train`.")
@click.option("--steps", default=3000, show_default=True, help="Optimiser steps.")
@click.option("--batch", default=16, show_default=True, help="Windows a step.")
@click.option("--learning-rate", default=1e-3, show_default=True)
@click.option("--evaluate-every", default=500, show_default=True, help="Steps between validations.")
@click.option("--device", default="auto", show_default=True, help="auto or cpu.")
@click.option("--seed", default=0, show_default=True)
def train_sync(shards: Path, out: Path, encoder: str, steps: int, batch: int, learning_rate: float,
               evaluate_every: int, device: str, seed: int) -> None:  # fmt: skip
    """Train the sync expert on SHARDS with sound; `said evaluate --sync` measures synchrony with it."""
    from said_model.cli._progress import conclude, counting_bar, training_bar
    from said_model.extras import import_optional

    library, loop = import_optional("said_model.training.sync_expert"), import_optional("said_model.training.loop")
    settings = loop.LoopConfig(
        steps=steps, batch=batch, learning_rate=learning_rate, evaluate_every=evaluate_every, warmup=100,
        ema_decay=0.99, seed=seed,
    )  # fmt: skip
    with counting_bar("Listening") as listened, training_bar("Training", steps) as on_report:
        outcome = library.train_sync(shards, out, settings, encoder=encoder, on_report=on_report, on_features=listened,
                                  device=None if device == "auto" else device)  # fmt: skip
    conclude(f"Best validation loss {outcome.best_validation:.4g} at step {outcome.best_step}: {out}")

"""``said train``: a model from shards."""

from __future__ import annotations

from pathlib import Path

import click

from said_model.cli._training import training_options


@click.command()
@click.argument("shards", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the run.")
@click.option("--model", type=click.Choice(["said", "end2end-au"]), default="said", show_default=True,
              help="end2end-au is the regression baseline, without the diffusion options.")  # fmt: skip
@click.option("--alignment", default="1", show_default=True, help="Audio window: 1, none, or like 1,8@400,none@800.")
@click.option("--loss", "error", default="absolute", show_default=True, help="absolute or squared.")
@click.option("--velocity-weight", default=1.0, show_default=True, help="Of the velocity loss; 0 leaves it out.")
@training_options
@click.option("--seed", default=0, show_default=True)
@click.option("--no-cache", is_flag=True, help="Let the encoder listen at every step instead of caching its features.")
@click.option("--finetune-encoder", is_flag=True, help="Train the speech encoder too (implies --no-cache).")
def train(shards: Path, out: Path, model: str, encoder: str, device: str, **options: object) -> None:
    """Train SAiD on SHARDS, a folder that `blendvoca build` or `download` wrote.

    The run folder gets the best checkpoint, a CSV log, TensorBoard events, and what is needed to go on: the same
    command resumes a run that was stopped, and ends where an undisturbed one would have.
    """
    from said_model.cli._progress import conclude, counting_bar, training_bar
    from said_model.extras import import_optional

    if model == "end2end-au":
        _train_baseline(shards, out, device, options)
        return
    library = import_optional("said_model.training.recipes")
    recipe = library.said_recipe(shards, encoder, **options)
    with counting_bar("Listening") as listened, training_bar("Training", recipe.config.loop.steps) as on_report:
        outcome = import_optional("said_model.training.said").train(
            shards, out, recipe.config, network=recipe.network, on_report=on_report, on_features=listened,
            device=None if device == "auto" else device,
        )  # fmt: skip
    best = f"Best validation loss {outcome.best_validation:.4f} at step {outcome.best_step}"
    conclude(f"{best}; {outcome.seconds:.0f} s", f"Sample with it: said sample SPEECH.wav --model {out}")


def _train_baseline(shards: Path, out: Path, device: str, options: dict[str, object]) -> None:
    """Train the regression baseline; refuse options that it does not have."""
    from blendvoca.errors import ConfigurationError
    from said_model.cli._progress import conclude, training_bar
    from said_model.extras import import_optional

    shared = {"steps", "batch", "learning_rate", "warmup", "decay", "evaluate_every", "seed", "precision"}
    context = click.get_current_context()
    given = [name for name in ("encoder", *options) if name not in {*shared, "frames", "ema", "compiled"}
             and context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE]  # fmt: skip
    if given:
        raise ConfigurationError("end2end-au has no such options", found=given, remedy="Leave them out.")
    settings = import_optional("said_model.training.loop").LoopConfig(
        **{name: options[name] for name in shared}, ema_decay=options["ema"], compile=options["compiled"]
    )
    library = import_optional("said_model.training.end2end_au")
    with training_bar("Training", settings.steps) as on_report:
        chosen = None if device == "auto" else device
        outcome = library.train_end2end(shards, out, settings, options["frames"], on_report, chosen)
    best = f"Best validation error {outcome.best_validation:.4g} at step {outcome.best_step}: {out}"
    conclude(best, f"Sample with it: said baseline {out} SHARDS --out TRACKS")

"""``said ablate``: the paper's Table 2 on a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from blendvoca.terminal.paths import OutFile, OutFolder
from said_model.cli.options.measuring import measure, measuring_options, open_instruments, print_table
from said_model.cli.options.training import given, training_options
from said_model.config import DEFAULT_STEPS
from said_model.training.settings import SaidSettings


@click.command()
@measuring_options
@click.option("--out", required=True, type=OutFolder(), help="Folder of the runs.")
@click.option("--row", "names", multiple=True, metavar="ROW",
              help="Of the rows above, this one only; may be repeated [default: all].")  # fmt: skip
@click.option("--encoder", default="log-mel", show_default=True, help="Speech encoder, as for `said train`.")
@training_options(SaidSettings, without=("seed", "guidance"))
@click.option("--samples", default=2, show_default=True, help="Tracks for each clip; the paper: 72.")
@click.option("--every", default=1, show_default=True, help="Sample each n-th clip of the split only.")
@click.option(
    "--sampler",
    type=click.Choice(list(DEFAULT_STEPS)),
    default="dpm",
    show_default=True,
    help="As for `said sample`; the paper: said-ddim.",
)
@click.option("--sampling-steps", type=int, help="Denoising steps [default: the sampler's].")
@click.option("--guidance", default=2.0, show_default=True, help="Strength of the guidance; the paper: 2.")
@click.option("--json", "json_path", type=OutFile(".json"), help="Write the figures, and those of each clip.")
@click.option("--markdown", "markdown_path", type=OutFile(".md"), help="Write the table.")
def ablate(out: Path, names: tuple[str, ...], samples: int, every: int, sampler: str, sampling_steps: int | None,
           guidance: float, json_path: Path | None, markdown_path: Path | None, fps: float, data: Path, split: str,
           seed: int, encoder: str, preset: str | None, device: str, **options: Any) -> None:  # fmt: skip
    """Train the rows of Table 2 on --data, sample the split, and print their figures.

    Rows: said, squared-error, no-velocity-loss, no-alignment-bias, finetuned-encoder (needs an --encoder with weights),
    widened-window. What was stopped goes on; tables are written after every row.
    """
    import json
    from dataclasses import asdict

    from blendvoca.dataset import BlendVOCA
    from blendvoca.io.atomic import write_text
    from said_model import SamplerConfig
    from said_model.cli.options.progress import ended, note, training_bar
    from said_model.extras import import_optional
    from said_model.training.presets import resolve
    from said_model.training.settings import loop_of

    library = import_optional("said_model.training.ablations")
    rows, left_out = library.chosen_rows(names, encoder)
    for title, reason in left_out.items():
        click.echo(f"note: {title} left out: {reason}; name another --encoder", err=True)
    settings = SamplerConfig(sampler, sampling_steps, guidance)
    instruments = {name: options.pop(name) for name in ("vae", "sync", "syncnet", "lips", "upper", "no_vertices")}
    recipe = resolve(SaidSettings, preset, {**given(options), "seed": seed})
    steps = loop_of(recipe, len(BlendVOCA(data, "train", audio=False))).steps
    truth, opened = open_instruments(data, split, seed=seed, **instruments)
    found = []
    for row in rows:
        model, tracks = out / row.name / "model", out / row.name / "tracks"
        with training_bar(row.title, steps) as on_report:
            chosen = None if device == "auto" else device
            changed = {**asdict(recipe), "steps": steps, "epochs": None}
            outcome = library.train_row(row, data, model, encoder, changed, on_report, chosen, note)
        if outcome.signal is not None:
            ended(outcome, steps)
        library.write_tracks(model, data, tracks, split=split, samples=samples, every=every, settings=settings,
                          device=device)  # fmt: skip
        found.append(measure(tracks, row.title, truth, opened, fps))
        if json_path is not None:
            write_text(json_path, json.dumps([system.to_json() for system in found], indent=1) + "\n")
        if markdown_path is not None:
            write_text(markdown_path, library.markdown(library.table(found)))
    print_table(f"Ablations, {split}", library.table(found))

"""``said ablate``: the paper's Table 2 on a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from said_model.cli._instruments import measure, measuring_options, open_instruments


@click.command()
@measuring_options
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the runs.")
@click.option("--row", "names", multiple=True, help="Rows to run, may be repeated [default: all].")
@click.option("--encoder", default="log-mel", show_default=True, help="Speech encoder, as for `said train`.")
@click.option("--width", default=192, show_default=True)
@click.option("--steps", default=50_000, show_default=True, help="Optimiser steps of each row.")
@click.option("--batch", default=8, show_default=True)
@click.option("--learning-rate", default=1e-5, show_default=True)
@click.option("--ema", default=0.9999, show_default=True, help="Decay of the averaged weights.")
@click.option("--evaluate-every", default=1000, show_default=True, help="Steps between validations.")
@click.option("--samples", default=2, show_default=True, help="Tracks for each clip; the paper: 72.")
@click.option("--every", default=1, show_default=True, help="Sample each n-th clip of the split only.")
@click.option("--device", default="auto", show_default=True, help="auto or cpu.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the table.")
def ablate(out: Path, names: tuple[str, ...], encoder: str, width: int, steps: int, batch: int, learning_rate: float,
           ema: float, evaluate_every: int, samples: int, every: int, device: str, json_path: Path | None, fps: float,
           **options: Any) -> None:  # fmt: skip
    """Train the rows of Table 2 on --data, sample the split, and print their figures.

    Rows: said, squared-error, no-velocity-loss, no-alignment-bias, finetuned-encoder (needs an --encoder with weights),
    widened-window. A run that was stopped goes on.
    """
    import json

    from rich.console import Console
    from rich.table import Table

    from blendvoca.io.atomic import write_text
    from said_model.cli._progress import training_bar
    from said_model.extras import import_room

    room = import_room("said_model.ablations")
    rows = room.chosen_rows(names, encoder)
    truth, instruments = open_instruments(**options)
    training = {"width": width, "steps": steps, "batch": batch, "learning_rate": learning_rate, "ema": ema,
                "evaluate_every": evaluate_every, "seed": options["seed"]}  # fmt: skip
    found = []
    for row in rows:
        with training_bar(row.title, steps) as tell:
            room.train_row(row, options["data"], out / row.name / "model", encoder, training, tell,
                           None if device == "auto" else device)  # fmt: skip
        tracks = out / row.name / "tracks"
        room.write_tracks(out / row.name / "model", options["data"], tracks, split=options["split"], samples=samples,
                          every=every, device=device)  # fmt: skip
        found.append(measure(tracks, row.title, truth, instruments, fps))
    from said_model.figures_page import FIGURES

    table = Table(title=f"Ablations, {options['split']}")
    for title in ("Figure", *(system.name for system in found), "Clips"):
        table.add_column(title)
    for figure in (name for name in FIGURES if name in found[0].overall):
        title, better, digits = FIGURES[figure]
        cells = [f"{system.overall[figure]:.{digits}f}" for system in found]
        table.add_row(f"{title} {better}", *cells, str(found[0].counts[figure]))
    Console(width=max(Console().width, 40 + 16 * len(found))).print(table)
    if json_path is not None:
        write_text(json_path, json.dumps([system.to_json() for system in found], indent=1) + "\n")

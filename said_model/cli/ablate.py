"""``said ablate``: the paper's Table 2 on a corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from said_model.cli._instruments import measure, measuring_options, open_instruments
from said_model.cli._training import training_options

if TYPE_CHECKING:
    from said_model.evaluate import Evaluation


@click.command()
@measuring_options
@click.option("--out", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the runs.")
@click.option("--row", "names", multiple=True, help="Rows to run, may be repeated [default: all].")
@training_options
@click.option("--samples", default=2, show_default=True, help="Tracks for each clip; the paper: 72.")
@click.option("--every", default=1, show_default=True, help="Sample each n-th clip of the split only.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the table.")
def ablate(out: Path, names: tuple[str, ...], samples: int, every: int, json_path: Path | None, fps: float, data: Path,
           split: str, seed: int, encoder: str, device: str, **options: Any) -> None:  # fmt: skip
    """Train the rows of Table 2 on --data, sample the split, and print their figures.

    Rows: said, squared-error, no-velocity-loss, no-alignment-bias, finetuned-encoder (needs an --encoder with weights),
    widened-window. A run that was stopped goes on.
    """
    import json

    from blendvoca.io.atomic import write_text
    from said_model.cli._progress import training_bar
    from said_model.extras import import_room

    room = import_room("said_model.ablations")
    rows = room.chosen_rows(names, encoder)
    instruments = {name: options.pop(name) for name in ("vae", "sync", "syncnet", "lips", "upper", "no_vertices")}
    truth, opened = open_instruments(data, split, seed=seed, **instruments)
    found = []
    for row in rows:
        model, tracks = out / row.name / "model", out / row.name / "tracks"
        with training_bar(row.title, options["steps"]) as tell:
            chosen = None if device == "auto" else device
            room.train_row(row, data, model, encoder, {**options, "seed": seed}, tell, chosen)
        room.write_tracks(model, data, tracks, split=split, samples=samples, every=every, device=device)
        found.append(measure(tracks, row.title, truth, opened, fps))
    _show(found, split)
    if json_path is not None:
        write_text(json_path, json.dumps([system.to_json() for system in found], indent=1) + "\n")


def _show(found: list[Evaluation], split: str) -> None:
    """Print one column a row of Table 2."""
    from rich.console import Console
    from rich.table import Table

    from said_model.figures_page import FIGURES

    table = Table(title=f"Ablations, {split}")
    for title in ("Figure", *(system.name for system in found), "Clips"):
        table.add_column(title)
    for figure in (name for name in FIGURES if name in found[0].overall):
        title, better, digits = FIGURES[figure]
        cells = [f"{system.overall[figure]:.{digits}f}" for system in found]
        table.add_row(f"{title} {better}", *cells, str(found[0].counts[figure]))
    Console(width=max(Console().width, 40 + 16 * len(found))).print(table)

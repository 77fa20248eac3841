"""``said evaluate``: one system against the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from said_model.cli._instruments import measure, measuring_options, open_instruments


@click.command()
@click.argument("outputs", type=click.Path(path_type=Path, file_okay=False, exists=True))
@measuring_options
@click.option("--name", help="Of the system [default: the folder's].")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the figures, and those of each clip.")
@click.option("--page", "page_path", type=click.Path(path_type=Path), help="Write a page with plots.")
def evaluate(outputs: Path, name: str | None, json_path: Path | None, page_path: Path | None, fps: float,
             **options: Any) -> None:  # fmt: skip
    """Measure OUTPUTS: <speaker>/<sentence>.csv or <sentence>-1.csv, -2.csv … in folders, or shards.

    Prints the columns of the paper's Table 1 and the field's, each with the number of clips that it was taken over.
    """
    import json

    from rich.table import Table

    from blendvoca.io.atomic import write_text
    from blendvoca.terminal.console import make_console

    truth, instruments = open_instruments(**options)
    found = measure(outputs, name or outputs.name, truth, instruments, fps)
    from said_model.evaluation.page import page, rows

    table = Table(title=f"{found.name} on {options['split']}")
    for title in ("Figure", "Better", "Value", "Clips"):
        table.add_column(title, justify="right" if title in ("Value", "Clips") else "left")
    for row in rows(found):
        table.add_row(*row)
    make_console().print(table)
    for note in found.notes:
        click.echo(f"note: {note}")
    if json_path is not None:
        write_text(json_path, json.dumps(found.to_json(), indent=1) + "\n")
    if page_path is not None:
        write_text(page_path, page(found))

"""``said evaluate``: one system against the truth."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from blendvoca.terminal.paths import OutFile
from said_model.cli.options.measuring import measure, measuring_options, open_instruments


@click.command()
@click.argument("outputs", type=click.Path(path_type=Path, file_okay=False, exists=True))
@measuring_options
@click.option(
    "--phones",
    type=click.Path(path_type=Path, exists=True),
    help="Phone times (TextGrid, JSON, .lab, or a folder): measure lips at phones; needs no --data.",
)
@click.option("--rig", metavar="NAME|PATH", help="With --phones: whose lips; arkit, synthetic, ict, or a file.")
@click.option("--name", help="Of the system [default: the folder's].")
@click.option("--json", "json_path", type=OutFile(".json"), help="Write the figures, and those of each clip.")
@click.option("--page", "page_path", type=OutFile(".html"), help="Write a page with plots.")
def evaluate(outputs: Path, name: str | None, json_path: Path | None, page_path: Path | None, fps: float,
             phones: Path | None, rig: str | None, **options: Any) -> None:  # fmt: skip
    """Measure OUTPUTS: <speaker>/<sentence>.csv or <sentence>-1.csv, -2.csv … in folders, or shards.

    Prints the columns of the paper's Table 1 and the field's, each with the number of clips that it was taken over.
    With --phones, measures instead whether the lips meet at p, b and m, open at vowels and rest in pauses.
    """
    if phones is not None:
        from said_model.cli.options.phones import print_phones

        print_phones(outputs, phones, rig, fps, json_path)
        return
    if options["data"] is None:
        raise click.UsageError("Missing option '--data' (or --phones, which needs no truth).")
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

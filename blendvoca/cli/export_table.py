"""``blendvoca export-table``: the dataset as a table."""

from __future__ import annotations

from pathlib import Path

import click

from blendvoca.terminal.paths import OutFile


@click.command("export-table")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=OutFile(".csv", ".parquet"), help="The table: .csv or .parquet.")
@click.option("--split", type=click.Choice(["train", "validation", "test"]), help="Only this split.")
@click.option("--frames", is_flag=True, help="One row a frame, with a column a blendshape, instead of one a clip.")
def export_table(path: Path, out: Path, split: str | None, frames: bool) -> None:
    """Write the dataset in PATH as a table, one row a clip."""
    from blendvoca.dataset import BlendVOCA
    from blendvoca.release.tables import export_table as write

    dataset = BlendVOCA(path, split, audio=False)
    write(dataset, out, frames)
    rows = sum(dataset.entry(row).frames for row in range(len(dataset))) if frames else len(dataset)
    click.echo(f"{out}: {rows} rows")

"""``said compare``: systems side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from said_model.cli._instruments import measure, measuring_options, open_instruments


@click.command()
@click.argument("outputs", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False, exists=True))
@measuring_options
@click.option("--resamples", default=1000, show_default=True, help="Of the bootstrap over clips.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Write the table.")
def compare(outputs: tuple[Path, ...], resamples: int, json_path: Path | None, fps: float, **options: Any) -> None:
    """Measure several OUTPUTS and print their figures with 95 % intervals, over the clips that all of them have."""
    import json
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

    from blendvoca.io.atomic import write_text

    truth, instruments = open_instruments(**options)
    systems = [measure(folder, folder.name, truth, instruments, fps) for folder in outputs]
    from said_model.compare import compare as side_by_side
    from said_model.figures_page import FIGURES

    found = side_by_side(systems, resamples, options["seed"])
    table = Table(title=f"{options['split']}, 95 % intervals over clips")
    for title in ("Figure", *(system.name for system in systems), "Clips"):
        table.add_column(title)
    for figure in [*(name for name in FIGURES if name in found), *(name for name in found if name not in FIGURES)]:
        title, better, digits = FIGURES.get(figure, (figure, "", 4))
        cells = [found[figure].get(system.name) for system in systems]
        shown = [f"{c.value:.{digits}f} [{c.low:.{digits}f}, {c.high:.{digits}f}]" if c else "–" for c in cells]
        table.add_row(f"{title} {better}", *shown, "/".join(str(c.clips) if c else "0" for c in cells))
    Console(width=max(Console().width, 40 + 30 * len(systems))).print(table)
    if json_path is not None:
        plain = {figure: {name: asdict(cell) for name, cell in row.items()} for figure, row in found.items()}
        write_text(json_path, json.dumps(plain, indent=1) + "\n")

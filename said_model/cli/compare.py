"""``said compare``: systems side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blendvoca.terminal.paths import OutFile
from said_model.cli.options.measuring import measure, measuring_options, open_instruments, print_table

if TYPE_CHECKING:
    from said_model.evaluation.compare import Interval


@click.command()
@click.argument("outputs", nargs=-1, required=True, type=click.Path(path_type=Path, file_okay=False, exists=True))
@measuring_options
@click.option("--resamples", default=1000, show_default=True, type=click.IntRange(min=1),
              help="Of the bootstrap over clips.")  # fmt: skip
@click.option("--json", "json_path", type=OutFile(".json"), help="Write the table.")
@click.option("--page", "page_path", type=OutFile(".html"),
              help="Write a page with the table and plots.")  # fmt: skip
def compare(
    outputs: tuple[Path, ...], resamples: int, json_path: Path | None, page_path: Path | None, fps: float,
    **options: Any,
) -> None:  # fmt: skip
    """Measure several OUTPUTS and print their figures with 95 % intervals, over the clips that all of them have."""
    import json

    from blendvoca.io.atomic import write_text

    truth, instruments = open_instruments(**options)
    ambiguous = len({folder.name for folder in outputs}) < len(outputs)
    names = [str(folder) if ambiguous else folder.name for folder in outputs]
    systems = [measure(folder, name, truth, instruments, fps) for folder, name in zip(outputs, names)]
    from said_model.evaluation.compare import compare as side_by_side
    from said_model.evaluation.page import FIGURES, aimed, comparison_page

    found = side_by_side(systems, resamples, options["seed"])
    lines = [["Figure", *names, "Clips"]]
    for figure in [*(name for name in FIGURES if name in found), *(name for name in found if name not in FIGURES)]:
        title, better, digits = FIGURES.get(figure, (figure, "", 4))
        cells = [found[figure].get(system.name) for system in systems]
        shown = [f"{c.value:.{digits}f} [{c.low:.{digits}f}, {c.high:.{digits}f}]" if c else "–" for c in cells]
        used = [_used(cell) for cell in cells]
        alike = len(set(used)) == 1
        way = aimed(better, systems[0].truth.get(figure), digits)
        lines.append([f"{title} {way}".strip(), *shown, used[0] if alike else " / ".join(used)])
    print_table(f"{options['split']}, 95 % intervals over clips", lines)
    if page_path is not None:
        write_text(page_path, comparison_page(found, systems[0].truth, f"{options['split']}: {', '.join(names)}"))
    if json_path is not None:
        plain = {figure: {name: _plain(cell) for name, cell in row.items()} for figure, row in found.items()}
        write_text(json_path, json.dumps(plain, indent=1) + "\n")


def _plain(cell: Interval) -> dict[str, Any]:
    """Return an interval for JSON, which has no NaN."""
    from dataclasses import asdict

    return {key: None if value != value else value for key, value in asdict(cell).items()}


def _used(cell: Interval | None) -> str:
    """Return how many clips a figure was taken over, and windows where it counts those."""
    if cell is None:
        return "0"
    return str(cell.clips) if cell.windows is None else f"{cell.clips} ({cell.windows} windows)"

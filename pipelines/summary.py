"""What a build did, as a table of its stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipelines.stage import Stage

if TYPE_CHECKING:
    from rich.table import Table

    from pipelines.runner import StageReport


def stage_table(reports: Sequence[StageReport], stages: Sequence[Stage]) -> Table:
    """Return what every stage did and how long it took."""
    from rich.table import Table

    titles = {stage.name: stage.title for stage in stages}
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("stage")
    for head in ("done", "kept", "left out", "failed", "seconds"):
        table.add_column(head, justify="right")
    for report in reports:
        counts = (len(report.done), len(report.kept), len(report.blocked), len(report.failures))
        if not any(counts):
            continue
        cells = (str(count) if count else "–" for count in counts)
        table.add_row(titles.get(report.name, report.name), *cells, f"{report.seconds:.1f}")
    return table

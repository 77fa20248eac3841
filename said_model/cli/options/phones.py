"""``said evaluate --phones``: lips at phones, without a truth."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import click

#: Column, figure, and how it is shown.
_COLUMNS = (
    ("p, b, m", "bilabials", "d"),
    ("closed", "closed", ".2f"),
    ("control", "control", ".2f"),
    ("open, mm", "opening", ".1f"),
    ("AUC", "auc", ".2f"),
    ("pause, mm", "pause", ".2f"),
    ("p90", "pause_p90", ".2f"),
    ("still, mm", "still", ".2f"),
    ("lag, ms", "lag", ".0f"),
    ("in time", "timely", ".2f"),
)


def print_phones(outputs: Path, phones: Path, rig: str | None, fps: float, json_path: Path | None) -> None:
    """Measure the tracks of a folder at their phones, print a table and write JSON."""
    import json

    from rich.table import Table

    from blendvoca.io.atomic import write_text
    from blendvoca.io.phones import read_phones
    from blendvoca.io.track.csv import read_track
    from blendvoca.terminal.console import make_console
    from blendvoca.terminal.lazy_group import note
    from landmarks.sources import default_source, load_source
    from said_model.evaluation.metrics.phone_figures import PhoneFigures
    from said_model.evaluation.phones import evaluate_phones, tracks_by_name

    source = load_source(rig) if rig else default_source(on_report=lambda sentence: note(f"lips are {sentence}"))
    tracks = {name: read_track(path, fps) for name, path in tracks_by_name(outputs).items()}
    found = evaluate_phones(tracks, read_phones(phones), source.rig, source.landmarks)
    table = Table(title=f"Lips of {source.name} at phones: {outputs.name}")
    table.add_column("recording")
    for title, _, _ in _COLUMNS:
        table.add_column(title, justify="right")
    rows = [*found.clips.items(), ("all", found.overall)]
    for name, figures in rows:
        cells = {field.name: getattr(figures, field.name) for field in fields(PhoneFigures)}
        cells["lag"] *= 1000
        table.add_row(name, *("–" if cells[key] != cells[key] else f"{cells[key]:{form}}" for _, key, form in _COLUMNS),
                      style="bold" if name == "all" else "")  # fmt: skip
    make_console().print(table)
    for sentence in found.notes:
        click.echo(f"note: {sentence}")
    if json_path is not None:
        write_text(json_path, json.dumps(found.to_json(), indent=1) + "\n")

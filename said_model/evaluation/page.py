"""A self-contained page of an evaluation: its figures, and the spread of every figure over clips as drawings."""

from __future__ import annotations

import numpy as np

from blendvoca.view.page import plot
from blendvoca.view.page.document import bullets, document, section, table, tiles
from said_model.evaluation.evaluate import Evaluation

#: Figure to its title, whether more or less is better, and digits; in the order of tables. Table 1's stand first.
FIGURES: dict[str, tuple[str, str, int]] = {
    "sync_offset": ("AV offset (frames)", "→ 0", 2),
    "sync_offset_abs": ("|AV offset| (frames)", "↓", 2),
    "sync_confidence": ("AV confidence", "↑", 3),
    "syncnet_offset": ("SyncNet offset (frames at 25/s)", "→ 0", 2),
    "syncnet_confidence": ("SyncNet confidence", "↑", 3),
    "multimodality": ("Multimodality", "↑", 3),
    "fd": ("FD", "↓", 3),
    "wind": ("WInD", "↓", 3),
    "wind_deviation": ("WInD deviation", "", 3),
    "lve_mm": ("LVE (mm)", "↓", 3),
    "lve_squared_mm2": ("LVE, squared (mm²)", "↓", 3),
    "mve_mm": ("Mean vertex error (mm)", "↓", 3),
    "fdd_mm": ("FDD, signed (mm)", "→ 0", 4),
    "fdd_absolute_mm": ("FDD, absolute (mm)", "↓", 4),
    "mae": ("Coefficient MAE", "↓", 4),
    "velocity_error": ("Velocity MAE (1/s)", "↓", 3),
    "acceleration_error": ("Acceleration MAE (1/s²)", "↓", 1),
    "jitter_share": ("Jitter: power above 12 Hz", "→ truth", 5),
    "beat_consistency": ("Beat consistency", "→ truth", 3),
    "closure_recall": ("Lip-closure recall", "↑", 3),
    "diversity": ("Diversity", "↑", 4),
    "range_violations": ("Coefficients out of range", "↓", 4),
    "rate_violations": ("Steps above the rate limit", "↓", 4),
}

def rows(evaluation: Evaluation) -> list[tuple[str, str, str, str]]:
    """Return (title, direction, value, clips used) of every figure, Table 1's columns first."""
    lines = []
    for name in [*FIGURES, *(other for other in evaluation.overall if other not in FIGURES)]:
        if name in evaluation.overall:
            title, better, digits = FIGURES.get(name, (name, "", 4))
            lines.append((title, better, f"{evaluation.overall[name]:.{digits}f}", str(evaluation.counts[name])))
    return lines


def page(evaluation: Evaluation) -> str:
    """Return the page as HTML; it loads nothing."""
    figures = table(("Figure", "Better", "Value", "Clips"), rows(evaluation), words=2)
    plots = []
    for name, (title, better, _) in FIGURES.items():
        values = [row[name] for row in evaluation.rows if np.isfinite(row.get(name, np.nan))]
        if len(values) > 1:
            plots.append(plot.histogram(values, f"{title} {better}", height=160))
    parts = [section("Figures", figures), section("What to know", bullets(evaluation.notes))]
    if plots:
        parts.append(section("Spread over clips", tiles(plots), "Each clip counts once, with the mean of its samples."))
    return document(f"Evaluation of {evaluation.name}", f"{len(evaluation.clips)} clips", parts)

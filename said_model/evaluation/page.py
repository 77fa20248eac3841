"""A self-contained page of an evaluation: its figures, and the spread of every figure over clips as drawings."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from blendvoca.view.page import plot
from blendvoca.view.page.document import bullets, document, section, table, tiles
from said_model.evaluation.compare import Interval
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
    "lve_pooled_mm2": ("LVE, squared, frames pooled (mm²)", "↓", 3),
    "mve_mm": ("Mean vertex error (mm)", "↓", 3),
    "fdd_mm": ("FDD, signed (mm)", "→ 0", 4),
    "fdd_absolute_mm": ("FDD, absolute (mm)", "↓", 4),
    "fdd_squared_mm2": ("FDD, signed, squared (mm²)", "→ 0", 4),
    "mae": ("Coefficient MAE", "↓", 4),
    "velocity_error": ("Velocity MAE (1/s)", "↓", 3),
    "acceleration_error": ("Acceleration MAE (1/s²)", "↓", 1),
    "jitter_share": ("Jitter: power above 12 Hz", "→ truth", 5),
    "beat_consistency": ("Beat consistency", "→ truth", 3),
    "closure_recall": ("Lip-closure recall", "↑", 3),
    "mtm_ms": ("Mean temporal misalignment (ms)", "↓", 1),
    "slcc": ("Speech-lip intensity correlation", "→ truth", 3),
    "diversity": ("Diversity", "↑", 4),
    "range_violations": ("Coefficients out of range", "↓", 4),
    "rate_violations": ("Steps above the rate limit", "↓", 4),
}

#: What the arrows of a table say.
_ARROWS = "↑ more is better, ↓ less, → as near as possible to what follows."


def rows(evaluation: Evaluation) -> list[tuple[str, str, str, str]]:
    """Return (title, direction, value, clips used) of every figure, Table 1's columns first."""
    lines = []
    for name in [*FIGURES, *(other for other in evaluation.overall if other not in FIGURES)]:
        if name in evaluation.overall:
            title, better, digits = FIGURES.get(name, (name, "", 4))
            value = f"{evaluation.overall[name]:.{digits}f}"
            lines.append(
                (title, aimed(better, evaluation.truth.get(name), digits), value, str(evaluation.counts[name]))
            )
    return lines


def aimed(better: str, truth: float | None, digits: int) -> str:
    """Return which way is better; where it is towards the truth, with the truth's own value.

    :param better: an arrow, or ``→ truth``.
    :param truth: the truth's value, where it is known.
    :param digits: of that value.
    """
    known = better == "→ truth" and truth is not None and np.isfinite(truth)
    return f"→ {truth:.{digits}f} (truth)" if known else better


def page(evaluation: Evaluation) -> str:
    """Return the page as HTML; it loads nothing."""
    figures = table(("Figure", "Better", "Value", "Clips"), rows(evaluation), words=2)
    plots = []
    for name, (title, better, digits) in FIGURES.items():
        values = [row[name] for row in evaluation.rows if np.isfinite(row.get(name, np.nan))]
        if len(values) > 1:
            plots.append(
                plot.spread(values, f"{title} {aimed(better, evaluation.truth.get(name), digits)}", height=160)
            )
    parts = [section("Figures", figures, _ARROWS), section("What to know", bullets(evaluation.notes))]
    if plots:
        about = "A dot or a bar counts clips, each once, with the mean of its samples; the line across is their mean."
        parts.append(section("Spread over clips", tiles(plots), about))
    return document(f"Evaluation of {evaluation.name}", f"{len(evaluation.clips)} clips", parts)


def comparison_page(found: Mapping[str, Mapping[str, Interval]], truth: Mapping[str, float], subtitle: str) -> str:
    """Return the page of several systems: a table, and each figure's values with their intervals.

    :param found: figure to system to interval (:func:`said_model.evaluation.compare.compare`).
    :param truth: the truth's own values of the figures that are to be like its.
    :param subtitle: what was compared.
    """
    names = list(dict.fromkeys(name for row in found.values() for name in row))
    lines, plots = [], []
    for figure in [*(name for name in FIGURES if name in found), *(name for name in found if name not in FIGURES)]:
        title, better, digits = FIGURES.get(figure, (figure, "", 4))
        row, way = found[figure], aimed(better, truth.get(figure), digits)
        lines.append((title, way, *(_shown(row.get(name), digits) for name in names)))
        aim = 0.0 if better == "→ 0" else truth.get(figure) if better == "→ truth" else None
        spans = [(name, row[name].value, row[name].low, row[name].high) for name in names if name in row]
        if any(np.isfinite(value) for _, value, _, _ in spans):
            plots.append(plot.intervals(spans, f"{title} {way}".strip(), aim))
    about = f"{_ARROWS} Brackets: 95 % intervals over clips, all systems resampled alike."
    parts = [
        section("Figures", table(("Figure", "Better", *names), lines, words=2), about),
        section(
            "Side by side", tiles(plots), "A dot is the value, the bar its interval; the line is what is aimed at."
        ),
    ]
    return document("Systems compared", subtitle, parts)


def _shown(cell: Interval | None, digits: int) -> str:
    if cell is None or not np.isfinite(cell.value):
        return "–"
    return f"{cell.value:.{digits}f} [{cell.low:.{digits}f}, {cell.high:.{digits}f}]"

"""A self-contained page of an evaluation: its figures, and the spread of every figure over clips as drawings."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from said_model.evaluate import Evaluation

#: Figure to its title, whether more or less is better, and digits; in the order of tables. Table 1's stand first.
FIGURES: dict[str, tuple[str, str, int]] = {
    "sync_offset": ("AV offset (frames)", "→ 0", 2),
    "sync_offset_abs": ("|AV offset| (frames)", "↓", 2),
    "sync_confidence": ("AV confidence", "↑", 3),
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
    "rate_violations": ("Steps above the rate limit", "↓", 4),
}

_STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse}td,th{padding:.25rem .8rem;border-bottom:1px solid #ddd;text-align:left}
td.n{text-align:right;font-variant-numeric:tabular-nums}svg{margin:.4rem}li{margin:.2rem 0}"""


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
    body = "".join(
        f"<tr><td>{escape(title)}</td><td>{escape(better)}</td><td class=n>{value}</td><td class=n>{clips}</td></tr>"
        for title, better, value, clips in rows(evaluation)
    )
    plots = "".join(
        histogram([row[name] for row in evaluation.rows if np.isfinite(row.get(name, np.nan))], title)
        for name, (title, _, _) in FIGURES.items()
        if sum(np.isfinite(row.get(name, np.nan)) for row in evaluation.rows) > 1
    )
    notes = "".join(f"<li>{escape(note)}</li>" for note in evaluation.notes)
    title = escape(f"Evaluation of {evaluation.name}")
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{_STYLE}</style>"
        f"<h1>{title}</h1><ul>{notes}</ul><table><tr><th>Figure</th><th>Better</th><th>Value</th><th>Clips</th></tr>"
        f"{body}</table><h2>Spread over clips</h2>{plots}</html>\n"
    )


def histogram(values: Sequence[float], title: str, width: int = 280, height: int = 150) -> str:
    """Return an SVG histogram of a figure's values over clips, with its mean as a line."""
    counts, edges = np.histogram(values, bins=16)
    left, base, top = 8, height - 28, 26
    span, tall = width - 2 * left, base - top
    step = span / len(counts)
    bars = "".join(
        f'<rect x="{left + place * step:.1f}" y="{base - tall * count / counts.max():.1f}" width="{step - 1:.1f}" '
        f'height="{tall * count / counts.max():.1f}" fill="#4a7ab5"/>'
        for place, count in enumerate(counts)
    )
    mean = float(np.mean(values))
    at = left + span * (mean - edges[0]) / (edges[-1] - edges[0])
    return (
        f'<svg width="{width}" height="{height}" role="img" aria-label="{escape(title)}" font-size="11" '
        f'font-family="system-ui,sans-serif"><text x="{left}" y="15" font-size="12">{escape(title)}</text>{bars}'
        f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top - 4}" y2="{base}" stroke="#c33"/>'
        f'<text x="{left}" y="{base + 15}">{edges[0]:.4g}</text>'
        f'<text x="{width / 2}" y="{base + 15}" text-anchor="middle" fill="#c33">mean {mean:.4g}</text>'
        f'<text x="{width - left}" y="{base + 15}" text-anchor="end">{edges[-1]:.4g}</text></svg>'
    )

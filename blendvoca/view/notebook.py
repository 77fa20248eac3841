"""What a notebook shows of a track, a rig and a dataset: curves, a sheet of shapes, a table.

All colours are the reader's own (``currentColor``) or readable on light and dark; nothing is loaded from elsewhere.
"""

from __future__ import annotations

import base64
import io
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from blendvoca.errors import BlendvocaError

if TYPE_CHECKING:
    from blendvoca.dataset import BlendVOCA
    from blendvoca.rig import BlendshapeRig
    from blendvoca.track import CoefficientTrack

#: Curves that a track shows: those that move most. Readable on white and on black.
_COLOURS = ("#d6543d", "#26907f", "#5a76d6", "#b8860b", "#a35fb8")
_WIDTH, _HEIGHT = 640, 150
#: Shapes that a rig shows, and the pixels of each.
_SHAPES, _SIZE = 15, 110
#: Rows of a dataset's table.
_ROWS = 12
_SMALL = "font-size:12px;opacity:.75"


def track_html(track: CoefficientTrack) -> str:
    """Return the curves of the shapes that move most over seconds, as SVG under one line of facts.

    :param track: (T, K) coefficients.
    """
    order = np.argsort(-np.ptp(track.values, axis=0), kind="stable")[: len(_COLOURS)]
    # More points than pixels show nothing more.
    step = max(len(track) // _WIDTH, 1)
    x = np.linspace(0, _WIDTH, len(track.values[::step]))
    lines, legend = [], []
    for column, colour in zip(order, _COLOURS):
        y = _HEIGHT * (1 - track.values[::step, column])
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y))
        lines.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        legend.append(f'<span style="color:{colour}">━ {escape(track.names[column])}</span>')
    rest = len(track.names) - len(order)
    more = f' <span style="opacity:.7">and {rest} more</span>' if rest else ""
    axis = "".join(
        f'<line x1="{second / track.duration * _WIDTH:.1f}" x2="{second / track.duration * _WIDTH:.1f}" y1="0" '
        f'y2="{_HEIGHT}" stroke="currentColor" stroke-opacity=".15"/>' for second in _ticks(track.duration)
    )  # fmt: skip
    return (
        f"<div><div>{escape(repr(track))}</div>"
        f'<svg viewBox="-2 -4 {_WIDTH + 4} {_HEIGHT + 8}" style="width:100%;max-width:{_WIDTH}px;display:block" '
        f'role="img" aria-label="Curves of coefficients from 0 to 1 over {track.duration:.1f} seconds">'
        f'{axis}<rect width="{_WIDTH}" height="{_HEIGHT}" fill="none" stroke="currentColor" stroke-opacity=".3"/>'
        f'{"".join(lines)}</svg><div style="font-size:12px">{" &nbsp; ".join(legend)}{more}</div></div>'
    )


def _ticks(duration: float) -> range:
    return range(1, int(duration) + 1, max(int(duration) // 12, 1))


def rig_html(rig: BlendshapeRig) -> str:
    """Return a sheet of the neutral and the first shapes; their names and ranges where nothing can be drawn.

    :param rig: in any unit.
    """
    head = f"<div>{escape(repr(rig))}</div>"
    try:
        picture = _sheet(rig)
    except BlendvocaError as error:
        names = ", ".join(map(escape, rig.names))
        return f'<div>{head}<div style="{_SMALL}">{escape(str(error))}</div><div>{names}</div></div>'
    more = len(rig.names) - _SHAPES
    note = f'<div style="{_SMALL}">and {more} more</div>' if more > 0 else ""
    source = f"data:image/png;base64,{base64.b64encode(picture).decode()}"
    return f'<div>{head}<img style="max-width:100%" alt="Blendshapes of the rig" src="{source}"/>{note}</div>'


def _sheet(rig: BlendshapeRig) -> bytes:
    from blendvoca.view.appearance import appearance_of
    from blendvoca.view.sheet import face_camera, pillow, shape_sheet

    image = pillow("Image")
    shown = rig.select(rig.names[:_SHAPES])
    camera = face_camera(rig.neutral, deltas=shown.deltas)
    sheet = shape_sheet(shown, shown.names, camera, _SIZE, columns=8, look=appearance_of(rig.neutral))
    file = io.BytesIO()
    image.fromarray(sheet).save(file, "PNG", optimize=True)
    return file.getvalue()


def dataset_html(dataset: BlendVOCA) -> str:
    """Return the first clips as a table, under one line of facts.

    :param dataset: of any split.
    """
    columns = {"speaker": "speaker", "sentence": "sentence", "split": "split", "seconds": "seconds",
               "audio_rate": "sound, Hz", "fit_error_mm": "fit, mm", "rate_limit_share": "at limit"}  # fmt: skip
    rows = dataset.table()
    cells = ["".join(f"<th style='text-align:left;padding:2px 10px'>{title}</th>" for title in columns.values())]
    for row in rows[:_ROWS]:
        cells.append("".join(f"<td style='padding:2px 10px'>{_cell(row[key])}</td>" for key in columns))
    body = "".join(f"<tr>{cell}</tr>" for cell in cells)
    more = f'<div style="{_SMALL}">and {len(rows) - _ROWS} more clips</div>' if len(rows) > _ROWS else ""
    return (
        f'<div><div>{escape(repr(dataset))}</div><div style="overflow-x:auto"><table>{body}</table></div>{more}</div>'
    )


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return (
        f"{value:.3g}" if isinstance(value, float) else escape(f"{value:,}" if isinstance(value, int) else str(value))
    )

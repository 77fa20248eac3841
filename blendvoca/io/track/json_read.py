"""Coefficients in JSON, in the forms that tools write.

Read are: a list of frames, each a dictionary of names (``blendShapes`` around it or not), categories with names and
scores (MediaPipe), or a list of weights beside a list of names (Audio2Face); one matrix of weights; or a list of values
for every name. A rate may stand in the document, times or frame numbers in the frames.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import arkit_name
from blendvoca.errors import FormatError
from blendvoca.io.files import StrPath, decode_text, naming
from blendvoca.io.json_file import anything, parse_json
from blendvoca.io.track.columns import CLOCKS, clock_kind, is_beside, is_shape
from blendvoca.io.track.samples import Clock, Samples, TrackOptions

WRONG, FORM = "not a coefficient JSON", "frames of named values: {'fps', 'frames': [{'blendShapes': {…}}]}"
_RATES = ("fps", "exportfps", "framerate", "framespersecond", "rate")
_NAMES = ("names", "facsnames", "blendshapenames", "shapenames", "blendshapes", "shapes", "keys", "columns", "poses")
_MATRIX = ("weights", "weightmat", "values", "data", "frames", "blendshapeweights", "coefficients", "matrix")
_INSIDE = ("blendshapes", "faceblendshapes", "shapes", "weights", "coefficients", "values", "expressions", "arkit",
           "blendshapeweights", "categories", "scores", "data")  # fmt: skip
_NAME, _VALUE = ("categoryname", "name", "blendshapename", "blendshape", "key", "label"), ("score", "value", "weight")

Row = dict[str, float]


def decode_json(data: bytes, options: TrackOptions, path: StrPath | None = None) -> Samples:
    """Decode a document of coefficients.

    :raises FormatError: if it is none.
    """
    with naming(path):
        try:
            return _samples(_document(data), options)
        except FormatError as error:
            if error.what == WRONG:
                error.expected = FORM
                raise
            found = error.what if error.found is None else f"{error.what}: {error.found}"
            raise FormatError(WRONG, expected=FORM, found=found, path=path) from error


def _document(data: bytes) -> object:
    lines = data.split(b"\n", 2)
    if len(lines) > 1 and lines[0].strip().endswith(b"}") and lines[1].lstrip().startswith(b"{"):
        # One frame a line.
        return [parse_json(line, anything, WRONG) for line in decode_text(data).splitlines() if line.strip()]
    return parse_json(data, anything, WRONG)


def _samples(document: object, options: TrackOptions) -> Samples:
    table: Mapping[str, Any] = document if isinstance(document, dict) else {}
    fps = _rate(table)
    names = options.names or _names(table)
    matrix = _entry(table, _MATRIX, _is_matrix)
    if matrix is not None:
        if names is None:
            _refuse("weights without names (state them: --names)")
        return Samples(tuple(names), _matrix(matrix, names), _clock_beside(table, len(matrix)), fps)
    columns = _columns(table)
    if columns is not None:
        return Samples(tuple(columns), _matrix(list(zip(*columns.values())), list(columns)), None, fps)
    frames = document if isinstance(document, list) else _frames(table)
    if not frames:
        _refuse("no frames")
    rows = [_row(frame, names, f"frame {index}") for index, frame in enumerate(frames)]
    return _together(rows, [frame if isinstance(frame, dict) else {} for frame in frames], fps, options.keep_others)


def _refuse(found: str) -> NoReturn:
    raise FormatError(found)


def _plain(key: object) -> str:
    return re.sub(r"[^a-z0-9]", "", str(key).lower())


def _entry(table: Mapping[str, Any], known: Sequence[str], fits: Any) -> Any:
    """Return the entry of the first known key whose content fits."""
    by_plain = {_plain(key): value for key, value in table.items()}
    return next((by_plain[key] for key in known if key in by_plain and fits(by_plain[key])), None)


def _rate(table: Mapping[str, Any]) -> float | None:
    by_plain = {_plain(key): value for key, value in table.items()}
    stated = next((by_plain[key] for key in _RATES if by_plain.get(key) is not None), None)
    if stated is None:
        return None
    rate = number(stated, "fps")
    if not 0 < rate < 1e6:
        _refuse(f"fps is {rate:g}")
    return rate


def _names(table: Mapping[str, Any]) -> tuple[str, ...] | None:
    return _entry(table, _NAMES, lambda value: isinstance(value, list) and value and _are_texts(value))


def _are_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _is_matrix(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, list) for row in value) and not (
        value[0] and isinstance(value[0][0], dict)
    )  # fmt: skip


def _matrix(rows: Sequence[Sequence[Any]], names: Sequence[str]) -> NDArray[np.float64]:
    for index, row in enumerate(rows):
        if len(row) != len(names):
            _refuse(f"frame {index} has {len(row)} values for {len(names)} names")
    return np.array([[number(value, f"{names[column]!r} of frame {index}") for column, value in enumerate(row)]
                     for index, row in enumerate(rows)])  # fmt: skip


def _clock_beside(table: Mapping[str, Any], rows: int) -> Clock | None:
    """Return a list of times that stands beside a matrix."""
    for key, value in table.items():
        if clock_kind(str(key)) and isinstance(value, list) and len(value) == rows:
            return _clock(str(key), value)
    return None


def _columns(table: Mapping[str, Any]) -> dict[str, list[Any]] | None:
    """Return lists of values by shape, all of one length."""
    places = [table, *(value for value in table.values() if isinstance(value, dict))]
    for place in places:
        found = {key: value for key, value in place.items() if isinstance(value, list) and arkit_name(key)}
        if found and len({len(value) for value in found.values()}) == 1:
            return found
    return None


def _frames(table: Mapping[str, Any]) -> list[Any]:
    if "frames" in table and not isinstance(table["frames"], list):
        _refuse("no list of frames")
    found = _entry(table, ("frames", "data", "results", "samples", "faceblendshapes", "blendshapes"),
                   lambda value: isinstance(value, list))  # fmt: skip
    if found is None:
        found = next((value for value in table.values() if isinstance(value, list) and value
                      and isinstance(value[0], dict | list)), None)  # fmt: skip
    if found is None:
        _refuse("no frames" if table else "no list of frames")
    return list(found)


def _row(frame: object, names: Sequence[str] | None, where: str, bare: bool = True) -> Row:
    """Return the shapes of one frame; empty where no face was seen. A bare frame may have texts beside its shapes."""
    if isinstance(frame, list):
        return _listed(frame, names, where)
    if not isinstance(frame, dict):
        _refuse(f"{where} is no dictionary")
    by_plain = {_plain(key): value for key, value in frame.items()}
    inner = next((by_plain[key] for key in _INSIDE if isinstance(by_plain.get(key), dict | list)), None)
    if inner is not None:
        return _row(inner, names, where, bare=False) if isinstance(inner, dict) else _listed(inner, names, where)
    wrong = next((key for key in _INSIDE[:2] if key in by_plain), None)
    if wrong is not None:
        _refuse(f"{'blendShapes'!r} of {where} is no dictionary")
    row = {key: number(value, f"{key!r} of {where}") for key, value in frame.items()
           if clock_kind(key) is None and not isinstance(value, dict | list)
           and not (isinstance(value, str) and bare and arkit_name(key) is None)}  # fmt: skip
    if not row and frame:
        _refuse(f"{where} has no 'blendShapes'")
    return row


def _listed(entries: list[Any], names: Sequence[str] | None, where: str) -> Row:
    """Return the shapes of a list: categories, faces of which the first counts, or plain weights."""
    if not entries:
        return {}
    if isinstance(entries[0], list):
        return _listed(entries[0], names, where)
    if not isinstance(entries[0], dict):
        if names is None or len(entries) != len(names):
            _refuse(f"{where} has {len(entries)} weights for {len(names or ())} names")
        return {name: number(value, f"{name!r} of {where}") for name, value in zip(names, entries)}
    row: Row = {}
    for entry in entries:
        table = {_plain(key): value for key, value in entry.items()} if isinstance(entry, dict) else {}
        name = next((table[key] for key in _NAME if isinstance(table.get(key), str) and table[key]), None)
        value = next((table[key] for key in _VALUE if key in table), None)
        if name is None or value is None:
            return _row(entries[0], names, where)  # several faces: the first
        if name in row:
            _refuse(f"{where} names {name!r} twice")
        row[name] = number(value, f"{name!r} of {where}")
    return row


def number(value: object, where: str) -> float:
    """Return a JSON number; null is not a number.

    :raises FormatError: for anything else.
    """
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(f"{where} is no number")
    try:
        result = float(value)
    except OverflowError:
        _refuse(f"{where} is beyond all numbers")
    if not np.isfinite(result):
        _refuse(f"{where} is not finite")
    return result


def _together(rows: list[Row], frames: list[dict[str, Any]], fps: float | None, keep_others: bool) -> Samples:
    """Put frames together; every one must name the same shapes, or none."""
    first = next((row for row in rows if row), None)
    if first is None:
        _refuse("no frame names a shape")
    names = tuple(first)
    for index, row in enumerate(rows):
        if row and row.keys() != first.keys():
            odd = sorted(row.keys() ^ first.keys())[:3]
            _refuse(f"frame {index} names other shapes than frame {rows.index(first)}: {', '.join(odd)}")
    empty = dict.fromkeys(names, float("nan"))
    values = np.array([[(row or empty)[name] for name in names] for row in rows])
    shapes = [column for column, name in enumerate(names) if not is_beside(name)]
    chosen = [column for column in shapes if keep_others or is_shape(names[column])]
    chosen = chosen if any(is_shape(names[column]) for column in chosen) else shapes
    left = tuple(names[column] for column in shapes if column not in set(chosen))
    return Samples(tuple(names[column] for column in chosen), values[:, chosen], _clock_of(frames), fps, left)


def _clock_of(frames: list[dict[str, Any]]) -> Clock | None:
    """Return the clock that all frames have."""
    keys = [key for key in frames[0] if clock_kind(key) is not None and not isinstance(frames[0][key], dict | list)]
    order = list(CLOCKS)
    for key in sorted(keys, key=lambda key: order.index(clock_kind(key) or "frames")):
        stated = [frame[key] for frame in frames if key in frame]
        if len(stated) != len(frames):
            _refuse(f"only some frames have a {key!r}")
        return _clock(key, stated)
    return None


def _clock(key: str, stated: list[Any]) -> Clock:
    kind = clock_kind(key) or "time"
    if all(isinstance(value, str) for value in stated):
        return Clock("codes", codes=stated, name=key)
    numbers = np.array([number(value, f"{key!r} of frame {index}") for index, value in enumerate(stated)])
    return Clock("time" if kind == "codes" else kind, numbers=numbers, name=key)

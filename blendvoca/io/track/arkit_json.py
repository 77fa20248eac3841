"""ARKit coefficients as JSON: one dictionary a frame, for browsers and scripts."""

from __future__ import annotations

import json
from os import PathLike
from typing import NoReturn

import numpy as np

from blendvoca.errors import FormatError, TrackError
from blendvoca.io.atomic import write_text
from blendvoca.io.json_file import read_document
from blendvoca.track import CoefficientTrack

#: Digits that bring a float32 coefficient back exactly.
_DIGITS = 9
_WRONG, _FORM = "not a coefficient JSON", '{"fps", "frames": [{"blendShapes": {...}}]}'


def write_json(path: str | PathLike[str], track: CoefficientTrack) -> None:
    """Write ``{"fps", "frames": [{"time", "blendShapes": {name: value}}]}``; the error is below 1e-9."""
    frames = [
        {
            "time": round(frame / track.fps, _DIGITS),
            "blendShapes": {name: round(float(value), _DIGITS) for name, value in zip(track.names, row)},
        }
        for frame, row in enumerate(track.values)
    ]
    write_text(path, json.dumps({"fps": track.fps, "frames": frames}, separators=(",", ":")))


def read_json(path: str | PathLike[str]) -> CoefficientTrack:
    """Read what :func:`write_json` writes; every frame must name the same shapes.

    A frame's ``time`` may be left out or start anywhere, but must not leave the grid of ``fps`` by half a frame.

    :raises MissingInputError: if there is no such file.
    :raises FormatError: for anything else in it.
    """
    document = read_document(path, _WRONG, _FORM)
    try:
        fps = _number(_field(document, "fps", "the file"), "fps")
        frames = _field(document, "frames", "the file")
        if not isinstance(frames, list) or not frames:
            _refuse("no list of frames" if not isinstance(frames, list) else "no frames")
        shapes = [_shapes(frame, f"frame {index}") for index, frame in enumerate(frames)]
        names = tuple(shapes[0])
        for index, row in enumerate(shapes):
            if row.keys() != shapes[0].keys():
                odd = sorted(row.keys() ^ shapes[0].keys())[:3]
                _refuse(f"frame {index} names other shapes than frame 0: {', '.join(odd)}")
        values = [[row[name] for name in names] for row in shapes]
        track = CoefficientTrack(np.array(values), names, fps)
        _check_times(frames, fps)
        return track
    except (FormatError, TrackError) as error:
        found = error.what if error.found is None else f"{error.what}: {error.found}"
        raise FormatError(_WRONG, expected=_FORM, found=found, path=path) from error


def _refuse(found: str) -> NoReturn:
    raise FormatError(found)


def _field(table: object, name: str, where: str) -> object:
    if not isinstance(table, dict):
        _refuse(f"{where} is no dictionary")
    if name not in table:
        _refuse(f"{where} has no {name!r}")
    return table[name]


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse(f"{where} is no number")
    try:
        return float(value)
    except OverflowError:
        _refuse(f"{where} is beyond all numbers")


def _shapes(frame: object, where: str) -> dict[str, float]:
    table = _field(frame, "blendShapes", where)
    if not isinstance(table, dict):
        _refuse(f"'blendShapes' of {where} is no dictionary")
    return {name: _number(value, f"{name!r} of {where}") for name, value in table.items()}


def _check_times(frames: list[dict[str, object]], fps: float) -> None:
    """Refuse times that another frame rate, or a missing frame, has left behind."""
    told = [_number(frame["time"], f"'time' of frame {index}") for index, frame in enumerate(frames) if "time" in frame]
    if told and len(told) != len(frames):
        _refuse("only some frames have a 'time'")
    for index, time in enumerate(told):
        due = told[0] + index / fps
        if not abs(time - due) <= 0.5 / fps:
            _refuse(f"frame {index} at {time:g} s, where {fps:g} fps puts it at {due:g} s")

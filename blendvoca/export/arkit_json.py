"""ARKit coefficients as JSON: one dictionary a frame, for browsers and scripts."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path

import numpy as np

from blendvoca.errors import FormatError, MissingInputError, TrackError
from blendvoca.io.atomic import write_text
from blendvoca.track import CoefficientTrack

#: Digits that bring a float32 coefficient back exactly.
_DIGITS = 9


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


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r} is no number")
    return float(value)


def read_json(path: str | PathLike[str]) -> CoefficientTrack:
    """Read what :func:`write_json` writes; every frame must name the same shapes.

    :raises MissingInputError: if there is no such file.
    :raises FormatError: for anything else in it.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingInputError("no such file", path=file)
    try:
        document = json.loads(file.read_text())
        names = tuple(document["frames"][0]["blendShapes"])
        rows = [[_number(frame["blendShapes"][name]) for name in names] for frame in document["frames"]]
        if any(len(frame["blendShapes"]) != len(names) for frame in document["frames"]):
            raise ValueError("frames name different shapes")
        return CoefficientTrack(np.array(rows), names, _number(document["fps"]))
    except (KeyError, IndexError, TypeError, ValueError, OverflowError, RecursionError) as error:
        found = error if isinstance(error, TrackError) else repr(error)
        expected = '{"fps", "frames": [{"blendShapes": {...}}]}'
        raise FormatError("not a coefficient JSON", expected=expected, found=found, path=file) from error

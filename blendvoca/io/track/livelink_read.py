"""Live Link Face captures: Apple's face tracking, recorded as CSV.

Columns are found by their names, never by position: the app capitalises them and puts Right before Left for Jaw and
Mouth.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import ARKIT_NAMES, canonical_name
from blendvoca.errors import FormatError, TrackError, nearest
from blendvoca.io.files import StrPath, naming, read_bytes
from blendvoca.io.track.csv import number_table, split_table
from blendvoca.track import CoefficientTrack

#: The app's columns after the 52 shapes; radians.
POSE_COLUMNS = tuple(f"{part}{axis}" for part in ("Head", "LeftEye", "RightEye") for axis in ("Yaw", "Pitch", "Roll"))
#: How columns begin that hold no shape.
_POSES = ("head", "lefteye", "righteye")
#: Frame rates that the app and its time codes know.
_RATES = (24.0, 25.0, 30.0, 50.0, 60.0)
#: ``hours:minutes:seconds:frames``, the frames with a fraction; some versions write ``.`` before the frames.
_TIMECODE = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})[:;.](\d{1,3}(?:\.\d+)?)")
#: How far a capture leaves [0, 1]: the app's rounding.
_SLACK = 1e-3
_HALF_A_DAY = 12 * 3600


@dataclass(frozen=True)
class LiveLinkCapture:
    """A capture: the blendshapes it has, and the rotations of head and eyes.

    :param track: coefficients of the ARKit names, in ARKit's order; ``fps`` as told by the time codes.
    :param rotations: (T, R) angles in radians, as the app writes them.
    :param rotation_names: their R names (``HeadYaw``, …).
    :param timecodes: the time code of every frame, as written.
    """

    track: CoefficientTrack
    rotations: NDArray[np.float64]
    rotation_names: tuple[str, ...]
    timecodes: tuple[str, ...]


def read_livelink(path: StrPath, fps: float | None = None) -> LiveLinkCapture:
    """Read a Live Link Face CSV.

    :param fps: frames per second; by default worked out from the time codes.
    :raises MissingInputError: if the file cannot be read.
    :raises FormatError: if it is no such capture, or its time codes run backwards.
    :raises TrackError: for values that are no coefficients.
    """
    return decode_livelink(read_bytes(path), fps, path)


def decode_livelink(data: bytes, fps: float | None = None, path: StrPath | None = None) -> LiveLinkCapture:
    """Decode the bytes of a Live Link Face CSV; ``path`` is what errors call it."""
    with naming(path):
        header, rows = split_table(data)
        names = [name.strip() for name in header]
        if not names[0].lower().startswith("timecode"):
            remedy = "Move the column Timecode to the front; a table without one is a coefficient CSV."
            expected, found = "a first column 'Timecode'", repr(names[0][:40])
            raise FormatError("not a Live Link capture", expected=expected, found=found, remedy=remedy)
        if not rows:
            raise TrackError("the capture has no frames", expected="a line per frame", found="only a header")
        timecodes = tuple(row.split(",", 1)[0].strip() for row in rows)
        values = number_table([row.split(",", 1)[1] if "," in row else "" for row in rows], len(names) - 1)
        if not np.isfinite(values).all():
            row, column = np.argwhere(~np.isfinite(values))[0]
            found = f"{names[column + 1]} = {values[row, column]} in frame {row}"
            raise FormatError("a value is not finite", found=found)
        shapes, others = _sort_columns(names[1:])
        if fps is None:
            fps = frame_rate(timecodes)
        elif all(map(_TIMECODE.fullmatch, timecodes)):
            # A stated rate needs no time codes, but they still tell the order.
            _clock(timecodes)
        coefficients = values[:, list(shapes.values())]
        if coefficients.min() >= -_SLACK and coefficients.max() <= 1 + _SLACK:
            coefficients = coefficients.clip(0.0, 1.0)
        track = CoefficientTrack(coefficients, tuple(shapes), fps)
        return LiveLinkCapture(track, values[:, list(others.values())], tuple(others), timecodes)


def _sort_columns(names: list[str]) -> tuple[dict[str, int], dict[str, int]]:
    """Return the columns of ARKit's shapes, in ARKit's order, and those of the rotations."""
    shapes: dict[str, int] = {}
    others: dict[str, int] = {}
    for column, name in enumerate(names):
        if name.lower() == "blendshapecount":
            continue
        try:
            known = canonical_name(name)
        except TrackError as error:
            if not name.lower().startswith(_POSES):
                shown = [shape[0].upper() + shape[1:] for shape in ARKIT_NAMES]
                what = f"no column of a capture is called {name[:40]!r}{nearest(name, (*shown, *POSE_COLUMNS))}"
                raise FormatError(what, remedy="Correct its name, or take the column out.") from error
            others[name] = column
            continue
        if known in shapes:
            raise FormatError("a blendshape has two columns", found=f"{names[shapes[known]]!r} and {name!r}")
        shapes[known] = column
    if not shapes:
        raise FormatError("no column is an ARKit blendshape", expected="'JawOpen', 'EyeBlinkLeft', …", found=names[:4])
    return {name: shapes[name] for name in ARKIT_NAMES if name in shapes}, others


def frame_rate(timecodes: tuple[str, ...]) -> float:
    """Work out the frame rate from time codes: frames per whole second, else from the frame numbers.

    :raises FormatError: for a time code that is none or earlier than the one before, or too few of them to tell.
    """
    return _rate(*_clock(timecodes))


def _clock(timecodes: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return whole seconds, going on beyond midnight, and frame numbers of time codes that never run backwards."""
    seconds = np.empty(len(timecodes), np.int64)
    numbers = np.empty(len(timecodes))
    days = 0
    for row, code in enumerate(timecodes):
        match = _TIMECODE.fullmatch(code)
        if match is None:
            raise FormatError(
                "a time code cannot be read", expected="hh:mm:ss:ff", found=f"{code[:40]!r} in frame {row}"
            )
        hours, minutes, whole = (int(part) for part in match.groups()[:3])
        seconds[row], numbers[row] = 86400 * days + 3600 * hours + 60 * minutes + whole, float(match[4])
        if row and seconds[row] < seconds[row - 1] - _HALF_A_DAY:
            # Past midnight.
            days += 1
            seconds[row] += 86400
        if row and (seconds[row], numbers[row]) < (seconds[row - 1], numbers[row - 1]):
            found = f"{code!r} after {timecodes[row - 1]!r} in frame {row}"
            remedy = "Put the lines in the order of time, and each capture into a file of its own."
            raise FormatError("time codes run backwards", found=found, remedy=remedy)
    return seconds, numbers


def _rate(seconds: NDArray[np.int64], numbers: NDArray[np.float64]) -> float:
    """Return the nearest of the app's rates."""
    starts = np.flatnonzero(np.diff(seconds)) + 1
    if len(starts) >= 2:
        # The first and last second are cut; what stands between them counts frames.
        counted = float(np.median(np.diff(starts)))
    elif len(starts) == 1:
        # The numbers ran up to the turn of the second, so their largest tells what they count; the app may count in
        # 60ths and record every second one.
        step = max(round(float(np.median(np.abs(np.diff(numbers))))), 1)
        counted = min(_RATES, key=lambda rate: abs(rate - int(numbers.max()) - step)) / step
    else:
        raise FormatError(
            "too few time codes to tell the frame rate", expected="more than a second", remedy="State it: fps=60."
        )
    return min(_RATES, key=lambda rate: abs(rate - counted))

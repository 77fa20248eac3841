"""Live Link Face CSV: the 61 columns of Apple's capture app, so that Unreal and MotionBuilder tools read our tracks."""

from __future__ import annotations

from os import PathLike

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import ARKIT_NAMES, canonical_name
from blendvoca.errors import TrackError
from blendvoca.io.atomic import write_text
from blendvoca.track import CoefficientTrack

#: The app's columns after the 52 shapes; radians.
POSE_COLUMNS = tuple(f"{part}{axis}" for part in ("Head", "LeftEye", "RightEye") for axis in ("Yaw", "Pitch", "Roll"))
#: Decimals of the app's own files.
DECIMALS = 10


def write_livelink(
    path: str | PathLike[str],
    track: CoefficientTrack,
    start_seconds: float = 0.0,
    head: NDArray[np.float64] | None = None,
) -> None:
    """Write a track as Live Link Face writes it: timecode, count, 52 shapes in its order, nine pose angles.

    Shapes that the track lacks and pose angles are zero. Values keep ten decimals: the error is below 5e-11.

    :param start_seconds: time of day of the first frame; a track that would end in the same second begins with that
        second's last frame, since nothing else in the format states its rate.
    :param head: (T, 3) radians of the head: yaw, pitch, roll.
    :raises TrackError: if the track holds a name that is no ARKit shape, or the rate is no whole number.
    """
    if track.fps != round(track.fps) or track.fps > 999:
        raise TrackError(
            "timecodes need a whole frame rate", expected="such as 30 or 60", found=track.fps, remedy="Use --fps."
        )
    columns = [ARKIT_NAMES.index(canonical_name(name)) for name in track.names]
    table = np.zeros((len(track), len(ARKIT_NAMES) + len(POSE_COLUMNS)))
    table[:, columns] = track.values
    if head is not None:
        table[:, len(ARKIT_NAMES) : len(ARKIT_NAMES) + 3] = head
    header = ["Timecode", "BlendShapeCount", *(name[0].upper() + name[1:] for name in ARKIT_NAMES), *POSE_COLUMNS]
    rate = round(track.fps)
    first = round(start_seconds * rate)
    if first % rate + len(track) <= rate:
        # Time codes show their rate only where a second turns, so a shorter track begins just before one.
        first += rate - 1 - first % rate
    lines = [",".join(header)]
    for frame, row in enumerate(table):
        values = ",".join(f"{value:.{DECIMALS}f}" for value in row)
        lines.append(f"{_timecode(first + frame, rate)},{table.shape[1]},{values}")
    write_text(path, "\n".join(lines) + "\n")


def _timecode(frame: int, fps: int) -> str:
    """Return hours:minutes:seconds:frames.milliframes, wrapped at midnight."""
    seconds, part = divmod(frame, fps)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour % 24:02d}:{minute:02d}:{second:02d}:{part:02d}.000"

"""Coefficient tracks as CSV in the authors' format: one header line of blendshape names, one line a frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError, TrackError
from blendvoca.io.files import StrPath, decode_text, naming, parse_numbers, read_bytes
from blendvoca.io.track.csv_write import write_coefficients
from blendvoca.speakers import VOCASET_FPS
from blendvoca.track import CoefficientTrack


def read_track(path: StrPath, fps: float = VOCASET_FPS) -> CoefficientTrack:
    """Read a coefficient CSV; the format does not state its frame rate.

    :raises MissingInputError: if the file cannot be read.
    :raises FormatError: if it is no such table.
    :raises TrackError: for values that are no coefficients.
    """
    return decode_track(read_bytes(path), fps, path)


def decode_track(data: bytes, fps: float, path: StrPath | None = None) -> CoefficientTrack:
    """Decode the bytes of a coefficient CSV; ``path`` is what errors call it."""
    with naming(path):
        names, values = decode_table(data, path)
        return CoefficientTrack(values, names, fps)


def decode_table(data: bytes, path: StrPath | None = None) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Decode the bytes of a coefficient CSV as names and numbers (T, K), in range or not.

    :raises FormatError: if it is no such table. :raises TrackError: without frames.
    """
    with naming(path):
        header, rows = split_table(data)
        names = [name.strip().strip('"') for name in header]
        if "Timecode" in names:
            raise FormatError(
                "a Live Link capture, not a coefficient table",
                remedy="Its column Timecode must be the first; then blendvoca convert makes a table of it.",
            )
        if not all(names) or any(_is_number(name) for name in names):
            raise FormatError("the first line holds no names", expected="blendshape names", found=header[:4])
        values = number_table(rows, len(names))
        if len(values) == 0:
            raise TrackError("the table has no frames", expected="a line of numbers per frame", found="only a header")
        return tuple(names), values


def split_table(data: bytes) -> tuple[list[str], list[str]]:
    """Return the cells of the first line and the other lines, without empty ones."""
    lines = [line for line in decode_text(data).splitlines() if line.strip()]
    if not lines:
        raise FormatError("the table is empty", expected="a header line and a line per frame")
    return lines[0].split(","), lines[1:]


def number_table(rows: list[str], columns: int) -> NDArray[np.float64]:
    """Return comma-separated lines of numbers as (rows, columns).

    :raises FormatError: for a line of another length or anything that is not a number.
    """
    for number, row in enumerate(rows, start=2):
        if row.count(",") != columns - 1:
            raise FormatError(
                f"line {number} has another number of columns", expected=columns, found=row.count(",") + 1
            )
    flat = parse_numbers(",".join(rows).encode(), np.float64, "cells of the table", separator=",")
    if flat.size != len(rows) * columns:
        raise FormatError("the table has empty cells", expected=f"{len(rows) * columns} numbers", found=flat.size)
    return flat.reshape(len(rows), columns)  # type: ignore[return-value]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def write_track(path: StrPath, track: CoefficientTrack) -> None:
    """Write a track atomically, with the fewest digits that give back every float32."""
    write_coefficients(path, track.names, track.values)

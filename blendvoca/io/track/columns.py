"""What the columns of a table are, by their names: time, frame numbers, shapes, rotations, and the rest."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from blendvoca.arkit import arkit_half, arkit_name
from blendvoca.errors import FormatError, TrackError
from blendvoca.io.files import StrPath, naming
from blendvoca.io.track.samples import Clock, ClockKind, Samples, TrackOptions
from blendvoca.io.track.table import columns_of, is_number, read_table

#: Names of clocks, letters and digits only, in the order in which one of several is chosen.
CLOCKS: dict[ClockKind, tuple[str, ...]] = {
    "codes": ("timecode", "smpte", "tc", "framestimecode"),
    "milliseconds": ("timems", "timestampms", "ms", "milliseconds", "timemilliseconds", "timeinms", "tms", "msec"),
    "microseconds": ("timeus", "timestampus", "us", "microseconds"),
    "nanoseconds": ("timens", "timestampns", "ns", "nanoseconds"),
    "seconds": ("seconds", "secs", "sec", "times", "timesec", "timesecs", "timeseconds", "timeinseconds", "timestamps",
                "timestampsec", "timestampseconds", "elapsedseconds", "s"),
    "time": ("time", "timestamp", "t", "mediatime", "elapsed", "elapsedtime", "presentationtime", "pts"),
    "frames": ("frame", "frames", "framenumber", "frameno", "framenum", "frameid", "frameindex", "frameidx", "index",
               "idx", "unnamed0", "row", "id", "n", ""),
}  # fmt: skip
#: What every format leaves beside the shapes, and every reader may leave out without a word of each.
_BESIDE = re.compile(r"(blendshapecount|(head|lefteye|righteye)(yaw|pitch|roll)|_?neutral)", re.IGNORECASE)
_KINDS = {name: kind for kind, names in CLOCKS.items() for name in names}


@dataclass(frozen=True)
class _Roles:
    """Columns by what they are."""

    clocks: dict[ClockKind, int]
    shapes: list[int]
    others: list[int]


def clock_kind(name: str) -> ClockKind | None:
    """Return what a column or key called ``name`` counts, if it is a clock."""
    return _KINDS.get(re.sub(r"[^a-z0-9]", "", name.lower()))


def is_beside(name: str) -> bool:
    """Whether a name is known to be no shape: a count, a rotation of head or eyes, MediaPipe's neutral."""
    return _BESIDE.fullmatch(name.strip()) is not None


def is_shape(name: str) -> bool:
    """Whether a name is a spelling of one of ARKit's shapes, or of one half of them."""
    return arkit_name(name) is not None or arkit_half(name) is not None


def decode_table(data: bytes, options: TrackOptions, path: StrPath | None = None) -> Samples:
    """Decode a table of coefficients: columns by name, in any dialect, beside a clock and whatever else.

    :raises FormatError: if it is no such table.
    :raises TrackError: without frames.
    """
    with naming(path):
        table = read_table(data, options.names)
        roles = _roles(table.header, options.keep_others)
        kind = next((kind for kind in CLOCKS if kind in roles.clocks), None)
        column = None if kind is None else roles.clocks[kind]
        first = next((cells for _, cells in table.rows()), None)
        if first is None:
            raise TrackError("the table has no frames", expected="a line of numbers per frame", found="only a header")
        textual = [] if column is None or is_number(first[column]) else [column]
        shapes = roles.shapes
        numeric = shapes if textual or column is None else [*shapes, column]
        values, texts, _ = columns_of(table, numeric, textual)
        clock = _clock(kind, table.header[column] if column is not None else "", values, texts)
        names = tuple(table.header[number] for number in shapes)
        left_out = tuple(table.header[number] for number in roles.others)
        live = "codes" in roles.clocks
        return Samples(names, values[:, : len(shapes)], clock, None, left_out, own_spelling=live)


def _roles(header: tuple[str, ...], keep_others: bool) -> _Roles:
    roles = _Roles({}, [], [])
    for column, name in enumerate(header):
        kind = clock_kind(name)
        if is_shape(name):
            roles.shapes.append(column)
        elif kind is not None and (name or column == 0) and kind not in roles.clocks:
            roles.clocks[kind] = column
        elif name and not is_beside(name):
            roles.others.append(column)
    if not roles.shapes:
        if "codes" in roles.clocks or not roles.others:
            raise FormatError("no column is an ARKit blendshape", expected="'JawOpen', 'EyeBlinkLeft', …",
                              found=[name[:40] for name in header[:4]])  # fmt: skip
        # A table of another rig's shapes: nothing is known of them, so all are kept.
        return _Roles(roles.clocks, roles.others, [])
    if keep_others:
        return _Roles(roles.clocks, sorted([*roles.shapes, *roles.others]), [])
    return roles


def _clock(kind: ClockKind | None, name: str, values: np.ndarray, texts: list[list[str]]) -> Clock | None:
    if kind is None:
        return None
    if texts:
        return Clock("codes", codes=texts[0], name=name)
    # A time code that is a number is time; so is a frame number with a fraction.
    numbers = values[:, -1]
    fractions = kind == "frames" and bool((numbers != np.round(numbers)).any())
    return Clock("time" if kind == "codes" or fractions else kind, numbers=numbers, name=name or "the index")

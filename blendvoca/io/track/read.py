"""Any file of a track, recognised by its content: columns to ARKit's names, rows to frames, values to coefficients.

Nothing is changed in silence: what is left out, respelt, filled, dropped or clipped is in a note.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import ARKIT_NAMES, arkit_half, arkit_name
from blendvoca.errors import FormatError, TrackError, nearest
from blendvoca.io.files import StrPath, naming, open_file
from blendvoca.io.track.arrays import decode_track_arrays
from blendvoca.io.track.columns import decode_table
from blendvoca.io.track.grid import Placing, on_grid, place
from blendvoca.io.track.json_read import decode_json
from blendvoca.io.track.samples import Samples, TrackOptions
from blendvoca.track import RANGE_TOLERANCE, CoefficientTrack

#: How a track is read where nothing is said.
DEFAULTS = TrackOptions()
#: Largest file that is read: hours of a capture.
MOST_BYTES = 1 << 30
#: How far rates may lie apart and still be the same, relative.
_SAME_RATE = 0.02
#: Values up to here are percent where most shapes go beyond 2.
_PERCENT = 100.5


@dataclass(frozen=True, eq=False)
class TrackReading:
    """A track as it was read, and what was done to it.

    :param track: the track.
    :param notes: what was left out, respelt, filled, dropped or clipped, one note each.
    :param remarks: what was taken for granted, without any change.
    :param unclipped: (T, K) values before they were clipped.
    """

    track: CoefficientTrack
    notes: tuple[str, ...]
    remarks: tuple[str, ...]
    unclipped: NDArray[np.float64]


def read_track_file(path: StrPath, options: TrackOptions = DEFAULTS) -> TrackReading:
    """Read a track from a table, capture, JSON or array, whichever the file holds.

    :raises MissingInputError: if it cannot be read.
    :raises FormatError: if it holds no track.
    :raises TrackError: for gaps that are not to be filled, a wrong rate or repeated names.
    """
    with open_file(path, archive=True) as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise FormatError("too large for a track", expected=f"at most {MOST_BYTES} bytes", path=path)
    return decode_track_file(data, options, path)


def decode_track_file(data: bytes, options: TrackOptions = DEFAULTS, path: StrPath | None = None) -> TrackReading:
    """Decode the bytes of such a file; ``path`` is what errors call it."""
    with naming(path):
        return assemble(_decoder(data)(data, options, None), options)


def _decoder(data: bytes) -> Callable[[bytes, TrackOptions, StrPath | None], Samples]:
    if data.startswith((b"\x93NUMPY", b"PK")):
        return decode_track_arrays
    start = data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return decode_json if start in (b"{", b"[") else decode_table


def assemble(samples: Samples, options: TrackOptions) -> TrackReading:
    """Make a track of samples."""
    notes: list[str] = []
    remarks = list(samples.remarks)
    samples = _whole_columns(samples, notes)
    samples = _named(samples, notes)
    placing, fps = _placed(samples, options, notes, remarks)
    values, done = on_grid(placing, samples.values, fps, options.fill)
    notes += done
    values = _scaled(values, notes)
    _count_clipped(values, samples.names, notes)
    track = CoefficientTrack(values.clip(0.0, 1.0), samples.names, fps)
    return TrackReading(track, tuple(notes), tuple(dict.fromkeys((*remarks, *placing.remarks))), values)


def _whole_columns(samples: Samples, notes: list[str]) -> Samples:
    """Leave out columns without a single number, and say what the reader left out."""
    left = [name[:40] + nearest(name[:40], ARKIT_NAMES) if index < 3 else name[:40]
            for index, name in enumerate(samples.left_out[:6])]  # fmt: skip
    if left:
        more = f" and {len(samples.left_out) - 6} more" if len(samples.left_out) > 6 else ""
        notes.append(f"{_count(len(samples.left_out), 'column')} that {'is' if len(samples.left_out) == 1 else 'are'} "
                     f"no ARKit blendshape left out: {', '.join(left)}{more}")  # fmt: skip
    if not len(samples.values):
        raise TrackError("the track has no frames", expected="at least one", found=0)
    known = [bool(has) for has in np.isfinite(samples.values).sum(axis=0)]
    if all(known):
        return samples
    empty = [name for name, has in zip(samples.names, known) if not has]
    if not any(known):
        raise TrackError("the values are missing or not finite", found=f"{empty[0]} in all {len(samples.values)} rows")
    notes.append(f"{_count(len(empty), 'column')} without a value left out: {_some(empty)}")
    names = tuple(name for name, has in zip(samples.names, known) if has)
    return Samples(names, samples.values[:, known], samples.clock, samples.fps, own_spelling=samples.own_spelling)


def _named(samples: Samples, notes: list[str]) -> Samples:
    """Respell names as ARKit's, and join the halves of shapes that have no side there."""
    names = [arkit_name(name) or name for name in samples.names]
    values = samples.values
    names, values = _joined(names, values, notes)
    respelt = [(old, new) for old, new in zip(samples.names, [arkit_name(name) for name in samples.names])
               if new is not None and new != old]  # fmt: skip
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        both = [old for old in samples.names if (arkit_name(old) or old) == twice[0]][:2]
        raise TrackError("a blendshape has two columns", found=" and ".join(repr(name[:40]) for name in both),
                         remedy="Take one of the repeated names out.")  # fmt: skip
    if respelt and not samples.own_spelling:
        old, new = respelt[0]
        notes.append(f"{_count(len(respelt), 'name')} respelt as ARKit's: {old[:40]} is {new}"
                     + (", …" if len(respelt) > 1 else ""))  # fmt: skip
    if samples.own_spelling:
        order = [names.index(name) for name in ARKIT_NAMES if name in set(names)]
        order += [column for column, name in enumerate(names) if name not in set(ARKIT_NAMES)]
        names, values = [names[column] for column in order], values[:, order]
    return Samples(tuple(names), values, samples.clock, samples.fps)


def _joined(names: list[str], values: NDArray[np.float64], notes: list[str]) -> tuple[list[str], NDArray[np.float64]]:
    """Make one column of two halves (``browInnerUp_L``, ``browInnerUp_R``): their mean."""
    halves: dict[str, dict[str, int]] = {}
    whole_names = set(names)
    for column, name in enumerate(names):
        half = arkit_half(name)
        if half is not None:
            halves.setdefault(half[0], {}).setdefault(half[1], column)
    if not halves:
        return names, values
    pairs = {whole: pair for whole, pair in halves.items() if len(pair) == 2 and whole not in whole_names}
    gone = {column for pair in halves.values() for column in pair.values()}
    single = [names[column] for whole, pair in halves.items() if whole not in pairs for column in pair.values()]
    kept = [column for column in range(len(names)) if column not in gone]
    means = [values[:, list(pair.values())].mean(axis=1) for pair in pairs.values()]
    if pairs:
        notes.append(f"halves joined by their mean: {_some(list(pairs))}")
    if single:
        notes.append(f"halves of shapes that are whole, or without the other half, left out: {_some(single)}")
    return [*(names[column] for column in kept), *pairs], np.column_stack([values[:, kept], *means])


def _placed(samples: Samples, options: TrackOptions, notes: list[str], remarks: list[str]) -> tuple[Placing, float]:
    """Return where the rows stand, and the rate: a stated one, else the clock's, else the default."""
    stated = options.fps
    if stated is not None and not 0 < stated < float("inf"):
        raise TrackError("wrong frame rate", expected="a positive number", found=stated, remedy="Such as --fps-in 60.")
    rows = len(samples.values)
    try:
        placing = place(samples.clock, rows, samples.fps)
    except FormatError as error:
        if stated is None or "backwards" in error.what:
            raise
        # Whoever states the rate needs no clock, unless it shows that the order is wrong.
        placing = _at_stated(samples, stated, notes, error)
    measured = placing.fps
    if stated is None:
        if measured is None:
            remarks.append(f"the file states no frame rate: taken as {options.default_fps:g}")
        return placing, measured or options.default_fps
    if measured is not None and abs(measured - stated) > _SAME_RATE * stated:
        notes.append(f"its time fits {measured:g} frames per second: read at {stated:g}, as stated")
    elif measured is not None and samples.clock is not None and samples.clock.kind != "frames" and placing.even:
        # The same rate but for rounding: rows stand where they stand.
        return placing, stated
    return placing, stated


def _at_stated(samples: Samples, stated: float, notes: list[str], error: FormatError) -> Placing:
    try:
        return place(samples.clock, len(samples.values), stated)
    except FormatError:
        notes.append(f"its time cannot be read ({error.what}): rows are taken one after the other")
        return Placing(np.arange(len(samples.values), dtype=np.float64))


def _scaled(values: NDArray[np.float64], notes: list[str]) -> NDArray[np.float64]:
    """Bring percent to 0 to 1: most shapes that move go far beyond 1, and none beyond 100."""
    tops = values.max(axis=0)
    moving = tops > RANGE_TOLERANCE
    if moving.any() and float(np.mean(tops[moving] > 2)) > 0.5 and tops.max() <= _PERCENT:
        notes.append(f"values up to {tops.max():g} are taken as percent: divided by 100")
        return values / 100.0
    return values


def _count_clipped(values: NDArray[np.float64], names: tuple[str, ...], notes: list[str]) -> None:
    for word, away, far in (("above 1", values - 1.0, values.max(axis=0)), ("below 0", -values, values.min(axis=0))):
        counts = (away > RANGE_TOLERANCE).sum(axis=0)
        shapes = np.flatnonzero(counts)
        if not shapes.size:
            continue
        worst = shapes[np.argmax(np.abs(far[shapes] - 0.5))]
        reach = f"{'up' if word == 'above 1' else 'down'} to {far[worst]:.4g}"
        if shapes.size == 1:
            notes.append(f"{_count(int(counts[worst]), 'value')} of {names[worst]} {word}, {reach}: clipped")
        else:
            notes.append(f"{int(counts.sum())} values of {shapes.size} shapes {word}, {names[worst]} {reach}: clipped")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _some(names: list[str]) -> str:
    return ", ".join(name[:40] for name in names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")

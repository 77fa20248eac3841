"""Rows onto an even grid of frames, by their time; lost frames are filled, doubled rows dropped."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError, TrackError
from blendvoca.io.track.samples import Clock
from blendvoca.io.track.timecode import count_frames, parse_codes

#: Longest gap that is filled unasked, in seconds: a blink lasts about so long.
LONGEST_GAP = 0.25
#: Frames per second that a track may have, and frames altogether (four hours at 60).
LOWEST_FPS, HIGHEST_FPS, MOST_FRAMES = 0.5, 1000.0, 1_000_000
#: How far stamps may stand from an even grid, root mean square in frames, before they count as uneven.
_EVEN = 0.15
#: Rates of cameras and animation.
_USUAL = (60, 30, 24, 90, 120, 15, 12, 48, 72, 240)
#: Units of time in seconds.
_UNITS = {"seconds": 1.0, "milliseconds": 1e-3, "microseconds": 1e-6, "nanoseconds": 1e-9}
_STATE = "State it: --fps-in 60, or fps=60."


@dataclass(frozen=True, eq=False)
class Placing:
    """Where rows stand.

    :param positions: (T,) frames from the first row on; whole numbers but for uneven stamps.
    :param fps: frames per second, if the clock shows them.
    :param even: whether the rows stand on frames; otherwise they are brought there by interpolation.
    :param remarks: what was taken for granted.
    """

    positions: NDArray[np.float64]
    fps: float | None = None
    even: bool = True
    remarks: tuple[str, ...] = ()


def place(clock: Clock | None, rows: int, fps: float | None) -> Placing:
    """Return where ``rows`` rows stand by their clock; one after the other where they have none.

    :param fps: frames per second that the file states; the rows are placed at it.
    :raises FormatError: for a clock that cannot be read, runs backwards or gives no rate that nothing else states.
    """
    if clock is None or rows < 2:
        return Placing(np.arange(rows, dtype=np.float64), fps)
    if clock.kind == "frames":
        return replace(_by_number(clock), fps=fps)
    if clock.kind != "codes":
        seconds, remarks = _seconds(clock)
        placing = _by_stamps(seconds, fps, clock.name)
        return replace(placing, remarks=(*remarks, *placing.remarks))
    codes = parse_codes(clock.codes)
    if codes.fraction:
        return _by_stamps(codes.stamps(), fps, clock.name)
    positions, rate = count_frames(codes, fps)
    if rate is None:
        raise FormatError(
            "too few time codes to determine the frame rate", expected="a turn of the second among them", remedy=_STATE
        )
    return Placing(np.round(positions), rate)


def _by_number(clock: Clock) -> Placing:
    """Place rows by frame numbers; a constant step between them is one frame."""
    steps = np.diff(clock.numbers)
    if not np.isfinite(clock.numbers).all() or (steps < 0).any():
        raise FormatError(
            f"the numbers of column {clock.name!r} run backwards",
            found=f"in row {int(np.argmin(steps >= 0)) + 1}",
            remedy="Put the lines in the order of time, and each capture into a file of its own.",
        )
    every = float(steps.min()) if steps.size and (steps == steps[0]).all() and steps[0] > 0 else 1.0
    remarks = (f"{clock.name} counts every {every:g}th frame: taken as every one",) if every > 1 else ()
    return Placing(np.round((clock.numbers - clock.numbers[0]) / every), remarks=remarks)


def _seconds(clock: Clock) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return seconds from the first row on; a unit that nobody stated follows from the size of the steps."""
    numbers = clock.numbers - clock.numbers[0]
    if not np.isfinite(numbers).all():
        row = int(np.argmin(np.isfinite(numbers)))
        raise FormatError("a time is not finite", found=f"{clock.numbers[row]:g} in column {clock.name!r}, row {row}")
    if clock.kind in _UNITS:
        return numbers * _UNITS[clock.kind], ()
    steps = np.diff(numbers)
    step = float(np.median(steps[steps > 0])) if (steps > 0).any() else 0.0
    unit = next((name for name, size in _UNITS.items() if step * size * 1000 < 1000), "nanoseconds")
    unit = "seconds" if step < 1 else unit
    remarks = (f"{clock.name} is taken as {unit}",) if unit != "seconds" else ()
    return numbers * _UNITS[unit], remarks


def _by_stamps(seconds: NDArray[np.float64], fps: float | None, name: str) -> Placing:
    """Place rows by time stamps in seconds, at ``fps`` or else at the rate that fits them."""
    steps = np.diff(seconds)
    if (steps < 0).any():
        row = int(np.argmax(steps < 0)) + 1
        raise FormatError(
            f"the times of column {name!r} run backwards",
            found=f"{seconds[row]:g} s after {seconds[row - 1]:g} s in row {row}",
            remedy="Put the lines in the order of time, and each capture into a file of its own.",
        )
    if not (steps > 0).any():
        if fps is None:
            raise FormatError(f"the times of column {name!r} are all the same", remedy=_STATE)
        return Placing(np.arange(len(seconds), dtype=np.float64), fps)
    seconds, remarks = (seconds, ()) if fps else _unrounded(seconds, steps)
    rate = fps or _fitting_rate(seconds, np.diff(seconds))
    if not LOWEST_FPS <= rate <= HIGHEST_FPS:
        expected = f"{LOWEST_FPS:g} to {HIGHEST_FPS:g} frames per second"
        raise FormatError(f"the times of column {name!r} make no frame rate", expected=expected, found=f"{rate:g}",
                          remedy=_STATE)  # fmt: skip
    at = (seconds - seconds[0]) * rate
    at -= np.median(at - np.round(at))
    away = float(np.sqrt(np.mean((at - np.round(at)) ** 2)))
    if away <= max(_EVEN, 0.6 * _resolution(seconds) * rate):
        return Placing(np.round(at) - np.round(at[0]), rate, remarks=remarks)
    return Placing(at - at[0], rate, even=False, remarks=remarks)


def _unrounded(seconds: NDArray[np.float64], steps: NDArray[np.float64]) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return stamps at a usual rate where every step is one and the same rounding of its frame to milliseconds.

    ``int(1000 / 30) * frame`` drifts by a frame in three seconds, and means 30 frames per second.
    """
    step = float(steps[steps > 0].min()) * 1000
    counts = steps * 1000 / step
    if abs(step - round(step)) > 1e-6 or step < 4 or np.abs(counts - np.round(counts)).max() > 1e-6:
        return seconds, ()
    if 1000 % round(step) == 0:
        return seconds, ()
    meant = [rate for rate in _USUAL if round(step) in (1000 // rate, round(1000 / rate))]
    if not meant:
        return seconds, ()
    remark = f"steps of {step:g} ms are taken as {meant[0]} frames per second"
    return seconds / step * 1000 / meant[0], (remark,)


def _fitting_rate(seconds: NDArray[np.float64], steps: NDArray[np.float64]) -> float:
    """Return the rate that fits stamps best; a usual one where it fits as well as their digits allow."""
    step = float(np.median(steps[steps > 0]))
    for _ in range(3):
        counts = np.round(steps / step)
        # Across long gaps a step that is a little off would miscount.
        near = (counts > 0) & (counts <= 8)
        step = float(steps[near].sum() / counts[near].sum())
    index = np.concatenate([[0.0], np.cumsum(np.round(steps / step))])
    if index[-1] >= 2:
        step = float(np.polyfit(index, seconds, 1)[0])
    rate, frames, resolution = 1 / step, float(index[-1]), _resolution(seconds)

    def drift(candidate: float) -> float:
        """Seconds that a candidate is off at the end."""
        return abs(1 / candidate - step) * frames

    # Digits leave this much open; uneven stamps a quarter of a frame.
    slack = max(1.5 * resolution, 2e-5 * step)
    whole, ntsc = float(max(round(rate), 1)), max(round(rate * 1.001), 1) * 1000 / 1001
    usual = [whole, ntsc, max(round(rate * 2), 1) / 2]
    for allowed in (slack, 0.25 * step):
        fitting = [candidate for candidate in usual if drift(candidate) <= allowed]
        if fitting:
            return fitting[0]
    return round(rate, 3)


def _resolution(seconds: NDArray[np.float64]) -> float:
    """Return the last decimal place that stamps use."""
    for digits in range(9):
        scaled = seconds * 10.0**digits
        if np.abs(scaled - np.round(scaled)).max() < 1e-6 * max(1.0, 10.0 ** (digits - 6)):
            return float(10.0**-digits)
    return 1e-9


def on_grid(
    placing: Placing, values: NDArray[np.float64], fps: float, fill: bool
) -> tuple[NDArray[np.float64], list[str]]:
    """Return values (N, K) on every frame, and notes of what was dropped and filled.

    :param values: (T, K), where what is missing is not a number.
    :raises TrackError: for a gap longer than :data:`LONGEST_GAP`, unless ``fill``, or more than ``MOST_FRAMES``.
    """
    frames = int(np.floor(placing.positions[-1] + 1e-9)) + 1
    if frames > MOST_FRAMES:
        found = f"{frames} frames, {frames / fps:g} s"
        raise TrackError("the track is too long", expected=f"at most {MOST_FRAMES} frames", found=found)
    notes: list[str] = []
    at = np.arange(frames, dtype=np.float64)
    if placing.even:
        values, missing = _on_frames(placing.positions.astype(np.int64), values, frames, notes)
        lost = f"{missing} lost {'frame' if missing == 1 else 'frames'}" if missing else ""
        filled, cells = _filled(at, values, at, fps, fill)
        cells -= missing * values.shape[1]
        parts = [lost, f"{cells} missing {'value' if cells == 1 else 'values'}" if cells else ""]
        if any(parts):
            notes.append(f"{' and '.join(part for part in parts if part)}: interpolated")
        return filled, notes
    # Rows at the same time say nothing of what lies between them.
    first = np.concatenate([[True], np.diff(placing.positions) > 0])
    if not first.all():
        notes.append(f"{int((~first).sum())} doubled rows: dropped")
    filled, _ = _filled(placing.positions[first], values[first], at, fps, fill)
    notes.append(f"uneven time stamps: {len(values)} rows brought to {frames} frames at {fps:g} fps by interpolation")
    return filled, notes


def _on_frames(
    index: NDArray[np.int64], values: NDArray[np.float64], frames: int, notes: list[str]
) -> tuple[NDArray[np.float64], int]:
    """Put rows on their frames; return the grid and how many frames no row stands on."""
    index = _unfolded(index, values)
    kept = np.concatenate([[True], np.diff(index) > 0])
    doubled = int((~kept).sum())
    if doubled:
        notes.append(f"{doubled} doubled {'row' if doubled == 1 else 'rows'}: dropped")
    grid = np.full((frames, values.shape[1]), np.nan)
    grid[index[kept]] = values[kept]
    return grid, frames - int(kept.sum())


def _unfolded(index: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Move a row to the empty frame after it where a clock that jitters put two different rows on one frame."""
    index = index.copy()
    for row in (np.flatnonzero(np.diff(index) == 0) + 1).tolist():
        free = row + 1 < len(index) and index[row + 1] >= index[row] + 2
        if free and index[row] == index[row - 1] and not np.array_equal(values[row], values[row - 1], equal_nan=True):
            index[row] += 1
    return index


def _filled(
    at: NDArray[np.float64], values: NDArray[np.float64], frames: NDArray[np.float64], fps: float, fill: bool
) -> tuple[NDArray[np.float64], int]:
    """Interpolate columns at ``frames``, and hold them at their ends; return them and how many cells were missing."""
    known = np.isfinite(values)
    if known.all() and len(at) == len(frames):
        return values, 0
    result = np.empty((len(frames), values.shape[1]))
    for column in range(values.shape[1]):
        own = at[known[:, column]]
        if not own.size:
            raise TrackError("a column has values in doubled rows only", found=f"column {column + 1}",
                             remedy="Take the column or the doubled rows out.")  # fmt: skip
        edges = np.concatenate([[at[0] - 1], own, [at[-1] + 1]])
        longest = int(np.argmax(np.diff(edges)))
        gap = (float(np.diff(edges)[longest]) - 1) / fps
        if gap > LONGEST_GAP + 1e-9 and not fill:
            raise TrackError(
                f"{gap:.2f} s are missing from {max(float(edges[longest]), 0) / fps:.2f} s on",
                expected=f"gaps of at most {LONGEST_GAP:g} s, which are filled by interpolation",
                remedy="Cut the track there, or fill it across with --fill.",
            )
        result[:, column] = np.interp(frames, own, values[known[:, column], column])
    return result, int((~known).sum())

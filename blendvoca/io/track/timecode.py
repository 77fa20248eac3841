"""Time codes: hours, minutes, seconds, and what follows: frames, drop frames, or a fraction of the second."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError

#: ``[date ][hours:]minutes:seconds[:frames]``; frames may have a fraction, and ``.`` or ``;`` may stand before.
_CODE = re.compile(
    r"(?:\d{4}-\d\d-\d\d[T ])?(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:([:;.,])(\d{1,9}(?:\.\d{1,9})?))?"
    r"(?:Z|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
#: Rates that are written into time codes; one of them is meant where lost frames leave it in doubt.
_USUAL = (10, 12, 15, 16, 20, 24, 25, 30, 48, 50, 60, 72, 90, 100, 120, 240)
_HALF_A_DAY = 12 * 3600
_BACKWARDS = "Put the lines in the order of time, and each capture into a file of its own."


@dataclass(frozen=True, eq=False)
class Codes:
    """Time codes taken apart.

    :param seconds: (T,) whole seconds, going on beyond midnight.
    :param parts: (T,) what follows them: frames, or a fraction of the second.
    :param fraction: whether it is a fraction.
    :param drop: whether a semicolon says that frame numbers are dropped (SMPTE 12M).
    """

    seconds: NDArray[np.int64]
    parts: NDArray[np.float64]
    fraction: bool
    drop: bool

    def stamps(self) -> NDArray[np.float64]:
        """Return seconds, for codes whose last part is a fraction."""
        return self.seconds + self.parts


def parse_codes(codes: Sequence[str]) -> Codes:
    """Take time codes apart.

    :raises FormatError: for a code that cannot be read, or one earlier than the one before (midnight may pass).
    """
    found = [_CODE.fullmatch(code.strip()) for code in codes]
    bad = next((row for row, match in enumerate(found) if match is None), None)
    if bad is not None:
        raise FormatError(
            "a time code cannot be read", expected="hh:mm:ss:ff", found=f"{codes[bad][:40]!r} in frame {bad}"
        )
    matches = [match for match in found if match is not None]
    fraction = _are_fractions(matches)
    parts = np.array([_part(match, fraction) for match in matches])
    clock = [3600 * int(match[1] or 0) + 60 * int(match[2]) + int(match[3]) for match in matches]
    seconds = _beyond_midnight(np.array(clock, np.int64))
    late = np.flatnonzero((np.diff(seconds) < 0) | ((np.diff(seconds) == 0) & (np.diff(parts) < 0)))
    if late.size:
        row = int(late[0]) + 1
        found_text = f"{codes[row][:40]!r} after {codes[row - 1][:40]!r} in frame {row}"
        raise FormatError("time codes run backwards", found=found_text, remedy=_BACKWARDS)
    return Codes(seconds, parts, fraction, all(match[4] == ";" or ";" in match[0] for match in matches))


def _are_fractions(matches: list[re.Match[str]]) -> bool:
    """Whether the last part counts milliseconds or finer: three digits and more, not frames with a fraction."""
    lasts = [match[5] or "" for match in matches]
    if any("." in last for last in lasts):
        return False
    return all(len(last) >= 3 for last in lasts) or any(len(last) == 3 and int(last) > 240 for last in lasts)


def _part(match: re.Match[str], fraction: bool) -> float:
    last = match[5] or "0"
    return float(f"0.{last}") if fraction else float(last)


def _beyond_midnight(seconds: NDArray[np.int64]) -> NDArray[np.int64]:
    days = np.concatenate([[0], np.cumsum(np.diff(seconds) < -_HALF_A_DAY)])
    return seconds + 86400 * days


def count_frames(codes: Codes, fps: float | None) -> tuple[NDArray[np.float64], float | None]:
    """Return the position of every code in frames, and how many frames make a second.

    Codes may count in 60ths and name every second one: then frames are two counts long.

    :param fps: frames per second, where they are known: codes within one second do not show them.
    :return: (T,) positions from the first on, and the rate; nothing where it cannot be determined.
    """
    seconds, counts = codes.seconds, codes.parts
    same = np.diff(seconds) == 0
    steps = np.diff(counts)[same & (np.diff(counts) > 1e-6)]
    step = float(max(round(float(np.median(steps))), 1)) if steps.size else 1.0
    base = _counts_in_a_second(seconds, counts, step, steps)
    if base is None:
        if fps is None:
            return np.arange(len(counts), dtype=np.float64), None
        base = max(fps * step, float(np.floor(counts.max())) + 1)
    total = (seconds - seconds[0]) * base + counts - counts[0]
    rate = base / step
    if codes.drop and base % 30 == 0:
        dropped = _dropped(seconds, int(base // 30))
        if _really_drops(seconds, counts, int(base // 30)):
            total, rate = total - (dropped - dropped[0]), rate * 1000 / 1001
    return total / step, rate


def _counts_in_a_second(
    seconds: NDArray[np.int64], counts: NDArray[np.float64], step: float, steps: NDArray[np.float64]
) -> float | None:
    """Return what the count reaches in a second, by where it goes on after the turn of one."""
    turns = np.flatnonzero(np.diff(seconds) == 1)
    if not turns.size:
        return None
    counted = Counter(round(float(counts[row] + step - counts[row + 1])) for row in turns.tolist())
    base, times = max(counted.items(), key=lambda entry: (entry[1], entry[0]))
    base = max(base, int(counts.max()) + 1)
    steady = len(counted) == 1 and bool((np.abs(steps - step) < 0.5).all())
    if not steady and times < 3:
        # Frames are lost, perhaps at the turn itself.
        near = [rate for rate in _USUAL if base <= rate <= 1.1 * base]
        base = near[0] if near else base
    return float(base)


def _dropped(seconds: NDArray[np.int64], per_minute: int) -> NDArray[np.int64]:
    """Return how many numbers SMPTE's drop frame has left out before each second: two a minute, but not every tenth."""
    minutes = seconds // 60
    return 2 * per_minute * (minutes - minutes // 10)


def _really_drops(seconds: NDArray[np.int64], counts: NDArray[np.float64], per_minute: int) -> bool:
    """Whether a minute begins in these codes, and with the first number that drop frame leaves there."""
    minutes = seconds // 60
    starts = np.flatnonzero(np.diff(minutes) == 1) + 1
    starts = starts[(minutes[starts] % 10 != 0) & (seconds[starts] % 60 == 0)]
    return bool(starts.size) and bool((counts[starts] >= 2 * per_minute).all())

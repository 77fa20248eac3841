"""Mean temporal misalignment (MTM): how many milliseconds early or late the lips open and close (CVPR 2025).

Chae-Yeon et al., "Perceptually Accurate 3D Talking Head Generation", section 5: the courses of the lips' opening in
truth and output are smoothed and aligned by derivative dynamic time warping (Keogh and Pazzani 2001); where the path
pairs a maximum with a maximum, or a minimum with a minimum, their distance in time counts. Pairs that lie beyond the
truth's neighbouring extrema are no pair. The published code takes the mean of a clip's pairs, then that over clips.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import find_peaks

from blendvoca.errors import InputError

Course = NDArray[np.floating]
#: Frames a second at which the published code works, and the deviation of its smoothing in frames of that rate.
RATE, SMOOTHING = 30.0, 2.0
#: Seconds by which a path may stray from the diagonal: longer than the published clips, which have no such limit.
REACH = 10.0
_MATCH, _TRUTH, _OUTPUT = 0, 1, 2


@dataclass(frozen=True)
class TemporalMisalignment:
    """Distance in time of the extrema that belong together.

    :param milliseconds: mean over pairs; NaN where there is none.
    :param pairs: how many.
    :param offsets: (pairs,) frames by which the output is late, at ``rate``.
    :param rate: frames a second at which they were compared.
    """

    milliseconds: float
    pairs: int
    offsets: tuple[int, ...]
    rate: float


def temporal_misalignment(truth: Course, generated: Course, fps: float) -> TemporalMisalignment:
    """Compare two courses of lip opening (T,), in any unit.

    :param truth: of the recording.
    :param generated: of the output, as long.
    :param fps: frames a second of both; at 50 and more every second frame (or third, …) is taken, as published.
    :raises InputError: if the courses differ in length.
    """
    if truth.shape != generated.shape or truth.ndim != 1:
        raise InputError("courses do not match", expected=truth.shape, found=generated.shape)
    step = max(round(fps / RATE), 1)
    real, made = (
        gaussian_filter1d(np.asarray(part[::step], dtype=np.float64), SMOOTHING) for part in (truth, generated)
    )
    rate = fps / step
    offsets = _offsets(real, made, _warping_path(real, made, round(REACH * rate))) if len(real) > 2 else []
    mean = float(np.abs(offsets).mean()) * 1000 / rate if offsets else float("nan")
    return TemporalMisalignment(mean, len(offsets), tuple(offsets), rate)


def _offsets(real: Course, made: Course, path: list[tuple[int, int]]) -> list[int]:
    """Return how late the output's extrema are that the path pairs with extrema of the same kind."""
    kinds = [(set(find_peaks(sign * real)[0].tolist()), set(find_peaks(sign * made)[0].tolist())) for sign in (1, -1)]
    extrema = np.sort(np.array([place for truth, _ in kinds for place in truth], dtype=int))
    found = []
    for one, other in path:
        if any(one in truth and other in output for truth, output in kinds):
            place = int(np.searchsorted(extrema, one))
            before = extrema[place - 1] if place else 0
            after = extrema[place + 1] if place + 1 < len(extrema) else len(real) - 1
            if before <= other <= after:
                found.append(other - one)
    return found


def _warping_path(real: Course, made: Course, reach: int) -> list[tuple[int, int]]:
    """Return the cheapest path of frame pairs by the difference of the courses' slopes.

    Costs are summed along anti-diagonals, on which all cells are independent; of each only the step that led there
    is kept.
    """
    slopes = [np.diff(part, prepend=part[0]) for part in (real, made)]
    count = len(real)
    steps: list[NDArray[np.int8]] = []
    firsts: list[int] = []
    # Two anti-diagonals back, by the truth's frame plus one; what lies outside the band costs infinity.
    older, last = np.full(count + 2, np.inf), np.full(count + 2, np.inf)
    for total in range(2 * count - 1):
        low = max(total - count + 1, -(-(total - reach) // 2), 0)
        rows = np.arange(low, min(total, count - 1, (total + reach) // 2) + 1)
        ways = np.stack([older[rows], last[rows], last[rows + 1]])
        if total == 0:
            ways[_MATCH] = 0.0
        steps.append(ways.argmin(axis=0).astype(np.int8))
        firsts.append(low)
        here = np.full(count + 2, np.inf)
        here[rows + 1] = np.abs(slopes[0][rows] - slopes[1][total - rows]) + ways.min(axis=0)
        older, last = last, here
    one = other = count - 1
    path = [(one, other)]
    while one or other:
        step = steps[one + other][one - firsts[one + other]]
        one, other = int(one - (step != _OUTPUT)), int(other - (step != _TRUTH))
        path.append((one, other))
    return path[::-1]

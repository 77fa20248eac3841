"""What lips do at phones: closures at p, b, m, openings at vowels, rest in pauses. No captured motion is needed.

An opening in mm is the vertical distance of the inner lips less that of the neutral
(:func:`~said_model.evaluation.metrics.closure.lip_opening`). A closure counts if the lips come within
:data:`CLOSED_MM` of their rest, from 50 ms before to 50 ms after the phone. A mouth that seldom opens closes by chance:
the *control* is the same share for the track turned round by twelve offsets, and only ``closed − control`` counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import InputError
from blendvoca.phones import Phone, PhoneTrack

Array = NDArray[np.float64]
#: Lips are closed under this opening.
CLOSED_MM = 1.0
#: Seconds by which aligned phones are off, and in which a closure may come early or late.
SLACK = 0.05
#: Pauses longer than this are looked at, less so much at either end.
LONG_PAUSE, PAUSE_MARGIN = 0.35, 0.12
#: Seconds by which a closure may come early or late and still be in time: aligned phones are good to about 30 ms.
TIMELY = 0.035
#: Offsets of the control, as shares of the clip.
CONTROL_OFFSETS = np.linspace(0.15, 0.85, 12)


@dataclass(frozen=True, eq=False)
class PhoneOpenings:
    """Openings of one track in mm, by what its phones ask for.

    :param closures: (n,) smallest opening at each p, b, m.
    :param control: (12 n,) the same of the track turned round.
    :param vowels: (m,) largest opening at each open vowel.
    :param middles: (m,) smallest opening in the middle of each open vowel.
    :param pauses: (r,) openings of the frames in pauses.
    :param still: (T,) openings of the whole track where nobody speaks, else empty.
    :param lags: (n,) seconds from the middle of each p, b, m to that of its closure; NaN where it stays open.
    """

    closures: Array
    control: Array
    vowels: Array
    middles: Array
    pauses: Array
    still: Array
    lags: Array


@dataclass(frozen=True)
class PhoneFigures:
    """Figures over one or many tracks; NaN where nothing was there to measure.

    :param bilabials: how many p, b, m.
    :param closed: share of them at which the lips meet.
    :param control: what chance gives.
    :param opening: median over open vowels of the largest opening, mm.
    :param auc: chance that an open vowel's middle is opened wider than a p, b or m: 1 is perfect, 0.5 none.
    :param pause: median opening in pauses, mm.
    :param pause_p90: its 90th percentile, mm.
    :param still: median opening where nobody speaks, mm; the worst of several tracks.
    :param lag: median seconds by which closures come late.
    :param timely: share of the closures that come within :data:`TIMELY` of their phone.
    """

    bilabials: int
    closed: float
    control: float
    opening: float
    auc: float
    pause: float
    pause_p90: float
    still: float
    lag: float
    timely: float


def phone_openings(opening: Array, fps: float, track: PhoneTrack) -> PhoneOpenings:
    """Cut the course of an opening (T,) in mm at the phones.

    :param opening: of the lips, frame by frame.
    :param fps: frames per second.
    :param track: the phones; those that begin after the last frame are left out.
    :raises InputError: if the phones go on for longer than a tenth of the motion after its end.
    """
    seconds = len(opening) / fps
    if track.duration > max(1.1 * seconds, seconds + 0.5):
        raise InputError("phone times end after the motion", expected=f"about {seconds:.2f} s",
                         found=f"{track.duration:.2f} s", remedy="Are they of this recording?")  # fmt: skip
    here = [phone for phone in track.phones if phone.start * fps < len(opening)]
    inside = PhoneTrack(tuple(here), track.text)
    closures, vowels = inside.closures(), inside.open_vowels()
    control = [
        _least(np.roll(opening, int(share * len(opening))), fps, closures) for share in CONTROL_OFFSETS if closures
    ]
    pauses = [
        _span(opening, fps, pause.start + PAUSE_MARGIN, pause.end - PAUSE_MARGIN) for pause in inside.pauses(LONG_PAUSE)
    ]
    return PhoneOpenings(
        _least(opening, fps, closures),
        np.concatenate([np.zeros(0), *control]),
        np.array([_span(opening, fps, phone.start, phone.end).max() for phone in vowels]),
        np.array([_middle(opening, fps, phone) for phone in vowels]),
        np.concatenate([np.zeros(0), *pauses]),
        opening if not any(not phone.is_pause for phone in track.phones) else np.zeros(0),
        np.array([_lag(opening, fps, phone) for phone in closures]),
    )


def phone_figures(parts: Sequence[PhoneOpenings]) -> PhoneFigures:
    """Pool the openings of tracks into figures."""
    closures, control, vowels, middles, pauses, lags = (
        np.concatenate([np.zeros(0), *(getattr(part, name) for part in parts)])
        for name in ("closures", "control", "vowels", "middles", "pauses", "lags")
    )
    still = [float(np.median(part.still)) for part in parts if len(part.still)]
    return PhoneFigures(
        len(closures),
        _share(closures),
        _share(control),
        _median(vowels),
        _auc(middles, closures),
        _median(pauses),
        float(np.percentile(pauses, 90)) if len(pauses) else float("nan"),
        max(still, default=float("nan")),
        _median(lags[np.isfinite(lags)]),
        _timely(lags[np.isfinite(lags)]),
    )


def _span(opening: Array, fps: float, start: float, end: float, slack: float = 0.0) -> Array:
    first = max(int(np.floor((start - slack) * fps)), 0)
    last = int(np.ceil((end + slack) * fps)) + 1
    return opening[first : max(min(last, len(opening)), first + 1)]


def _least(opening: Array, fps: float, phones: Sequence[Phone]) -> Array:
    return np.array([_span(opening, fps, phone.start, phone.end, SLACK).min() for phone in phones])


def _middle(opening: Array, fps: float, phone: Phone) -> float:
    middle = (phone.start + phone.end) / 2
    return float(_span(opening, fps, middle, middle, SLACK).min())


def _lag(opening: Array, fps: float, phone: Phone) -> float:
    """Return how late the closure nearest to a phone comes, within a fifth of a second; its middle where it lasts."""
    middle, reach = (phone.start + phone.end) / 2, 0.2
    first = max(int(np.floor((middle - reach) * fps)), 0)
    near = opening[first : int(np.ceil((middle + reach) * fps)) + 1]
    if not len(near) or near.min() >= CLOSED_MM:
        return float("nan")
    closed = np.flatnonzero(near < CLOSED_MM)
    runs = np.split(closed, np.flatnonzero(np.diff(closed) > 1) + 1)
    times = [(first + (run[0] + run[-1]) / 2) / fps - middle for run in runs]
    return float(min(times, key=abs))


def _share(openings: Array) -> float:
    return float((openings < CLOSED_MM).mean()) if len(openings) else float("nan")


def _median(values: Array) -> float:
    return float(np.median(values)) if len(values) else float("nan")


def _timely(lags: Array) -> float:
    return float((np.abs(lags) <= TIMELY).mean()) if len(lags) else float("nan")


def _auc(wide: Array, narrow: Array) -> float:
    """Return the area under the ROC curve: P(wide > narrow) + ½ P(equal)."""
    if not len(wide) or not len(narrow):
        return float("nan")
    ordered = np.sort(narrow)
    below, upto = np.searchsorted(ordered, wide, "left"), np.searchsorted(ordered, wide, "right")
    return float((below + upto).mean() / (2 * len(narrow)))

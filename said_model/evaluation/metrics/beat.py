"""Beat consistency: whether the mouth turns where the sound does (after Li et al. 2021, AI Choreographer)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from blendvoca.audio import Waveform
from blendvoca.track import CoefficientTrack

#: Tolerance in seconds.
SIGMA = 0.1
#: Shapes that open and close the mouth.
_MOUTH = ("jaw", "mouth")
_RATE, _HOP = 16_000, 160


@dataclass(frozen=True)
class BeatConsistency:
    """How near the sound's onsets the mouth has a beat.

    :param value: mean over onsets of exp(−t² / 2σ²), t the time to the nearest beat; 1 is perfect, NaN without onsets.
    :param onsets: of the sound.
    :param beats: of the motion.
    """

    value: float
    onsets: int
    beats: int


def beat_consistency(track: CoefficientTrack, waveform: Waveform, sigma: float = SIGMA) -> BeatConsistency:
    """Compare onsets of loudness with moments at which the mouth's speed is least."""
    onsets, beats = onset_times(waveform), motion_beats(track)
    if not len(onsets) or not len(beats):
        return BeatConsistency(float("nan") if not len(onsets) else 0.0, len(onsets), len(beats))
    away = np.abs(onsets[:, None] - beats).min(axis=1)
    return BeatConsistency(float(np.exp(-(away**2) / (2 * sigma**2)).mean()), len(onsets), len(beats))


def motion_beats(track: CoefficientTrack) -> NDArray[np.floating]:
    """Return seconds at which the smoothed speed of the mouth's shapes has a minimum."""
    columns = [place for place, name in enumerate(track.names) if name.startswith(_MOUTH)]
    speed = np.linalg.norm(np.diff(track.values[:, columns], axis=0), axis=1)
    smooth = gaussian_filter1d(speed, 0.02 * track.fps)
    times: NDArray[np.floating] = (np.flatnonzero(_peaks(-smooth)) + 0.5) / track.fps
    return times


def onset_times(waveform: Waveform) -> NDArray[np.float64]:
    """Return seconds at which loudness rises fastest, where it rises by more than its mean rise."""
    samples = waveform.resampled(_RATE).samples
    count = len(samples) // _HOP
    if count < 3:
        return np.empty(0)
    power = (samples[: count * _HOP].reshape(count, _HOP).astype(np.float64) ** 2).mean(axis=1)
    loudness = gaussian_filter1d(np.log(power + 1e-6), 2.0)
    rise = np.diff(loudness).clip(min=0)
    times: NDArray[np.float64] = (np.flatnonzero(_peaks(rise) & (rise > rise.mean())) + 1) * _HOP / _RATE
    return times


def _peaks(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return where a value is above both neighbours; ends are none."""
    inner = (values[1:-1] > values[:-2]) & (values[1:-1] >= values[2:])
    return np.pad(inner, 1)

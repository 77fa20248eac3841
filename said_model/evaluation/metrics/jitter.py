"""Jitter: how much of a track's motion is faster than faces move."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blendvoca.errors import InputError
from blendvoca.track import CoefficientTrack

#: Speech moves lips and jaw below this, in Hz; what lies above is jitter.
CUTOFF = 12.0


@dataclass(frozen=True)
class Jitter:
    """Power above the cutoff.

    :param share: of the motion's whole power (0 for a track that does not move).
    :param level: root mean square of the fast part, in coefficients.
    """

    share: float
    level: float


def jitter(track: CoefficientTrack, cutoff: float = CUTOFF) -> Jitter:
    """Return the power of a track's motion above ``cutoff`` Hz, over all shapes.

    A linear trend is taken out and a Hann window put on, so that a clip's ends do not count as fast motion.

    :raises InputError: if the cutoff is not below half the frame rate, or the track is too short to measure.
    """
    if not 0 < cutoff < track.fps / 2:
        raise InputError("wrong cutoff", expected=f"0 to {track.fps / 2:g} Hz", found=cutoff)
    if len(track) < track.fps / cutoff * 2:
        raise InputError("too few frames for this cutoff", expected=f"{track.fps / cutoff * 2:.0f}", found=len(track))
    place = np.linspace(-1, 1, len(track))[:, None]
    centred = track.values - track.values.mean(axis=0)
    straight = centred - place * (place * centred).sum(axis=0) / (place**2).sum()
    window = np.hanning(len(track) + 2)[1:-1, None]
    power = np.abs(np.fft.rfft(straight * window, axis=0)) ** 2
    # All frequencies but zero and the highest stand for two.
    power[1 : len(power) - (len(track) % 2 == 0)] *= 2
    fast = np.fft.rfftfreq(len(track), 1 / track.fps) > cutoff
    total, above = power.sum(), power[fast].sum()
    level = np.sqrt(above / len(track) / (window**2).sum() / track.values.shape[1])
    # What is left of a track at rest is rounding.
    moves = np.sqrt(total / len(track)) > 1e-9
    return Jitter(float(above / total) if moves else 0.0, float(level))

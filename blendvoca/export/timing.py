"""Other frame rates and smoother tracks, without aliasing and without delay."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import firwin

from blendvoca.errors import TrackError
from blendvoca.track import CoefficientTrack

#: Half length of the anti-alias filter, in frames of the lower rate.
_HALF_LENGTH = 4


def resample(track: CoefficientTrack, fps: float) -> CoefficientTrack:
    """Return the track at another rate: low-pass below the new Nyquist frequency where it falls, then linear.

    The filter is symmetric (no delay) and the track is held at its ends; motion below 0.3 of the lower rate passes.

    :raises TrackError: for a rate that is not positive.
    """
    if not (np.isfinite(fps) and fps > 0):
        raise TrackError("wrong frame rate", expected="a positive number", found=fps)
    if fps >= track.fps:
        return track.resampled(fps)
    half = int(np.ceil(_HALF_LENGTH * track.fps / fps))
    kernel = firwin(2 * half + 1, 0.9 * fps / 2, fs=track.fps)
    held = np.pad(track.values, ((half, half), (0, 0)), mode="edge")
    filtered = np.stack([np.convolve(column, kernel, mode="valid") for column in held.T], axis=1)
    return CoefficientTrack(filtered.clip(0, 1), track.names, track.fps).resampled(fps)


def smooth(track: CoefficientTrack, seconds: float) -> CoefficientTrack:
    """Return the track under a Gaussian of standard deviation ``seconds``; no delay, ends held.

    :raises TrackError: for a negative width.
    """
    if not (np.isfinite(seconds) and seconds >= 0):
        raise TrackError("wrong smoothing width", expected="seconds ≥ 0", found=seconds)
    if seconds == 0:
        return track
    values: NDArray[np.float64] = gaussian_filter1d(track.values, seconds * track.fps, axis=0, mode="nearest")
    return CoefficientTrack(values.clip(0, 1), track.names, track.fps)

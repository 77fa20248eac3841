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
#: Rates and widths beyond these are slips of the keyboard, and would fill the memory.
LOWEST_FPS, HIGHEST_FPS, WIDEST_SECONDS = 1.0, 1000.0, 10.0


def resample(track: CoefficientTrack, fps: float) -> CoefficientTrack:
    """Return the track at another rate: low-pass below the new Nyquist frequency where it falls, then linear.

    The filter is symmetric (no delay) and the track is held at its ends; motion below 0.3 of the lower rate passes.

    :raises TrackError: for a rate outside 1 to 1000.
    """
    if not LOWEST_FPS <= fps <= HIGHEST_FPS:
        limits = f"{LOWEST_FPS:g} to {HIGHEST_FPS:g} frames per second"
        raise TrackError("wrong frame rate", expected=limits, found=fps, remedy="Such as 30 or 60.")
    if fps >= track.fps:
        return track.resampled(fps)
    half = int(np.ceil(_HALF_LENGTH * track.fps / fps))
    kernel = firwin(2 * half + 1, 0.9 * fps / 2, fs=track.fps)
    held = np.pad(track.values, ((half, half), (0, 0)), mode="edge")
    filtered = np.stack([np.convolve(column, kernel, mode="valid") for column in held.T], axis=1)
    return CoefficientTrack(filtered.clip(0, 1), track.names, track.fps).resampled(fps)


def smooth(track: CoefficientTrack, seconds: float) -> CoefficientTrack:
    """Return the track under a Gaussian of standard deviation ``seconds``; no delay, ends held.

    :raises TrackError: for a width outside 0 to 10 seconds.
    """
    if not 0 <= seconds <= WIDEST_SECONDS:
        limits = f"0 to {WIDEST_SECONDS:g} seconds"
        raise TrackError("wrong smoothing width", expected=limits, found=seconds, remedy="Such as 0.05.")
    if seconds == 0:
        return track
    values: NDArray[np.float64] = gaussian_filter1d(track.values, seconds * track.fps, axis=0, mode="nearest")
    return CoefficientTrack(values.clip(0, 1), track.names, track.fps)

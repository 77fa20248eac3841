"""Errors between two coefficient tracks, frame by frame and in their derivatives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import InputError
from blendvoca.track import CoefficientTrack


@dataclass(frozen=True)
class CoefficientError:
    """Mean absolute errors over frames and shapes.

    :param position: of the coefficients.
    :param velocity: of their change, per second.
    :param acceleration: of the change of that, per second squared.
    :param frames: frames compared.
    """

    position: float
    velocity: float
    acceleration: float
    frames: int


def matched(truth: CoefficientTrack, generated: CoefficientTrack) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return both tracks' values with the truth's columns, cut to the shorter.

    Lengths may differ by rounding, by up to three frames; anything more is another clip.

    :raises InputError: for another frame rate, missing shapes or another length.
    """
    if abs(truth.fps - generated.fps) > 1e-6 * truth.fps:
        raise InputError("tracks of different rate", expected=f"{truth.fps:g} fps", found=f"{generated.fps:g}",
                         remedy="Say the files' rate (--fps), or resample them with `blendvoca convert`.")  # fmt: skip
    if abs(len(truth) - len(generated)) > 3:
        raise InputError("tracks of different length", expected=f"{len(truth)} frames", found=len(generated),
                         remedy="Give the track of this clip's whole sound, at the truth's frame rate.")  # fmt: skip
    count = min(len(truth), len(generated))
    return truth.values[:count], generated.select(truth.names).values[:count]


def coefficient_error(truth: CoefficientTrack, generated: CoefficientTrack) -> CoefficientError:
    """Compare two tracks of one clip."""
    a, b = matched(truth, generated)
    difference, fps = a - b, truth.fps
    parts = [np.abs(np.diff(difference, n=order, axis=0)) * fps**order for order in range(3)]
    position, velocity, acceleration = (float(part.mean()) if part.size else 0.0 for part in parts)
    return CoefficientError(position, velocity, acceleration, len(a))

"""Lip-closure recall: whether the lips meet where they must (p, b, m)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from blendvoca.errors import InputError
from blendvoca.ibug68 import MOUTH, N_LANDMARKS
from blendvoca.rig import BlendshapeRig

#: Lips count as closed where they are open by less than this share of the clip's widest opening (truth's).
CLOSED_SHARE = 0.12
#: Frames by which a closure may come early or late.
TOLERANCE_FRAMES = 2


@dataclass(frozen=True)
class ClosureRecall:
    """Closed frames of the truth that are closed in the generated motion too.

    :param recall: their share; NaN where the truth never closes the lips.
    :param precision: share of the generated closed frames that are closed in the truth; NaN without any.
    :param closed: closed frames of the truth.
    """

    recall: float
    precision: float
    closed: int


def lip_opening(
    rig: BlendshapeRig, coefficients: NDArray[np.floating], landmarks: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Return how far the lips are open (T,) in mm: vertical inner-lip distance, less that of the neutral.

    :param landmarks: (68,) vertices of the rig.
    :raises InputError: for another number of landmarks.
    """
    if len(landmarks) != N_LANDMARKS:
        raise InputError("lip opening is measured at 68 landmarks", expected=N_LANDMARKS, found=len(landmarks))
    upper, lower = landmarks[list(MOUTH.upper)], landmarks[list(MOUTH.lower)]
    gaps = (rig.deltas[:, upper, 1] - rig.deltas[:, lower, 1]).mean(axis=1)
    opening: NDArray[np.float64] = np.asarray(coefficients, dtype=np.float64) @ gaps * 1000
    return opening


def closure_recall(truth: NDArray[np.floating], generated: NDArray[np.floating]) -> ClosureRecall:
    """Compare two courses of lip opening (T,) in mm.

    :raises InputError: if they differ in length.
    """
    if truth.shape != generated.shape or truth.ndim != 1:
        raise InputError("courses do not match", expected=truth.shape, found=generated.shape)
    limit = CLOSED_SHARE * max(float(truth.max()), 0.0)
    real, made = truth <= limit, generated <= limit

    def share(of: NDArray[np.bool_], near: NDArray[np.bool_]) -> float:
        widened = maximum_filter1d(near, 2 * TOLERANCE_FRAMES + 1)
        return float(widened[of].mean()) if of.any() else float("nan")

    return ClosureRecall(share(real, made), share(made, real), int(real.sum()))

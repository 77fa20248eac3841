"""What the transfer needs to know of the 68-point scheme: which rows of a landmark list are lips, lids and jaw line.

Sagonas et al. 2013 (the paper's [43]); rows counted from 0, "left" is the person's own left. Other lists of landmarks
work with the plain method only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

COUNT = 68
INNER = tuple(range(17, 68))
"""The 51 landmarks inside the face: without the jaw line."""
LIP_PAIRS = ((61, 67), (62, 66), (63, 65))
"""Upper and lower inner lip."""
LID_PAIRS = {"eyeBlinkRight": ((37, 41), (38, 40)), "eyeBlinkLeft": ((43, 47), (44, 46))}
"""Upper and lower lid, by the shape that closes them."""

MIDLINE = (27, 28, 29, 30, 33, 51, 62, 66, 57, 8)
"""Landmarks on the middle of the face, top to bottom."""

_UP_TILT_DEG = 15.0
"""The mouth stands forward of the eyes: their line leans by this much from the head's vertical (12° to 18° on six
heads)."""


@dataclass(frozen=True)
class Opening:
    """One opening of the face, by landmark rows."""

    name: str
    corners: tuple[int, int]
    """Where the upper and the lower curve meet: right, left."""
    upper: tuple[int, ...]
    """Landmarks along the upper curve, right to left, without the corners."""
    lower: tuple[int, ...]
    outer_upper: tuple[int, ...] = ()
    """More landmarks that are certainly above (the outer lip line)."""
    outer_lower: tuple[int, ...] = ()


MOUTH = Opening("mouth", (60, 64), (61, 62, 63), (67, 66, 65), (49, 50, 51, 52, 53), (59, 58, 57, 56, 55))
RIGHT_EYE = Opening("right eye", (36, 39), (37, 38), (41, 40))
LEFT_EYE = Opening("left eye", (42, 45), (43, 44), (47, 46))
OPENINGS = (MOUTH, RIGHT_EYE, LEFT_EYE)


def face_axes(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows: unit vectors to the person's left, up, and forward, from landmark positions (68, 3).

    Left comes from the eyes and mouth corners; up from mouth to eyes, tilted upright, because the mouth stands forward.
    """
    left = (landmarks[42:48].mean(0) - landmarks[36:42].mean(0)) + (landmarks[54] - landmarks[48])
    left = left / np.linalg.norm(left)
    rise = landmarks[36:48].mean(0) - landmarks[48:68].mean(0)
    rise = rise - (rise @ left) * left
    rise = rise / np.linalg.norm(rise)
    ahead = np.cross(left, rise)
    angle = np.radians(_UP_TILT_DEG)
    up = np.cos(angle) * rise + np.sin(angle) * ahead
    return np.stack([left, up, np.cross(left, up)])

"""The 68 landmarks (iBUG 300-W mark-up): names, groups, mirror, pairs and openings; nothing else states them.

Sagonas et al. 2013 (the paper's [43]); points are counted from 0.
``right`` and ``left`` are the person's own sides: with the face looking along +z and up along +y, the left side is +x.
Points run in the order in which the mark-up numbers them, from the person's right to the left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Number of points.
N_LANDMARKS = 68

#: Places around an eye, from its outer corner over the upper lid.
EYE_PLACES = ("outer", "upper_outer", "upper_inner", "inner", "lower_inner", "lower_outer")

#: The 68 names in order.
NAMES: tuple[str, ...] = (
    *(f"contour_right_{step}" for step in range(1, 9)),
    "chin",
    *(f"contour_left_{step}" for step in range(8, 0, -1)),
    *(f"brow_right_{step}" for step in range(1, 6)),
    *(f"brow_left_{step}" for step in range(5, 0, -1)),
    *("nose_bridge_1", "nose_bridge_2", "nose_bridge_3", "nose_tip"),
    *("nose_right_wing", "nose_right_base", "nose_base", "nose_left_base", "nose_left_wing"),
    *(f"eye_right_{place}" for place in EYE_PLACES),
    *(f"eye_left_{EYE_PLACES[place]}" for place in (3, 2, 1, 0, 5, 4)),
    "mouth_right_corner",
    *("upper_lip_right_2", "upper_lip_right_1", "upper_lip_middle", "upper_lip_left_1", "upper_lip_left_2"),
    "mouth_left_corner",
    *("lower_lip_left_2", "lower_lip_left_1", "lower_lip_middle", "lower_lip_right_1", "lower_lip_right_2"),
    "inner_right_corner",
    *("inner_upper_right", "inner_upper_middle", "inner_upper_left"),
    "inner_left_corner",
    *("inner_lower_left", "inner_lower_middle", "inner_lower_right"),
)

#: Name to index.
INDEX: dict[str, int] = {name: position for position, name in enumerate(NAMES)}

#: Groups in order; together they are the whole scheme.
GROUPS: dict[str, range] = {
    "contour": range(0, 17),
    "brow_right": range(17, 22),
    "brow_left": range(22, 27),
    "nose_bridge": range(27, 31),
    "nose_base": range(31, 36),
    "eye_right": range(36, 42),
    "eye_left": range(42, 48),
    "lips_outer": range(48, 60),
    "lips_inner": range(60, 68),
}

#: Groups whose points go round and close.
RINGS: frozenset[str] = frozenset({"eye_right", "eye_left", "lips_outer", "lips_inner"})

#: (51,) the points without the contour, whose place on a cheek is a matter of taste.
INNER: NDArray[np.int64] = np.arange(17, N_LANDMARKS)

#: Points on the middle of the face, top to bottom.
MIDLINE: tuple[int, ...] = (27, 28, 29, 30, 33, 51, 62, 66, 57, 8)

#: Ends of the contour, at the right and the left temple.
TEMPLES: tuple[int, int] = (0, 16)

#: The contour's left half from the chin to the temple.
LEFT_JAW: range = range(8, 17)


def mirror_landmark(name: str) -> str:
    """Return the name of the point on the other side; a point on the midline is its own mirror."""
    if "right" in name:
        return name.replace("right", "left")
    return name.replace("left", "right")


#: (68,) index of every point's mirror image.
MIRROR: NDArray[np.int64] = np.array([INDEX[mirror_landmark(name)] for name in NAMES])
MIRROR.setflags(write=False)
INNER.setflags(write=False)


@dataclass(frozen=True)
class Opening:
    """One opening of the face, by landmarks.

    :param name: what messages call it.
    :param corners: where the upper and the lower curve meet: right, left.
    :param upper: landmarks along the upper curve, right to left, without the corners.
    :param lower: those along the lower curve, right to left.
    :param outer_upper: more landmarks that are certainly above (the outer lip line).
    :param outer_lower: more landmarks that are certainly below.
    """

    name: str
    corners: tuple[int, int]
    upper: tuple[int, ...]
    lower: tuple[int, ...]
    outer_upper: tuple[int, ...] = ()
    outer_lower: tuple[int, ...] = ()

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """Upper and lower landmarks that face each other, right to left."""
        return tuple(zip(self.upper, self.lower, strict=True))


#: The mouth by its inner lip, and the eyes.
MOUTH = Opening("mouth", (60, 64), (61, 62, 63), (67, 66, 65), (49, 50, 51, 52, 53), (59, 58, 57, 56, 55))
RIGHT_EYE = Opening("right eye", (36, 39), (37, 38), (41, 40))
LEFT_EYE = Opening("left eye", (42, 45), (43, 44), (47, 46))
OPENINGS = (MOUTH, RIGHT_EYE, LEFT_EYE)

#: The eye that a blink closes.
BLINKS = {"eyeBlinkRight": RIGHT_EYE, "eyeBlinkLeft": LEFT_EYE}

#: Ten points that are found by eye on any head, from which the others can be placed.
TEN_PICKS: tuple[str, ...] = (
    *("eye_right_outer", "eye_right_inner", "eye_left_inner", "eye_left_outer"),
    *("nose_tip", "nose_base", "mouth_right_corner", "mouth_left_corner", "chin", "nose_bridge_1"),
)

#: Sizes of other mark-ups, to say what a list of the wrong length might be.
OTHER_SCHEMES: dict[int, str] = {
    5: "five points (eye centres, nose, mouth corners)",
    49: "the 68 points without the contour and the inner mouth corners",
    51: "the 68 points without the contour",
    66: "the 68 points without the inner mouth corners",
    70: "the 68 points and two pupils",
    98: "the WFLW mark-up",
    105: "MediaPipe's points as FLAME embeds them",
    194: "the Helen mark-up",
    468: "MediaPipe's face mesh",
    478: "MediaPipe's face mesh with irises",
}

#: The mouth stands forward of the eyes: their line leans by this much from the head's vertical (12° to 18° on six
#: heads).
_UP_TILT_DEG = 15.0


def face_axes(landmarks: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the face's own axes from its landmarks.

    Left comes from the eyes and mouth corners; up from mouth to eyes, tilted upright, because the mouth stands forward.

    :param landmarks: (68, 3) positions, in any unit.
    :returns: (3, 3) rows of unit vectors: to the person's left, up, and forward.
    """
    right_eye, left_eye = (landmarks[list(GROUPS[f"eye_{side}"])] for side in ("right", "left"))
    left = (left_eye.mean(0) - right_eye.mean(0)) + (
        landmarks[INDEX["mouth_left_corner"]] - landmarks[INDEX["mouth_right_corner"]]
    )
    left = left / np.linalg.norm(left)
    rise = landmarks[36:48].mean(0) - landmarks[48:68].mean(0)
    rise = rise - (rise @ left) * left
    rise = rise / np.linalg.norm(rise)
    ahead = np.cross(left, rise)
    angle = np.radians(_UP_TILT_DEG)
    up = np.cos(angle) * rise + np.sin(angle) * ahead
    return np.stack([left, up, np.cross(left, up)])

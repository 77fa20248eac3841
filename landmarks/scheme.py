"""The 68-point scheme: names, groups and the mirror (the iBUG 300-W mark-up that most face trackers use).

``right`` and ``left`` are the person's own sides: with the face looking along +z and up along +y, the left side is +x.
Points run in the order in which the mark-up numbers them, from the person's right to the left.
"""

from __future__ import annotations

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

#: The 51 points without the contour, whose place on a cheek is a matter of taste.
INNER: NDArray[np.int64] = np.arange(17, N_LANDMARKS)


def mirror_landmark(name: str) -> str:
    """Return the name of the point on the other side; a point on the midline is its own mirror."""
    if "right" in name:
        return name.replace("right", "left")
    return name.replace("left", "right")


#: (68,) index of every point's mirror image.
MIRROR: NDArray[np.int64] = np.array([INDEX[mirror_landmark(name)] for name in NAMES])

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


def _prototype() -> NDArray[np.float64]:
    """Draw the right half by hand after usual adult proportions, in centimetres, and mirror it."""
    middle = {
        "chin": (0, -8.2, 6.6),
        "nose_bridge_1": (0, 3.1, 8.1),
        "nose_bridge_2": (0, 1.9, 9.0),
        "nose_bridge_3": (0, 0.8, 9.9),
        "nose_tip": (0, -0.3, 10.4),
        "nose_base": (0, -1.6, 8.9),
        "upper_lip_middle": (0, -2.9, 9.0),
        "inner_upper_middle": (0, -3.6, 8.6),
        "inner_lower_middle": (0, -3.8, 8.6),
        "lower_lip_middle": (0, -4.6, 8.7),
    }
    contour = [(-7.2, 2.5, 0), (-7.1, 0.7, 0.1), (-6.8, -1.3, 0.4), (-6.4, -3.2, 0.9), (-5.7, -5.0, 1.8)]
    contour += [(-4.5, -6.6, 3.4), (-3.2, -7.4, 5.0), (-1.7, -8.0, 6.3)]
    brow = [(-5.6, 4.5, 5.2), (-4.7, 5.1, 6.4), (-3.7, 5.4, 7.1), (-2.5, 5.3, 7.7), (-1.4, 5.0, 8.0)]
    nose = {"nose_right_wing": (-1.6, -1.2, 8.0), "nose_right_base": (-0.8, -1.5, 8.5)}
    eye = [(-4.5, 2.9, 5.7), (-3.7, 3.4, 6.5), (-2.6, 3.4, 6.7), (-1.7, 2.7, 6.4), (-2.6, 2.5, 6.6), (-3.7, 2.5, 6.4)]
    lips = {
        "mouth_right_corner": (-2.4, -3.8, 7.4),
        "upper_lip_right_2": (-1.7, -3.2, 8.3),
        "upper_lip_right_1": (-0.6, -2.8, 8.9),
        "lower_lip_right_1": (-0.9, -4.5, 8.5),
        "lower_lip_right_2": (-1.7, -4.3, 8.1),
        "inner_right_corner": (-2.1, -3.75, 7.4),
        "inner_upper_right": (-0.9, -3.6, 8.4),
        "inner_lower_right": (-0.9, -3.8, 8.4),
    }
    right = {f"contour_right_{step}": point for step, point in enumerate(contour, 1)}
    right |= {f"brow_right_{step}": point for step, point in enumerate(brow, 1)}
    right |= {f"eye_right_{place}": point for place, point in zip(EYE_PLACES, eye)} | nose | lips
    points = np.zeros((N_LANDMARKS, 3))
    for name, point in (middle | right).items():
        points[INDEX[name]] = point
        points[INDEX[mirror_landmark(name)]] = (-point[0], point[1], point[2])
    return points / 100.0


#: (68, 3) a plain adult face in metres, looking along +z: what checks compare proportions with.
PROTOTYPE: NDArray[np.float64] = _prototype()
PROTOTYPE.setflags(write=False)
MIRROR.setflags(write=False)

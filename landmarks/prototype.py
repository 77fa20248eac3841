"""A plain adult face as 68 points: what checks compare proportions with."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.ibug68 import EYE_PLACES, INDEX, N_LANDMARKS, mirror_landmark


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


#: (68, 3) in metres, looking along +z.
PROTOTYPE: NDArray[np.float64] = _prototype()
PROTOTYPE.setflags(write=False)

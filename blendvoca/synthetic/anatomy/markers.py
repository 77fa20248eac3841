"""The 68 landmarks (iBUG order) as places on the surface; both samplings have a vertex at each of them.

Landmarks of the head's left half and the midline; those of the right half are their mirror
images (:data:`blendvoca.ibug68.MIRROR`). Positions are millimetres near the surface, seen along the chart's rays.
"""

from __future__ import annotations

from blendvoca.ibug68 import LEFT_JAW

#: Angle of landmark 63 on the mouth's rim, and of 52 and 53 on the outer lip, in degrees from the left corner.
INNER_LIP_ANGLE = 52.0
OUTER_LIP_ANGLES = (77.0, 44.0)
#: Landmark to (distance of its ring from the rim, angle).
LIP_POINTS = {
    62: (0.0, 90.0), 63: (0.0, 52.0), 64: (0.0, 0.0), 65: (0.0, -52.0), 66: (0.0, -90.0),
    51: (6.0, 90.0), 52: (6.0, 77.0), 53: (6.0, 44.0), 54: (2.8, 0.0), 55: (6.0, -44.0), 56: (6.0, -77.0),
    57: (6.0, -90.0),
}  # fmt: skip
#: Landmark of the left eye to its angle on the rim.
LID_POINTS = {45: 0.0, 44: 60.0, 43: 120.0, 42: 180.0, 47: 240.0, 46: 300.0}
MIDLINE_POINTS = {
    27: (0.0, 27.0, 86.0), 28: (0.0, 14.5, 95.0), 29: (0.0, 2.0, 102.0), 30: (0.0, -11.5, 110.0),
    33: (0.0, -26.5, 96.0), 8: (0.0, -91.0, 76.0),
}  # fmt: skip
FREE_POINTS = {
    22: (9.0, 41.2, 90.0), 23: (18.5, 45.4, 88.0), 24: (28.5, 47.4, 84.0), 25: (39.0, 46.4, 77.0),
    26: (48.0, 41.8, 64.5),
    34: (6.8, -26.3, 92.4), 35: (13.0, -23.5, 93.0),
    9: (14.5, -88.5, 70.0), 10: (28.0, -80.5, 55.0), 11: (40.0, -69.0, 38.0), 12: (49.5, -55.0, 25.0),
    13: (56.5, -38.0, 18.0), 14: (62.0, -18.5, 16.0), 15: (66.5, 2.0, 16.0), 16: (69.0, 22.0, 17.0),
}  # fmt: skip
#: The mask's outline: the jaw from the chin to the left temple, then over the forehead.
MASK_OUTLINE = (
    MIDLINE_POINTS[8], *(FREE_POINTS[k] for k in LEFT_JAW[1:]),
    (68.5, 42.0, 21.0), (63.5, 66.0, 31.0), (50.0, 86.0, 46.0), (28.0, 96.0, 60.0), (0.0, 100.0, 68.0),
)  # fmt: skip
#: Middle line of the left brow from the nose to the temple, and its half height; rows of vertices follow it.
BROW_LINE = (
    (8.0, 40.5, 90.0), (14.0, 43.8, 89.0), (22.0, 46.4, 87.0), (31.0, 47.6, 83.0), (40.0, 46.2, 76.0),
    (48.5, 41.5, 64.0),
)  # fmt: skip
BROW_HALF = (2.9, 3.3, 3.2, 2.8, 2.2, 1.5)

"""The head at rest as one soft solid, in millimetres: x to the head's left, y up, z out of the face.

Measures follow adult averages of craniofacial anthropometry: breadth 152, length 195, eye line to chin 113, pupils 63
apart, mouth 50 wide. The solid has no openings; the chart cuts the eyes and the mouth into its surface.
"""

from __future__ import annotations

import numpy as np

from blendvoca.synthetic.sdf import Distance, Points, capsule, carve, chain, ellipsoid, union

#: Centre of the left eyeball and its radius.
EYE_CENTRE = (31.5, 25.0, 69.5)
EYE_RADIUS = 12.2
#: Lower edge of the surface at the neck.
NECK_HEIGHT = -150.0
#: The mouth's line, from the middle to the left corner.
MOUTH_LINE = ((0.0, -47.6, 92.6), (6.0, -47.0, 92.4), (13.0, -47.4, 90.2), (20.0, -48.3, 85.6), (25.5, -49.0, 80.2))


def solid(points: Points) -> Distance:
    """Return the signed distance (N,) of points (N, 3) to the head; both sides are alike."""
    p = points.copy()
    p[:, 0] = np.abs(p[:, 0])
    head = _skull(p)
    head = _cheeks_and_jaw(p, head)
    head = _orbits(p, head)
    head = _nose(p, head)
    return _mouth(p, head)


def _skull(p: Points) -> Distance:
    head = ellipsoid(p, (0, 56, -9), (75, 81, 94))
    head = union(head, ellipsoid(p, (0, 58, 30), (60, 58, 61)), 24)
    head = union(head, ellipsoid(p, (0, 8, 14), (62, 66, 66)), 24)
    head = union(head, capsule(p, (0, -20, -34), (0, -220, -44), 50, 58), 40)
    head = union(head, ellipsoid(p, (0, -4, -40), (56, 50, 44)), 30)
    return carve(head, ellipsoid(p, (96, 38, 66), (28, 32, 40)), 30)


def _cheeks_and_jaw(p: Points, head: Distance) -> Distance:
    head = union(head, ellipsoid(p, (0, -22, 46), (54, 56, 40)), 24)
    head = union(head, capsule(p, (46, -46, 14), (14, -77, 64), 10, 13), 30)
    head = union(head, capsule(p, (55, -4, 2), (47, -48, 12), 10, 10), 26)
    head = union(head, ellipsoid(p, (0, -76, 72), (20, 14, 16)), 18)
    head = union(head, ellipsoid(p, (0, -34, 62), (30, 27, 27)), 20)
    head = union(head, ellipsoid(p, (40, -4, 54), (19, 19, 18)), 26)
    return union(head, capsule(p, (44, 6, 54), (62, 6, 14), 9, 8), 26)


def _orbits(p: Points, head: Distance) -> Distance:
    brow = chain(p, ((5, 40, 81), (20, 43, 80), (36, 45, 73), (49, 38, 60)), (6, 7, 7.5, 7), 10)
    head = union(head, brow, 20)
    head = carve(head, ellipsoid(p, (30, 26, 94), (19, 9.5, 15), 0.0), 10)
    head = carve(head, ellipsoid(p, (15.5, 24, 93), (5, 10, 9), 0.0), 9)
    lids = ellipsoid(p, EYE_CENTRE, (EYE_RADIUS + 2.0,) * 3)
    return union(head, lids, 8)


def _nose(p: Points, head: Distance) -> Distance:
    bridge = chain(p, ((0, 38, 80), (0, 14, 92), (0, -10, 104)), (7, 6.6, 7.2), 8)
    nose = union(bridge, ellipsoid(p, (0, -12, 103), (9, 8.5, 9)), 8)
    nose = union(nose, ellipsoid(p, (11, -16.5, 93), (6.4, 7.4, 9.5)), 8)
    nose = union(nose, capsule(p, (0, -23, 93), (0, -18, 104), 4.0, 4.8), 6)
    flanks = capsule(p, (4, 28, 78), (9, -10, 84), 5, 9)
    head = union(union(head, flanks, 14), nose, 9)
    return carve(head, ellipsoid(p, (6.4, -25.0, 96.5), (3.2, 5.0, 5.0), 0.3), 3.0)


def _mouth(p: Points, head: Distance) -> Distance:
    upper = chain(p, ((0, -43.4, 92.4), (5, -42.2, 92.6), (13, -44.2, 89), (20, -46.6, 83), (25.5, -48.6, 76.5)),
                  (4.2, 4.3, 3.8, 3.0, 2.2), 6)  # fmt: skip
    lower = chain(p, ((0, -52.8, 90.4), (7, -52.6, 90), (14, -51.8, 86.6), (20, -50.2, 82), (25.5, -49.2, 76.5)),
                  (5.4, 5.2, 4.5, 3.2, 2.2), 6)  # fmt: skip
    head = carve(head, ellipsoid(p, (0, -34, 100), (3.2, 8, 3.6), 0.0), 5)
    head = union(head, upper, 7)
    return union(head, lower, 3.5)

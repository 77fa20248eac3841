"""The head at rest as one soft solid, in millimetres: x to the head's left, y up, z out of the face.

Measures follow adult averages of craniofacial anthropometry: breadth 152, length 195, eye line to chin 113, pupils 63
apart, mouth 50 wide. The solid has no openings; the chart cuts the eyes and the mouth into its surface.
"""

from __future__ import annotations

import numpy as np

from blendvoca.synthetic.anatomy.sdf import Distance, Points, capsule, carve, chain, ellipsoid, union

#: Centre of the left eyeball and its radius.
EYE_CENTRE = (31.5, 25.0, 69.5)
EYE_RADIUS = 12.2
#: The mouth's line, from the middle to the left corner.
MOUTH_LINE = ((0.0, -47.9, 90.6), (6.0, -47.4, 90.4), (12.5, -47.5, 88.6), (19.0, -47.9, 85.4), (25.5, -48.4, 81.4))


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
    head = ellipsoid(p, (0, 56, -9), (75, 80, 94))
    head = union(head, ellipsoid(p, (0, 58, 30), (61, 56, 61)), 24)
    head = union(head, ellipsoid(p, (0, 8, 14), (63, 66, 66)), 24)
    head = union(head, capsule(p, (0, -20, -34), (0, -220, -44), 49, 57), 40)
    head = union(head, ellipsoid(p, (0, -4, -40), (56, 50, 44)), 30)
    return carve(head, ellipsoid(p, (100, 38, 70), (28, 32, 40)), 30)


def _cheeks_and_jaw(p: Points, head: Distance) -> Distance:
    head = union(head, ellipsoid(p, (0, -20, 44), (57, 58, 43)), 24)
    head = union(head, ellipsoid(p, (38, -36, 37), (17, 24, 28)), 26)
    head = union(head, chain(p, ((44, -46, 14), (27, -69, 47), (9, -77.5, 67)), (9, 12.5, 12), 18), 30)
    head = union(head, capsule(p, (55, -4, 2), (47, -46, 12), 9, 9), 28)
    head = union(head, ellipsoid(p, (0, -77, 74), (16.5, 13.5, 15)), 20)
    head = union(head, ellipsoid(p, (0, -36, 62), (31, 28, 27.5)), 20)
    head = union(head, ellipsoid(p, (39, -6, 54), (19, 19, 18)), 26)
    return union(head, capsule(p, (44, 4, 54), (60, 4, 14), 9, 8), 28)


def _orbits(p: Points, head: Distance) -> Distance:
    brow = chain(p, ((5, 40, 81), (20, 43, 80.5), (36, 45, 73.5), (49, 38, 60)), (6, 7, 7.5, 7), 12)
    head = union(head, brow, 22)
    head = carve(head, ellipsoid(p, (30, 26, 94), (19, 9.5, 15), 0.0), 10)
    head = carve(head, ellipsoid(p, (15.5, 24, 93), (5, 10, 9), 0.0), 9)
    lids = ellipsoid(p, EYE_CENTRE, (EYE_RADIUS + 2.0,) * 3)
    return union(head, lids, 8)


def _nose(p: Points, head: Distance) -> Distance:
    bridge = chain(p, ((0, 40, 79), (0, 16, 90.5), (0, -10, 103)), (7, 6.4, 7.0), 10)
    nose = union(bridge, ellipsoid(p, (0, -12, 102.5), (9, 8.5, 9)), 9)
    nose = union(nose, ellipsoid(p, (11, -16.5, 93), (6.6, 7.4, 9.5)), 9)
    nose = union(nose, capsule(p, (0, -23, 92), (0, -18, 103.5), 4.0, 4.8), 6)
    flanks = capsule(p, (3, 30, 77), (8, -10, 86), 5, 9)
    return union(head, union(nose, flanks, 12), 10)


def _mouth(p: Points, head: Distance) -> Distance:
    head = union(head, ellipsoid(p, (0, -48, 65), (30, 17, 22)), 12)
    columns = capsule(p, (3.4, -29.5, 90.8), (5.2, -41.0, 91.4), 1.5, 2.0)
    head = carve(union(head, columns, 3.5), ellipsoid(p, (0, -35.5, 96.2), (2.6, 8.5, 4.6), 0.0), 2.5)
    upper = chain(p, ((0, -43.4, 88.6), (4.5, -42.4, 88.9), (12, -43.9, 86.2), (19, -45.8, 81), (25.5, -47.6, 74)),
                  (4.6, 4.7, 4.2, 3.1, 2.0), 6)  # fmt: skip
    lower = chain(p, ((0, -53.0, 87.2), (7, -52.8, 86.6), (14, -51.8, 83.6), (20, -49.9, 79), (25.5, -48.4, 74)),
                  (5.7, 5.5, 4.6, 3.3, 2.0), 6)  # fmt: skip
    head = union(head, ellipsoid(p, (0, -62.5, 79), (14, 5, 8)), 6)
    head = union(union(head, upper, 6), union(head, lower, 6), 1.2)
    # Where the lips meet, the skin turns in: a notch along the mouth's line.
    groove = tuple((x, y, z + 1.8) for x, y, z in MOUTH_LINE)
    return carve(head, chain(p, groove, (1.15, 1.15, 1.1, 1.0, 0.7), 1), 1.4)

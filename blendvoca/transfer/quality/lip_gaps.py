"""Lips are judged by what their gap allows: they close until they touch.

ARKit's inner lips stand 3 mm apart and a roll brings them 6 mm nearer to each other: past each other, on the source
itself. On lips that are closed at rest none of that is possible. In shapes in which lips touch, landmarks of upper and
lower lip are therefore asked to come nearer by the gap that there is at rest, no more; the surplus is taken off both,
half each, at the inner lips and at the outer lips before them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from blendvoca.ibug68 import MOUTH
from blendvoca.transfer.openings.passing import POSES

Array = NDArray[np.float64]

#: Shapes that are looked at: those of the poses in which lips touch. mouthClose closes an open jaw and may go farther.
_TOUCHING = frozenset(name for pose in POSES if "jawOpen" not in pose for name in pose)


def asked_of_lips(wanted: Array, rest: Array, names: Sequence[str], up: Array) -> Array:
    """Return displacements (K, 68, 3) of the landmarks that a head can follow.

    :param wanted: (K, 68, 3) the source's, at the head's size.
    :param rest: (68, 3) the head's landmarks at rest.
    :param names: of the K shapes.
    :param up: (3,) the head's vertical.
    """
    result = wanted.copy()
    upper, lower = np.array(MOUTH.pairs).T
    gaps = np.maximum((rest[upper] - rest[lower]) @ up, 0.0)
    left, right = rest[list(MOUTH.corners)]
    along = (rest - left) @ (right - left)
    stations = np.concatenate([[along[MOUTH.corners[0]]], along[upper], [along[MOUTH.corners[1]]]])
    for row, name in enumerate(names):
        if name not in _TOUCHING:
            continue
        surplus = np.maximum(-gaps - (wanted[row, upper] - wanted[row, lower]) @ up, 0.0)
        for rows, sign in ((MOUTH.upper + MOUTH.outer_upper, 0.5), (MOUTH.lower + MOUTH.outer_lower, -0.5)):
            taken = np.interp(along[list(rows)], stations, np.concatenate([[0.0], surplus, [0.0]]))
            result[row, list(rows)] += sign * taken[:, None] * up
    return result

"""Lids are judged by the aperture they reach: a blink goes as far as the eye is open, and so do the shapes beside it.

An eye that is open wider than the source's is not closed by the source's millimetres. Between an upper landmark and the
lower one that faces it let g be the gap at rest, on the source (at the target's size) and on the target. What the
source's lid does along its gap is asked for in proportion to the target's gap; what it does across is asked for as it
is. Of a shape's gap in proportion to the gap at rest, source and target are compared as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from blendvoca.ibug68 import LEFT_EYE, RIGHT_EYE

Array = NDArray[np.float64]

_EYES = {"Right": RIGHT_EYE, "Left": LEFT_EYE}
#: Shapes that open and shut an eye, without their side.
_SHAPES = ("eyeBlink", "eyeSquint", "eyeWide", "eyeLookUp", "eyeLookDown")
#: An eye that is open less than this, in RMS radii of the landmarks (1.2 mm on an adult), gives no measure.
_OPEN = 0.02


def asked_of_lids(wanted: Array, source: Array, target: Array, radius: float) -> Array:
    """Return the landmarks' displacements (K, 68, 3) with those of the lids in proportion to the target's apertures.

    :param wanted: (K, 68, 3) of the source, at the target's size and pose.
    :param source: (68, 3) the source's landmarks at rest, at the target's size and pose.
    :param target: (68, 3) the target's.
    :param radius: RMS radius of the landmarks, in the same unit.
    """
    result = wanted.copy()
    for eye in _EYES.values():
        for pair in eye.pairs:
            gaps = [points[pair[0]] - points[pair[1]] for points in (source, target)]
            lengths = [float(np.linalg.norm(gap)) for gap in gaps]
            if min(lengths) > _OPEN * radius:
                along = gaps[0] / lengths[0]
                share = (wanted[:, list(pair)] @ along)[..., None] * along
                result[:, list(pair)] += (lengths[1] / lengths[0] - 1.0) * share
    return result


def apertures_off(
    names: Sequence[str], wanted: Array, found: Array, source: Array, target: Array, radius: float
) -> dict[str, float]:
    """Return, by shape that opens or shuts an eye, how far its aperture is from the source's, in open eyes' heights.

    :param names: of the K shapes.
    :param wanted: (K, 68, 3) of the source, at the target's size and pose.
    :param found: (K, 68, 3) of the target.
    :param source: (68, 3) landmarks at rest.
    :param target: (68, 3) landmarks at rest.
    :param radius: RMS radius of the landmarks, in the same unit.
    :return: positive where the target's eye stays wider open; shapes and eyes that give no measure are left out.
    """
    off = {}
    for side, eye in _EYES.items():
        for row, name in enumerate(names):
            if name in {shape + side for shape in _SHAPES}:
                reached = [
                    _aperture(points, moves[row], eye.pairs, radius)
                    for points, moves in ((source, wanted), (target, found))
                ]
                if np.isfinite(reached).all():
                    off[name] = reached[1] - reached[0]
    return off


def _aperture(points: Array, move: Array, pairs: tuple[tuple[int, int], ...], radius: float) -> float:
    """Gap in a shape over the gap at rest, along the latter, in the mean of the pairs; NaN for an eye that is shut."""
    upper, lower = np.asarray(pairs).T
    gaps = points[upper] - points[lower]
    squared = (gaps**2).sum(axis=1)
    if squared.min() <= (_OPEN * radius) ** 2:
        return float("nan")
    return float((((gaps + move[upper] - move[lower]) * gaps).sum(axis=1) / squared).mean())

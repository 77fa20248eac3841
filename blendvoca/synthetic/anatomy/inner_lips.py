"""The mouth's inside as FLAME has it: from the lips' rims two sheets run back in parallel, closer than they are long.

Lengths are millimetres. What makes a real head hard to rig stands here: over 15 mm of depth the sheets of the upper and
of the lower lip are 0.5 to 3 mm apart, so the nearest point of a vertex of one often lies on the other.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from blendvoca.synthetic.anatomy import sites as regions
from blendvoca.synthetic.anatomy.sites import Sites, concatenate

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Depth of each ring behind the rim, and how far the sheets are apart there in the middle of the mouth.
DEPTHS = (0.9, 1.9, 3.0, 4.3, 5.8, 7.5, 9.4, 11.5, 13.8, 16.5)
GAPS = (0.65, 0.85, 1.0, 1.1, 1.15, 1.15, 1.2, 1.3, 1.6, 3.0)
#: Millimetres inward from the corners per millimetre of depth.
_NARROWING = 0.36
#: The gap's factor for one standard deviation of the speakers, and the ring over which it comes in.
_GAP_FACTOR = np.exp(0.33)
_ONSET = 3.0
#: Depth in which the gap at the rims fades into the sheets'.
_FADE = 1.2


def inner_lips(skin: Sites, rim: Index) -> tuple[Sites, Index, Index]:
    """Return the sheets behind the mouth's rim, their faces and their mirror map. Faces name skin vertices v as -1 - v.

    :param rim: vertices (R,) of ``skin`` once around the mouth from the upper middle over the left corner.
    """
    count = len(rim)
    anchor = skin.take(rim)
    angle = anchor.mouth[1]
    region = np.full(count, regions.MOUTH_BAG, dtype=np.int8)
    height = anchor.rest[:, 1]
    own = 0.5 * (height - height[(count // 2 - np.arange(count)) % count])
    parts, faces, previous = [], [], -1 - rim
    for k, (back, gap) in enumerate(zip(DEPTHS, GAPS, strict=True)):
        shift = [-_NARROWING * back * np.cos(angle), half_gap(gap, angle) - own, np.full(count, -back)]
        shift[1] *= 1.0 - np.exp(-back / _FADE)
        depth = np.full(count, back / DEPTHS[-1])
        parts.append(Sites(anchor.rest + np.stack(shift, 1), region, depth, anchor.mouth, anchor.eyes, anchor.lids))
        current = np.arange(count) + k * count
        faces.append(strip(previous, current, np.arange(count) >= count // 2))
        previous = current
    # The rim starts at the upper middle and passes the left corner at a quarter: its mirror runs the other way.
    turned = (-np.arange(count)) % count
    mirror = np.concatenate([turned + k * count for k in range(len(DEPTHS))])
    return concatenate(parts), np.concatenate(faces), mirror


def with_lip_gap(sites: Sites, deviations: float) -> Sites:
    """Return places whose inner lips stand apart as in a speaker so many standard deviations from the average.

    At ±2.6 deviations, the most that speakers are given, the sheets are 0.6 or 3.3 mm apart.
    """
    bag = sites.region == regions.MOUTH_BAG
    if not deviations or not bag.any():
        return sites
    back = sites.depth[bag] * DEPTHS[-1]
    gap = np.interp(back, DEPTHS, GAPS)
    onset = 1.0 - np.exp(-((back / _ONSET) ** 2))
    wider = half_gap(gap * (_GAP_FACTOR**deviations - 1.0), sites.mouth[1, bag])
    rest = sites.rest.copy()
    rest[bag, 1] += wider * onset
    return replace(sites, rest=rest)


def half_gap(gap: float | Array, angle: Array) -> Array:
    """Return how far above (positive) or below the middle the sheets stand at an angle about the mouth."""
    result: Array = 0.5 * gap * np.sign(np.sin(angle)) * np.sqrt(np.abs(np.sin(angle)))
    return result


def strip(first: Index, second: Index, turned: NDArray[np.bool_] | None = None) -> Index:
    """Return the triangles between two closed rings; their outside is on the left of the first ring's direction.

    :param turned: which quadrilaterals are split along the other diagonal.
    """
    a, b = np.roll(first, -1), np.roll(second, -1)
    one, two = np.stack([first, second, a], axis=1), np.stack([a, second, b], axis=1)
    if turned is not None:
        one[turned, 2] = b[turned]
        two[turned] = np.stack([first, b, a], axis=1)[turned]
    return np.concatenate([one, two])

"""Weights from which the displacement fields are made. Every function takes sites and returns (N,) or (N, 3) arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.synthetic.anatomy.openings import MOUTH_RIM
from blendvoca.synthetic.anatomy.sites import LEFT_EYEBALL, MOUTH_BAG, Sites

Array = NDArray[np.float64]
Triple = tuple[float, float, float]


def smooth_step(x: Array, low: float, high: float) -> Array:
    """Return 0 below ``low``, 1 above ``high`` and a quintic between, with two continuous derivatives."""
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    result: Array = t**3 * (t * (6.0 * t - 15.0) + 10.0)
    return result


def skin(sites: Sites) -> Array:
    """Return 1 for the skin with its folds inward, 0 for eyeballs, teeth and tongue."""
    return (sites.region < LEFT_EYEBALL).astype(float)


def bump(sites: Sites, centre: Triple, radii: float | Triple) -> Array:
    """Return a Gaussian bump of the rest position, 1 at ``centre``; components inside are left out."""
    offset = (sites.rest - np.array(centre)) / np.array(radii)
    result: Array = np.exp(-(offset**2).sum(axis=1)) * skin(sites)
    return result


def left(sites: Sites, width: float = 9.0) -> Array:
    """Return 1 on the left, 0 on the right; the sum with its mirror image is 1 everywhere."""
    result: Array = 0.5 * (1.0 + np.tanh(sites.rest[:, 0] / width))
    return result


def upper(sites: Sites, width: float = 0.5) -> Array:
    """Return 1 on the upper lip and above, 0 on the lower lip and below, by the side of the surface."""
    return smooth_step(np.sin(sites.mouth[1]), -width, width)


def lips(sites: Sites, reach: float, start: float = 0.0) -> Array:
    """Return 1 on the mouth's rim, falling off over ``reach`` in the ring coordinate; less and less into the mouth."""
    ring = np.maximum(sites.mouth[0] - MOUTH_RIM - start, 0.0)
    inside = np.where(sites.region == MOUTH_BAG, 1.0 - 0.6 * sites.depth, 1.0)
    result: Array = np.exp(-((ring / reach) ** 2)) * inside * skin(sites)
    return result


def middle(sites: Sites, power: float = 2.0) -> Array:
    """Return 1 at the middle of either lip, 0 at the corners."""
    result: Array = np.abs(np.sin(sites.mouth[1])) ** power
    return result


def push(weight: Array, direction: Triple) -> Array:
    """Return the displacement (N, 3) of a weight along a direction in millimetres."""
    return weight[:, None] * np.array(direction)


def turn(sites: Sites, pivot: Triple, axis: int, degrees: float) -> Array:
    """Return the displacement (N, 3) of a rotation about an axis through ``pivot`` (0: x, 1: y), right-handed."""
    a = np.deg2rad(degrees)
    p = sites.rest - np.array(pivot)
    j, k = (axis + 1) % 3, (axis + 2) % 3
    moved = p.copy()
    moved[:, j] = np.cos(a) * p[:, j] - np.sin(a) * p[:, k]
    moved[:, k] = np.sin(a) * p[:, j] + np.cos(a) * p[:, k]
    return moved - p

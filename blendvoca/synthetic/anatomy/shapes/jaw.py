"""Shapes of the jaw, and mouthClose, which undoes jawOpen at the lips. Lengths are millimetres."""

from __future__ import annotations

import numpy as np

from blendvoca.synthetic.anatomy.shapes.tools import Array, bump, lips, push, skin, smooth_step, turn
from blendvoca.synthetic.anatomy.sites import LOWER_TEETH, TONGUE, Sites

#: Axis of the jaw's joints.
HINGE = (0.0, 2.0, 6.0)
OPEN_DEGREES = 15.0
#: Share of the closing that the upper lip does.
_UPPER_SHARE = 0.22


def jaw_weight(sites: Sites) -> Array:
    """Return how much a place goes with the lower jaw: 1 at chin, lower lip, lower teeth and tongue, 0 at upper lip,
    upper teeth, neck and ear.
    """
    lower = _below_mouth(sites)
    y, z = sites.rest[:, 1], sites.rest[:, 2]
    behind = smooth_step(z + 5.0 - 0.5 * np.maximum(-y - 50.0, 0.0), 0.0, 48.0)
    result: Array = lower * behind * skin(sites)
    return np.where((sites.region == LOWER_TEETH) | (sites.region == TONGUE), 1.0, result)


def _below_mouth(sites: Sites) -> Array:
    """Return 1 below the mouth, 0 above; along the lips in proportion to the angle's sine, which opens an ellipse."""
    sine = -np.sin(sites.mouth[1])
    far = smooth_step(sine, -0.75, 0.75)
    near = lips(sites, 0.5)
    half = 0.5 + 0.5 * sine
    round_opening = 0.6 * half + 0.4 * half * half * (3.0 - 2.0 * half)
    return far + near * (round_opening - far)


def jaw_open(sites: Sites) -> Array:
    """The jaw drops; the corners of the mouth come inward."""
    dropped = jaw_weight(sites)[:, None] * turn(sites, HINGE, 0, OPEN_DEGREES)
    inward = np.zeros_like(dropped)
    for side in (-1.0, 1.0):
        inward += push(bump(sites, (side * 27.0, -50.0, 78.0), (16.0, 22.0, 22.0)), (-side * 4.5, 0.0, -1.5))
    return dropped + inward


def mouth_close(sites: Sites) -> Array:
    """The lips meet while the jaw stays open: to be added to jawOpen."""
    gap = 2.0 * _below_mouth(sites) - 1.0
    share = np.where(np.sin(sites.mouth[1]) > 0, _UPPER_SHARE, -(1.0 - _UPPER_SHARE))
    weight = share * np.abs(gap) * lips(sites, 0.5, 0.05)
    behind = smooth_step(sites.rest[:, 2], 20.0, 60.0)
    return (weight * behind)[:, None] * turn(sites, HINGE, 0, OPEN_DEGREES)


def jaw_forward(sites: Sites) -> Array:
    """The jaw slides forward: the chin and the lower lip come out."""
    return push(jaw_weight(sites), (0.0, -1.0, 9.0))


def jaw_left(sites: Sites) -> Array:
    """The jaw swings to the head's left: it turns about its far joint, drops a little, and the skin there stretches."""
    weight = jaw_weight(sites)
    swing = push(weight, (9.0, -1.8, 0.0)) + weight[:, None] * turn(sites, (-50.0, 2.0, 6.0), 1, 3.0)
    far_side = push(bump(sites, (-44.0, -40.0, 50.0), (20.0, 26.0, 30.0)), (3.0, 0.0, -1.5))
    return swing + far_side + push(lips(sites, 0.6) * (1.0 - weight), (2.5, 0.0, 0.0))

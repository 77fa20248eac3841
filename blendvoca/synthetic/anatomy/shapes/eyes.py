"""Shapes of the left eye: lids and gaze. The right eye's are their mirror images. Lengths are millimetres."""

from __future__ import annotations

import numpy as np

from blendvoca.synthetic.anatomy import sculpture
from blendvoca.synthetic.anatomy.openings import EYE_RIM
from blendvoca.synthetic.anatomy.shapes.tools import Array, bump, push, turn
from blendvoca.synthetic.anatomy.sites import LEFT_EYEBALL, LEFT_SOCKET, SKIN, Sites


def _lid_turn(sites: Sites, upper_share: float, lower_share: float, reach: float = 0.55) -> Array:
    """Turn the lids about the eyeball by shares of the opening: the upper one down, the lower one up."""
    ring, angle = sites.eyes[0]
    upper, lower = sites.lids[0]
    turned = (upper - lower) * np.where(np.sin(angle) > 0, upper_share, -lower_share)
    allowed = (sites.region == SKIN) | (sites.region == LEFT_SOCKET)
    fade = np.exp(-((np.maximum(ring - EYE_RIM, 0.0) / reach) ** 2)) * (1.0 - sites.depth) * allowed
    a = turned * fade
    p = sites.rest - np.array(sculpture.EYE_CENTRE)
    y = np.cos(a) * p[:, 1] - np.sin(a) * p[:, 2]
    z = np.sin(a) * p[:, 1] + np.cos(a) * p[:, 2]
    return np.stack([np.zeros_like(y), y - p[:, 1], z - p[:, 2]], axis=1)


def _gaze(sites: Sites, axis: int, degrees: float) -> Array:
    weight = (sites.region == LEFT_EYEBALL).astype(float)
    return weight[:, None] * turn(sites, sculpture.EYE_CENTRE, axis, degrees)


def blink(sites: Sites) -> Array:
    """The lids close."""
    brow = push(bump(sites, (30.0, 40.0, 82.0), (18.0, 7.0, 16.0)), (0.0, -1.0, 0.0))
    return _lid_turn(sites, 0.80, 0.22) + brow


def squint(sites: Sites) -> Array:
    """The lids narrow: mostly the lower one rises, and the cheek below it."""
    cheek = push(bump(sites, (34.0, 8.0, 74.0), (18.0, 9.0, 18.0)), (0.0, 2.5, 1.0))
    return _lid_turn(sites, 0.20, 0.32) + cheek


def wide(sites: Sites) -> Array:
    """The eye opens wide."""
    brow = push(bump(sites, (30.0, 42.0, 82.0), (20.0, 9.0, 18.0)), (0.0, 1.5, 0.0))
    return _lid_turn(sites, -0.30, -0.10, 0.4) + brow


def look_up(sites: Sites) -> Array:
    """The eyeball turns up; the upper lid follows."""
    return _gaze(sites, 0, -25.0) + _lid_turn(sites, -0.18, 0.04)


def look_down(sites: Sites) -> Array:
    """The eyeball turns down; the upper lid follows."""
    return _gaze(sites, 0, 30.0) + _lid_turn(sites, 0.38, -0.05)


def look_in(sites: Sites) -> Array:
    """The eyeball turns to the nose."""
    return _gaze(sites, 1, -32.0) + push(bump(sites, (28.0, 25.0, 83.0), (10.0, 8.0, 10.0)), (-0.7, 0.0, 0.0))


def look_out(sites: Sites) -> Array:
    """The eyeball turns to the temple."""
    return _gaze(sites, 1, 35.0) + push(bump(sites, (35.0, 25.0, 83.0), (10.0, 8.0, 10.0)), (0.7, 0.0, 0.0))

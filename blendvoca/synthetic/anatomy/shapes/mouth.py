"""Shapes of the whole mouth and of its corners. Fields with a side are those of the left. Lengths are millimetres."""

from __future__ import annotations

import numpy as np

from blendvoca.synthetic.anatomy.shapes.tools import Array, bump, left, lips, middle, push, upper
from blendvoca.synthetic.anatomy.sites import Sites

CORNER = (25.5, -49.0, 80.0)


def _corner(sites: Sites, reach: float) -> Array:
    return bump(sites, CORNER, (reach, 0.85 * reach, 1.3 * reach)) * left(sites)


def funnel(sites: Sites) -> Array:
    """The lips form an open trumpet."""
    near, up = lips(sites, 0.42), upper(sites)
    x = np.tanh(sites.rest[:, 0] / 18.0)
    narrow = push(-7.5 * x * lips(sites, 0.6), (1.0, 0.0, 0.0))
    forward = push(near, (0.0, 0.0, 8.0)) + push(lips(sites, 0.9), (0.0, 0.0, 1.5))
    wide = near * middle(sites, 1.5)
    opened = push(wide * up, (0.0, 6.0, 1.0)) + push(wide * (1.0 - up), (0.0, -6.5, 0.0))
    return narrow + forward + opened


def pucker(sites: Sites) -> Array:
    """The lips are drawn together and forward, as for a kiss."""
    near, up = lips(sites, 0.42), upper(sites)
    x = np.tanh(sites.rest[:, 0] / 16.0)
    narrow = push(-12.5 * x * lips(sites, 0.65), (1.0, 0.0, 0.0))
    forward = push(near, (0.0, 0.0, 9.0)) + push(lips(sites, 0.9), (0.0, 0.0, 1.5))
    border = lips(sites, 0.22, 0.12) - lips(sites, 0.09)
    full = push(border * middle(sites) * up, (0, 2.0, 0)) + push(border * middle(sites) * (1 - up), (0, -2.0, 0))
    return narrow + forward + full


def mouth_left(sites: Sites) -> Array:
    """The mouth is drawn to the head's left."""
    moved = push(lips(sites, 0.75), (12.0, 0.8, 0.0))
    drawn = push(_corner(sites, 26.0), (0.5, 3.5, -6.0)) + push(bump(sites, (0.0, -27.0, 95.0), 16.0), (1.5, 0.0, 0.0))
    bulge = push(bump(sites, (43.0, -40.0, 62.0), (10.0, 16.0, 18.0)), (2.5, 0.0, 3.0))
    return moved + drawn + bulge


def smile(sites: Sites) -> Array:
    """The corner goes up and out, the cheek rises."""
    corner = push(_corner(sites, 27.0), (9.5, 12.0, -6.0))
    cheek = push(bump(sites, (40.0, -8.0, 68.0), (19.0, 17.0, 24.0)), (2.5, 6.0, 4.0))
    lid = push(bump(sites, (32.0, 16.0, 80.0), (15.0, 5.0, 12.0)), (0.0, 1.2, 0.3))
    return corner + cheek + lid


def frown(sites: Sites) -> Array:
    """The corner goes down."""
    corner = push(_corner(sites, 22.0), (1.5, -11.0, -1.5))
    return corner + push(bump(sites, (18.0, -64.0, 80.0), (16.0, 12.0, 20.0)) * left(sites), (1.0, -2.5, 0.5))


def dimple(sites: Sites) -> Array:
    """The corner is drawn back and out, and a dimple forms beside it."""
    corner = push(_corner(sites, 18.0), (6.5, 2.0, -5.0))
    pit = push(bump(sites, (33.0, -47.0, 73.0), (7.0, 10.0, 14.0)) * left(sites), (-1.0, 0.0, -5.0))
    fold = push(bump(sites, (41.0, -44.0, 64.0), (6.0, 13.0, 14.0)) * left(sites), (2.0, 0.0, 2.0))
    return corner + pit + fold


def stretch(sites: Sites) -> Array:
    """The corner is drawn out and down, and the jowl with it."""
    corner = push(_corner(sites, 27.0), (11.0, -6.5, -7.0))
    return corner + push(bump(sites, (40.0, -66.0, 50.0), (20.0, 20.0, 26.0)) * left(sites), (3.0, -4.0, 0.0))


def press(sites: Sites) -> Array:
    """The lips are pressed together on one side: both become thin, the corner goes up a little."""
    border = lips(sites, 0.16, 0.14) * left(sites, 6.0)
    up = upper(sites, 0.3)
    thin = push(border * up, (0.0, -2.6, -1.6)) + push(border * (1 - up), (0.0, 3.0, -1.6))
    rim = lips(sites, 0.08) * left(sites, 6.0)
    held = push(rim * up, (0.0, 2.55, 0.0)) + push(rim * (1 - up), (0.0, -2.95, 0.0))
    return thin + held + push(_corner(sites, 20.0), (3.5, 4.0, -2.5))

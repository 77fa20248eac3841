"""Shapes of one lip. Fields with a side are those of the left. Lengths are millimetres."""

from __future__ import annotations

from blendvoca.synthetic.anatomy.shapes.tools import Array, bump, left, lips, middle, push, upper
from blendvoca.synthetic.anatomy.sites import Sites


def roll_upper(sites: Sites) -> Array:
    """The upper lip rolls in over the teeth."""
    up = upper(sites, 0.3) * middle(sites, 0.8)
    red = push(lips(sites, 0.2, 0.06) * up, (0.0, -1.0, -5.5)) + push(lips(sites, 0.25, 0.18) * up, (0.0, -3.8, 0.0))
    return red + push(lips(sites, 0.12) * up, (0.0, 4.7, -1.5))


def roll_lower(sites: Sites) -> Array:
    """The lower lip rolls in over the teeth."""
    low = (1.0 - upper(sites, 0.3)) * middle(sites, 0.8)
    red = push(lips(sites, 0.2, 0.06) * low, (0.0, 1.0, -5.5)) + push(lips(sites, 0.25, 0.2) * low, (0.0, 4.2, 0.0))
    return red + push(lips(sites, 0.12) * low, (0.0, -5.1, -1.5))


def shrug_upper(sites: Sites) -> Array:
    """The upper lip is pushed up and out."""
    up = upper(sites, 0.4) * middle(sites, 1.2)
    return push(lips(sites, 0.4) * up, (0.0, 5.0, 3.0))


def shrug_lower(sites: Sites) -> Array:
    """The lower lip is pushed up and out and lifts the upper one, the chin rises and wrinkles."""
    low = (1.0 - upper(sites, 0.4)) * middle(sites, 1.2)
    chin = push(bump(sites, (0.0, -74.0, 88.0), (18.0, 13.0, 22.0)), (0.0, 5.5, 1.0))
    lifted = push(lips(sites, 0.3) * upper(sites, 0.4) * middle(sites, 1.2), (0.0, 3.9, 2.0))
    return push(lips(sites, 0.4) * low, (0.0, 3.8, 4.5)) + lifted + chin


def lower_down(sites: Sites) -> Array:
    """One side of the lower lip goes down and bares the teeth."""
    low = (1.0 - upper(sites, 0.35)) * middle(sites, 1.3) * left(sites, 7.0)
    return push(lips(sites, 0.45) * low, (1.5, -10.0, -1.0))


def upper_up(sites: Sites) -> Array:
    """One side of the upper lip goes up and bares the teeth; the fold beside the nose deepens."""
    up = upper(sites, 0.35) * middle(sites, 1.3) * left(sites, 7.0)
    cheek = push(bump(sites, (27.0, -18.0, 80.0), (14.0, 16.0, 20.0)), (0.5, 3.5, 2.0))
    return push(lips(sites, 0.45) * up, (1.0, 9.0, -0.5)) + cheek

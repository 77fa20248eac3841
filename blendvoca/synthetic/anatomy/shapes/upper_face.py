"""Shapes of the brows, the cheeks and the nose. Fields with a side are those of the left. Lengths are millimetres."""

from __future__ import annotations

from blendvoca.synthetic.anatomy.shapes.tools import Array, bump, left, lips, push, upper
from blendvoca.synthetic.anatomy.sites import Sites


def brow_down(sites: Sites) -> Array:
    """The brow goes down and toward the nose; a frown."""
    inner = push(bump(sites, (13.0, 44.0, 87.0), (14.0, 10.0, 18.0)) * left(sites, 4.0), (-3.0, -8.0, 2.0))
    outer = push(bump(sites, (35.0, 46.0, 80.0), (16.0, 9.0, 18.0)), (-1.5, -5.0, 1.0))
    return inner + outer


def brow_inner_up(sites: Sites) -> Array:
    """The inner ends of both brows go up."""
    result = push(bump(sites, (0.0, 48.0, 92.0), (12.0, 14.0, 20.0)), (0.0, 3.0, 0.0))
    for side in (-1.0, 1.0):
        result += push(bump(sites, (side * 14.0, 46.0, 87.0), (14.0, 12.0, 18.0)), (0.0, 8.0, 0.5))
    return result


def brow_outer_up(sites: Sites) -> Array:
    """The outer part of the brow goes up."""
    return push(bump(sites, (41.0, 47.0, 76.0), (16.0, 13.0, 22.0)), (0.5, 10.0, 0.0))


def cheek_puff(sites: Sites) -> Array:
    """Both cheeks are blown up, with the lips closed."""
    result = push(lips(sites, 0.5) * (0.5 + 0.5 * upper(sites)), (0.0, 0.0, 2.5))
    for side in (-1.0, 1.0):
        result += push(bump(sites, (side * 43.0, -38.0, 58.0), (22.0, 25.0, 28.0)), (side * 13.5, 0.0, 8.0))
    return result


def cheek_squint(sites: Sites) -> Array:
    """The cheek rises to the lower lid."""
    cheek = push(bump(sites, (38.0, 2.0, 72.0), (19.0, 14.0, 22.0)), (1.0, 9.0, 5.0))
    return cheek + push(bump(sites, (32.0, 18.0, 81.0), (15.0, 5.5, 12.0)), (0.0, 2.2, 0.5))


def nose_sneer(sites: Sites) -> Array:
    """The wing of the nose and the upper lip beside it rise; the skin beside the bridge gathers."""
    wing = push(bump(sites, (13.0, -17.0, 92.0), (8.0, 10.0, 14.0)) * left(sites, 5.0), (1.5, 7.5, -1.0))
    fold = push(bump(sites, (21.0, -8.0, 82.0), (11.0, 13.0, 16.0)), (0.0, 5.5, 3.0))
    lip = push(lips(sites, 0.4) * upper(sites) * bump(sites, (15.0, -42.0, 90.0), (11.0, 14.0, 18.0)), (0.0, 4.0, 0.5))
    brow = push(bump(sites, (11.0, 40.0, 88.0), (10.0, 9.0, 14.0)) * left(sites, 4.0), (-1.0, -2.5, 0.5))
    return wing + fold + lip + brow

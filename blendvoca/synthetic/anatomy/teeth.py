"""Two rows of teeth in their gums, and a tongue: components of their own behind the lips. Lengths are millimetres.

As in heads that got teeth after the fact, they stand in the mouth and pierce the inner lips' sheets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.synthetic.anatomy import sites as regions
from blendvoca.synthetic.anatomy.inner_lips import strip
from blendvoca.synthetic.anatomy.sites import Sites, concatenate

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True)
class _Row:
    """One row of teeth.

    :param region: its region number.
    :param front: depth z of the outer face of the middle incisors.
    :param scale: width of the arch, relative to the upper one.
    :param edge: height y of the incisors' edge.
    :param up: direction from the edge to the gum.
    :param widths: widths of one side's teeth from the middle, and
    :param lengths: how much shorter each crown is than the first.
    """

    region: int
    front: float
    scale: float
    edge: float
    up: float
    widths: tuple[float, ...]
    lengths: tuple[float, ...]


_UPPER = _Row(regions.UPPER_TEETH, 84.0, 1.0, -49.6, 1.0, (8.5, 6.7, 7.6, 7.0, 6.8, 10.0), (0, 0.6, -0.1, 0.6, 1, 1.2))
_LOWER = _Row(
    regions.LOWER_TEETH, 80.8, 0.95, -47.9, -1.0, (5.4, 5.9, 6.8, 7.0, 7.1, 10.5), (0, 0.1, -0.2, 0.8, 1.4, 1.5)
)
#: The arch: depth z behind its front is a x² + b x⁴.
_ARCH = (0.022, 5.5e-5)
#: A tooth's section from the gum's front over the edge to its back: outward, in thicknesses inward, and from the edge.
_SECTION = (
    (-0.8, 0.0, 15.0), (0.7, 0.0, 9.9), (0.0, 0.0, 9.0), (0.2, 0.0, 4.2), (-0.5, 0.0, 0.0), (0.4, -1.0, 0.3),
    (-1.2, -1.0, 12.0),
)  # fmt: skip
#: Points of the section on the crown.
_CROWN = slice(2, 6)
#: Rings of the tongue from the tip: depth, half width, height of the top and of the bottom.
_TONGUE = (
    (76.3, 4.5, -50.5, -53.5), (74.5, 7.5, -49.2, -55.0), (71.0, 10.5, -47.2, -57.0), (66.0, 12.8, -45.2, -59.0),
    (60.0, 14.3, -43.8, -60.5), (53.0, 15.0, -43.6, -61.5), (46.0, 14.0, -45.5, -62.0), (41.0, 10.0, -50.0, -62.0),
)  # fmt: skip
_TONGUE_TIP, _TONGUE_END = (0.0, -52.0, 77.2), (0.0, -57.0, 39.5)
_AROUND = 12


def mouth_parts() -> list[tuple[Sites, Index, Index]]:
    """Return upper teeth, lower teeth and tongue as places, faces and mirror map each."""
    return [_teeth(_UPPER), _teeth(_LOWER), _tongue()]


def _teeth(row: _Row) -> tuple[Sites, Index, Index]:
    x, middle, shorter = _stations(row)
    a, b = _ARCH
    across = x / row.scale
    depth = row.front - (a * across**2 + b * across**4)
    slope = (2 * a * across + 4 * b * across**3) / row.scale
    normal = np.stack([slope, np.ones_like(x)], axis=1) / np.hypot(slope, 1.0)[:, None]
    thick = 3.0 + 6.0 * np.clip((np.abs(across) - 6.0) / 14.0, 0.0, 1.0)
    rings = []
    for number, (out, inward, high) in enumerate(_SECTION):
        crown = _CROWN.start <= number < _CROWN.stop
        # Between two teeth the crown lies deeper, its edge ends sooner and the gum reaches further.
        away = out + inward * thick - np.where(crown & ~middle, 0.6, 0.0)
        tall = np.maximum(high, shorter) + np.where(middle, 0.0, 0.7 if high < 1 else -1.3 * (8 < high < 10))
        place = np.stack([x, np.full_like(x, row.edge) + row.up * tall, depth], axis=1)
        rings.append(place + away[:, None] * np.stack([normal[:, 0], np.zeros_like(x), normal[:, 1]], axis=1))
    grid = np.stack(rings, axis=1)
    ends = np.stack([grid[0].mean(axis=0), grid[-1].mean(axis=0)])
    return _tube(grid, ends, row.region, -np.arange(len(x)) - 1, flipped=row.up > 0)


def _stations(row: _Row) -> tuple[Array, NDArray[np.bool_], Array]:
    """Return x along the arch at every border and middle of a tooth, which are middles, and the crowns' shortness."""
    fine = np.linspace(0.0, 32.0, 2000)
    a, b = _ARCH
    across = fine / row.scale
    depth = a * across**2 + b * across**4
    length = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(fine), np.diff(depth)))])
    borders = np.concatenate([[0.0], np.cumsum(row.widths)])
    marks = np.sort(np.concatenate([borders, 0.5 * (borders[1:] + borders[:-1])]))
    half = np.interp(marks, length, fine)
    inner = np.arange(len(half)) % 2 == 1
    shorter = np.interp(marks, marks[inner], row.lengths)
    join = [np.concatenate([sign * side[:0:-1], side]) for sign, side in ((-1.0, half), (1, inner), (1.0, shorter))]
    return join[0].astype(float), join[1].astype(bool), join[2].astype(float)


def _tongue() -> tuple[Sites, Index, Index]:
    turn = 2 * np.pi * np.arange(_AROUND) / _AROUND
    rings = []
    for depth, half, top, bottom in _TONGUE:
        up, middle = 0.5 * (top - bottom), 0.5 * (top + bottom)
        groove = 0.16 * up * np.exp(-((np.sin(turn) / 0.3) ** 2)) * (np.cos(turn) > 0)
        high = middle + up * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.8 - groove
        rings.append(np.stack([half * np.sin(turn), high, np.full(_AROUND, depth)], axis=1))
    ends = np.array([_TONGUE_TIP, _TONGUE_END])
    return _tube(np.array(rings), ends, regions.TONGUE, (-np.arange(_AROUND)) % _AROUND, flipped=True, across=True)


def _tube(
    grid: Array, ends: Array, region: int, partner: Index, flipped: bool = False, across: bool = False
) -> tuple[Sites, Index, Index]:
    """Return a closed tube of rings (S, P, 3) with a point at either end.

    :param partner: the mirror of each ring, or (``across``) of each point of a ring.
    :param flipped: whether the rings run the other way around.
    """
    stations, points = grid.shape[:2]
    index = np.arange(stations * points).reshape(stations, points)
    first, last = np.full(points, stations * points), np.full(points, stations * points + 1)
    # The other half's squares are split along the mirrored diagonal.
    half = np.arange(points) >= points // 2
    turned = [half if across else np.full(points, 2 * k >= stations - 1) for k in range(stations - 1)]
    faces = [strip(index[k], index[k + 1], turned[k]) for k in range(stations - 1)]
    faces.append(np.stack([first, index[0], np.roll(index[0], -1)], axis=1))
    faces.append(np.stack([index[-1], last, np.roll(index[-1], -1)], axis=1))
    mirror = index[:, partner] if across else index[partner]
    tips = (first[0], last[0]) if across else (last[0], first[0])
    joined = np.concatenate(faces)
    places = _places(np.concatenate([grid.reshape(-1, 3), ends]), region)
    return places, joined[:, ::-1] if flipped else joined, np.append(mirror.ravel(), tips)


def _places(rest: Array, region: int) -> Sites:
    count = len(rest)
    far = np.full((2, 2, count), 9.0)
    return concatenate([Sites(rest, np.full(count, region, dtype=np.int8), np.zeros(count), far[0], far, far)])

"""The ears: folds that a fan of rays cannot reach, pulled out of the side of the head. Lengths are millimetres.

A patch of the head's side is mapped to polar coordinates. Its inner part becomes the ear's face (rim, groove, ridge and
bowl on a plate that stands off the head towards the back), its outer part the back of the ear, which runs in under the
plate and meets the head.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.synthetic.anatomy.chart import locate

Array = NDArray[np.float64]

#: Middle of the ear on the side of the head (left).
EAR_CENTRE = (72.0, 6.0, -16.0)
#: Half width behind the middle, half height, and half width before it, of the patch in the chart.
PATCH = (33.0, 38.0, 23.0)
#: Share of the patch that is the face of the ear.
_FACE = 0.68
#: Rings of vertices that the folds need, as shares of the patch; the fourth is the rim.
_RINGS = (0.34, 0.47, 0.585, _FACE, 0.785, 0.89, 1.0)
_RING_POINTS = 34
_AZIMUTH, _LEVEL = (float(k[0]) for k in locate(np.array([EAR_CENTRE])))
#: Middle of the plate, its turn away from the head and its lean to the back, radians.
_PLATE = np.array([79.0, 6.0, -15.0])
_TURN, _LEAN = np.deg2rad(24.0), np.deg2rad(12.0)


def patch_coordinates(azimuth: Array, level: Array) -> tuple[Array, Array]:
    """Return patch coordinates (back, up), 1 long at the patch's edge, of surface coordinates."""
    back = 70.0 * (azimuth - _AZIMUTH)
    return back / np.where(back > 0, PATCH[0], PATCH[2]), (_LEVEL - level) / PATCH[1]


def rings() -> list[tuple[float, float]]:
    """Return azimuth and level of the vertices on the ear's rings."""
    result = []
    for number, share in enumerate(_RINGS):
        for turn in 2.0 * np.pi * (np.arange(_RING_POINTS) + 0.5 * (number % 2)) / _RING_POINTS:
            width = PATCH[0] if np.cos(turn) > 0 else PATCH[2]
            azimuth = _AZIMUTH + share * width * np.cos(turn) / 70.0
            result.append((float(azimuth), float(_LEVEL - share * PATCH[1] * np.sin(turn))))
    return result


def pull(rest: Array, azimuth: Array, level: Array) -> Array:
    """Return the skin (N, 3) of the left half with the ear pulled out of it."""
    back, up = patch_coordinates(azimuth, level)
    radius, turn = np.hypot(back, up), np.arctan2(up, back)
    inside = radius < 1.0
    result = rest.copy()
    r, t, base = radius[inside], turn[inside], rest[inside]
    face = np.minimum(r / _FACE, 1.0)
    plate = _plate(face, t)
    edge = _plate(np.ones_like(t), t)
    # Under the plate the skin first runs towards the ear's root, then up its back to the rim.
    behind = np.clip((1.0 - r) / (1.0 - _FACE), 0.0, 1.0)[:, None]
    root = base + 0.55 * (np.array([70.0, 3.0, -8.0]) - base) * np.clip(np.cos(t), 0.0, 1.0)[:, None]
    back_side = (1 - behind) ** 2 * base + 2 * behind * (1 - behind) * root + behind**2 * edge
    result[inside] = np.where((r < _FACE + 1e-6)[:, None], plate, back_side)
    return result


def _plate(face: Array, turn: Array) -> Array:
    """Return points (N, 3) of the ear's face, for 0 (middle) to 1 (rim) along each direction of the plate."""
    c, s = np.cos(turn), np.sin(turn)
    wide = np.where(c > 0, 16.0 + 4.0 * s - 1.5 * s * s, 13.0 + 1.5 * s)
    back, up = face * wide * np.sign(c) * np.abs(c) ** 0.8, face * 31.0 * s
    out = _relief(face, turn, back, up)
    leaned_back, leaned_up = back + up * np.sin(_LEAN) * 0.9, up * np.cos(_LEAN)
    x = leaned_back * np.sin(_TURN) + out * np.cos(_TURN)
    z = -leaned_back * np.cos(_TURN) + out * np.sin(_TURN)
    return _PLATE + np.stack([x, leaned_up, z], axis=1)


def _relief(face: Array, turn: Array, back: Array, up: Array) -> Array:
    """Return how far the ear's face stands out of its plate: helix, groove, antihelix, bowl, tragus and lobe."""
    helix = _arc(turn, np.deg2rad(62.0), np.deg2rad(118.0))
    ridge = _arc(turn, np.deg2rad(10.0), np.deg2rad(75.0))
    lobe = _arc(turn, np.deg2rad(-85.0), np.deg2rad(40.0))
    out = 3.2 * helix * np.exp(-(((face - 0.92) / 0.10) ** 2))
    out -= 2.8 * helix * np.exp(-(((face - 0.74) / 0.10) ** 2))
    out += 2.6 * ridge * np.exp(-(((face - 0.54) / 0.11) ** 2))
    out -= 11.0 * np.exp(-(((back + 2.0) / 6.0) ** 2) - (((up + 2.5) / 8.5) ** 2))
    out -= 3.0 * np.exp(-(((back + 1.0) / 5.0) ** 2) - (((up - 12.0) / 6.0) ** 2))
    out += 3.0 * np.exp(-(((back + 9.5) / 3.5) ** 2) - (((up + 3.0) / 5.0) ** 2))
    out += 1.5 * lobe * np.exp(-(((face - 0.75) / 0.25) ** 2))
    front = np.clip(-np.cos(turn), 0.0, 1.0)
    return out - 4.0 * front * face**2


def _arc(turn: Array, middle: float, half: float) -> Array:
    """Return 1 around a direction, 0 beyond ``half`` plus a third of it, smooth between."""
    away = np.abs(np.angle(np.exp(1j * (turn - middle))))
    result: Array = 1.0 / (1.0 + np.exp((away - half) / 0.14))
    return result

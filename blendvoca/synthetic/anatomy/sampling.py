"""How densely the surface is sampled: the head of FLAME's size and the face-only mask. Lengths are millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.synthetic.anatomy.chart import LEVEL_END, locate
from blendvoca.synthetic.anatomy.ears import PATCH, patch_coordinates
from blendvoca.synthetic.anatomy.openings import EYE_RIM, LEFT_EYE, MOUTH, MOUTH_RIM

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sampling:
    """Spacing and ring counts of one sampling.

    :param face: spacing on the cheeks and the forehead.
    :param scalp: spacing on the scalp, whose outline shows.
    :param neck: spacing on the neck.
    :param fine: factor on the spacing near the features.
    :param mouth_rings: distances of the rings around the mouth from its rim, the rim itself left out.
    :param mouth_steps: points on the rim from the middle to landmark 63, and from there to the corner.
    :param eye_rings: as ``mouth_rings`` for each eye.
    :param eye_steps: points of an eye's rim per 60 degrees.
    :param outline: points of half the outer boundary per piece (mask), or of the half neck loop (head).
    :param whole_head: ears, back, neck, mouth bag, eye sockets and eyeballs, or the face only.
    """

    face: float
    scalp: float
    neck: float
    fine: float
    mouth_rings: tuple[float, ...]
    mouth_steps: tuple[int, int]
    eye_rings: tuple[float, ...]
    eye_steps: int
    outline: int
    whole_head: bool
    relaxations: int = 12

    def spacing(self, azimuth: Array, level: Array) -> Array:
        """Return the wanted edge length in millimetres at surface coordinates of the left half."""
        behind = _step(azimuth, 1.25, 2.1) if self.whole_head else 0.0 * azimuth
        away = np.maximum(behind, np.maximum(1.0 - _step(level, 35.0, 105.0), _step(level, 312.0, 352.0)))
        far = self.scalp + (self.neck - self.scalp) * _step(level, 190.0, 300.0)
        h = self.face + (far - self.face) * away
        for opening, rim, least in ((MOUTH, MOUTH_RIM, 2.3), (LEFT_EYE, EYE_RIM, 2.2)):
            ring, _ = opening.elliptic(*opening.to_chart(azimuth, level))
            h = np.minimum(h, self.fine * (least + 0.105 * opening.half * np.maximum(np.sinh(ring) - np.sinh(rim), 0)))
        h = np.minimum(h, self.fine * (2.3 + 0.13 * np.maximum(_nose_distance(azimuth, level) - 8.0, 0.0)))
        h = np.minimum(h, self.fine * (2.8 + 0.25 * _bridge_distance(azimuth, level)))
        h = np.minimum(h, self.fine * (1.9 + 0.2 * np.maximum(_nostril_distance(azimuth, level) - 7.0, 0.0)))
        if self.whole_head:
            beyond = np.maximum(np.hypot(*patch_coordinates(azimuth, level)) - 1.0, 0.0)
            h = np.minimum(h, 3.6 + 0.3 * PATCH[0] * beyond)
        return h


HEAD = Sampling(
    face=5.7, scalp=14.4, neck=19.0, fine=1.12, mouth_rings=(1.3, 2.8, 4.4, 6.0, 8.2), mouth_steps=(5, 7),
    eye_rings=(1.2, 2.6, 4.3, 6.4), eye_steps=6, outline=15, whole_head=True,
)  # fmt: skip
MASK = Sampling(
    face=5.65, scalp=5.9, neck=5.9, fine=1.3, mouth_rings=(2.8, 6.0), mouth_steps=(4, 5),
    eye_rings=(2.6, 5.8), eye_steps=4, outline=28, whole_head=False,
)  # fmt: skip


def _step(x: Array, low: float, high: float) -> Array:
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    result: Array = t * t * (3.0 - 2.0 * t)
    return result


#: Levels of the upper and the lower end of the nose's bridge.
_BRIDGE = locate(np.array([(0.0, 27.0, 90.0), (0.0, -14.0, 110.0)]))[1]
#: Azimuth and level of the left wing of the nose and of the left nostril.
_WING, _NOSTRIL = np.stack(locate(np.array([(7.0, -17.0, 100.0), (6.5, -22.2, 98.8)])), axis=1)


def _nose_distance(azimuth: Array, level: Array) -> Array:
    return np.hypot(95.0 * (azimuth - _WING[0]), level - _WING[1])


def _bridge_distance(azimuth: Array, level: Array) -> Array:
    along = level - np.clip(level, *_BRIDGE)
    return np.hypot(np.maximum(95.0 * azimuth - 8.0, 0.0), along)


def _nostril_distance(azimuth: Array, level: Array) -> Array:
    return np.hypot(100.0 * (azimuth - _NOSTRIL[0]), 1.4 * (level - _NOSTRIL[1]))


def log_radius(level: Array) -> Array:
    """Return the logarithm of the plane's radius for a level: equal steps on the surface and in the plane there."""
    table = np.linspace(0.0, LEVEL_END, 1500)
    girth = np.where(table < 240, 85.0, 85.0 - 33.0 * _step(table, 240.0, 330.0))
    rate = 1.0 / (girth * (1.0 - np.exp(-np.maximum(table, 1e-3) / girth)))
    start = 20
    total = np.concatenate([[0.0], np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(table))])
    total = total - total[start] + np.log(table[start])
    result: Array = np.interp(level, table[start:], total[start:])
    small = np.log(np.maximum(level, 1e-9))
    return np.where(level < table[start], small, result)

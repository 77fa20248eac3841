"""Coordinates around the openings of the face: the mouth and the two eyes. Lengths are millimetres.

Each opening has confocal elliptic coordinates ``(ring, angle)`` about the segment between its corners. The ring tells
how far outside the opening a point lies, the angle where along it: 0 at the corner on the left (for an eye: the outer
corner), π/2 at the middle of the upper lid or lip, negative on the lower one. They are smooth on the skin that is cut
along the segment, so a field written in them distinguishes the upper from the lower lip by the side of the surface.

The mesh is laid out with every opening as wide as the ellipse ``rim``; :func:`settle` then brings the layout to the
face at rest: the mouth closed, the lids in their almond.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.synthetic.anatomy import sculpture
from blendvoca.synthetic.anatomy.chart import locate

Array = NDArray[np.float64]

#: Ring of the mouth's rim in the layout: an ellipse 5 mm high on either side.
MOUTH_HALF = 26.5
MOUTH_RIM = float(np.arcsinh(5.0 / MOUTH_HALF))
#: Half the gap between the lips at rest, in millimetres of the chart.
LIP_GAP = 0.2
EYE_HALF = 13.6
EYE_RIM = float(np.arcsinh(5.4 / EYE_HALF))
#: Height of the upper and depth of the lower lid's rim over the line between the corners, at rest.
LID_UP, LID_DOWN = 4.9, 4.5


@dataclass(frozen=True)
class Opening:
    """A local chart and its elliptic coordinates: ``x = scale·(azimuth − centre)``, ``y`` up from the corner line."""

    half: float
    centre_azimuth: float
    azimuth_scale: float
    level_scale: float
    line: tuple[float, float, float, float]

    def to_chart(self, azimuth: Array, level: Array) -> tuple[Array, Array]:
        """Return local millimetres (x, y) of layout coordinates."""
        x = self.azimuth_scale * (azimuth - self.centre_azimuth)
        return x, self.level_scale * (self._line(x) - level)

    def from_chart(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return azimuth and level of local millimetres: the inverse of :meth:`to_chart`."""
        return x / self.azimuth_scale + self.centre_azimuth, self._line(x) - y / self.level_scale

    def _line(self, x: Array) -> Array:
        c0, c1, c2, c4 = self.line
        t = self.half * np.tanh(x / self.half)
        return c0 + c1 * t + c2 * t**2 + c4 * t**4

    def elliptic(self, x: Array, y: Array) -> tuple[Array, Array]:
        """Return (ring, angle) of local millimetres."""
        # A point on the segment itself belongs to the upper side.
        z = np.arccosh((x + 1j * np.where(y == 0.0, 1e-12, y)) / self.half)
        return z.real, z.imag

    def local(self, ring: Array, angle: Array) -> tuple[Array, Array]:
        """Return local millimetres (x, y) of elliptic coordinates."""
        return self.half * np.cosh(ring) * np.cos(angle), self.half * np.sinh(ring) * np.sin(angle)


def _mouth() -> Opening:
    """Return the chart of the mouth, fitted to the sculpted mouth line."""
    azimuth, level = locate(np.array(sculpture.MOUTH_LINE))
    scale = MOUTH_HALF / azimuth[-1]
    t = MOUTH_HALF * np.tanh(scale * azimuth / MOUTH_HALF)
    square = np.polynomial.polynomial.polyfit(t**2, level, 2)
    return Opening(MOUTH_HALF, 0.0, scale, 1.0, (float(square[0]), 0.0, float(square[1]), float(square[2])))


def _left_eye() -> Opening:
    """Return the chart of the left eye, scaled to the eyeball; the outer corner stands 1.5 mm above the inner one."""
    x, y, z = sculpture.EYE_CENTRE
    probes = [(x - 12, y - 0.8, z + 7), (x + 12, y + 0.8, z + 7), (x, y + 6, z + 12.5), (x, y - 6, z + 12.5)]
    azimuth, level = locate(np.array(probes))
    scale = 24.0 / (azimuth[1] - azimuth[0])
    slope = (level[1] - level[0]) / 24.0
    centre = float(0.5 * (azimuth[0] + azimuth[1]))
    down = 12.0 / float(level[3] - level[2])
    return Opening(EYE_HALF, centre, float(scale), down, (float(0.5 * (level[2] + level[3])), float(slope), 0.0, 0.0))


#: The charts of the mouth and of the left eye.
MOUTH = _mouth()
LEFT_EYE = _left_eye()


def settle(azimuth: Array, level: Array) -> tuple[Array, Array]:
    """Bring layout coordinates of the left half (azimuth ≥ 0) to the face at rest: lips closed, lids almond."""
    azimuth, level = _settle_mouth(azimuth, level)
    return _settle_eye(azimuth, level)


def _settle_mouth(azimuth: Array, level: Array) -> tuple[Array, Array]:
    opening = MOUTH
    x, y = opening.to_chart(azimuth, level)
    ring, angle = opening.elliptic(x, y)
    closed = np.arcsinh(LIP_GAP / MOUTH_HALF)
    near = np.exp(-(((ring - MOUTH_RIM) / 0.36) ** 2))
    new_x, new_y = opening.local(ring - (MOUTH_RIM - closed) * near, angle)
    moved = opening.from_chart(new_x, new_y)
    return np.where(near > 1e-9, moved[0], azimuth), np.where(near > 1e-9, moved[1], level)


def _settle_eye(azimuth: Array, level: Array) -> tuple[Array, Array]:
    opening = LEFT_EYE
    x, y = opening.to_chart(azimuth, level)
    ring, angle = opening.elliptic(x, y)
    near = np.exp(-(((ring - EYE_RIM) / 0.5) ** 2))
    new_x = x * (1.0 + (1.0 / np.cosh(EYE_RIM) - 1.0) * near)
    new_y = y + (lid_height(angle) - EYE_HALF * np.sinh(EYE_RIM) * np.sin(angle)) * near
    moved = opening.from_chart(new_x, new_y)
    return np.where(near > 1e-9, moved[0], azimuth), np.where(near > 1e-9, moved[1], level)


def lid_height(angle: Array) -> Array:
    """Return the height of the lids' rim over the corner line at rest, millimetres; pointed at the corners."""
    s = np.sin(angle)
    result: Array = np.where(s > 0, LID_UP, -LID_DOWN) * lid_shape(s)
    return result


def lid_shape(sine: Array) -> Array:
    """Return the lids' profile (0 at the corners, 1 in the middle) for the sine of the angle about the eye."""
    result: Array = np.abs(sine) ** 1.4
    return result

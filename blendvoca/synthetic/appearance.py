"""Colours of the synthetic head, so that a picture of it reads as a face: lips, brows, iris, inside of the mouth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.synthetic import markers, nostrils, sculpture
from blendvoca.synthetic.openings import MOUTH_RIM
from blendvoca.synthetic.sites import LEFT_EYEBALL, LOWER_TEETH, MOUTH_BAG, RIGHT_EYEBALL, TONGUE, UPPER_TEETH, Sites
from blendvoca.synthetic.teeth import is_enamel

Array = NDArray[np.float64]

SKIN_COLOUR = (0.84, 0.65, 0.55)
LIP_COLOUR = (0.74, 0.40, 0.37)
BROW_COLOUR = (0.36, 0.26, 0.21)
TOOTH_COLOUR, GUM_COLOUR, TONGUE_COLOUR = (0.93, 0.90, 0.83), (0.66, 0.34, 0.33), (0.68, 0.36, 0.36)


def colours(sites: Sites) -> Array:
    """Return linear RGB (N, 3) in [0, 1] for places on the canonical head."""
    result = np.tile(np.array(SKIN_COLOUR), (len(sites.rest), 1))
    _mix(result, _brows(sites.rest), BROW_COLOUR)
    _mix(result, _cheeks(sites.rest), (0.86, 0.55, 0.47))
    _mix(result, nostrils.depth(sites.rest), (0.24, 0.12, 0.10))
    _mix(result, _lips(sites), LIP_COLOUR)
    bag = sites.region == MOUTH_BAG
    result[bag] = np.array(LIP_COLOUR) * (1.0 - 0.8 * np.minimum(2.0 * sites.depth[bag], 1.0))[:, None]
    for row in (UPPER_TEETH, LOWER_TEETH):
        teeth = np.flatnonzero(sites.region == row)
        enamel = is_enamel(len(teeth))
        result[teeth[enamel]], result[teeth[~enamel]] = TOOTH_COLOUR, GUM_COLOUR
    result[sites.region == TONGUE] = TONGUE_COLOUR
    for region, side in ((LEFT_EYEBALL, 1.0), (RIGHT_EYEBALL, -1.0)):
        ball = sites.region == region
        result[ball] = _eye(sites.rest[ball] - np.array(sculpture.EYE_CENTRE) * [side, 1.0, 1.0])
    return result


def _mix(colour: Array, weight: Array, other: tuple[float, float, float]) -> None:
    colour += weight[:, None] * (np.array(other) - colour)


def _lips(sites: Sites) -> Array:
    """Return how red a place is: the lips end a little above landmark 51 and below 57, and at the corners."""
    ring, angle = sites.mouth
    height = 26.5 * np.sinh(ring) - 26.5 * np.sinh(MOUTH_RIM)
    edge = np.where(np.sin(angle) > 0, 4.6, 5.8) * np.abs(np.sin(angle)) ** 0.35 + 0.2
    # Cupid's bow: two peaks under the columns of the philtrum, a dip between them.
    x = np.abs(sites.rest[:, 0])
    bow = 0.7 * np.exp(-(((x - 5.0) / 2.6) ** 2)) - 0.9 * np.exp(-((x / 2.4) ** 2))
    edge += np.where(np.sin(angle) > 0, bow, 0.0)
    result: Array = 1.0 / (1.0 + np.exp(np.minimum((height - edge) / 0.45, 60.0)))
    return result * (sites.region <= MOUTH_BAG)


def _brows(rest: Array) -> Array:
    x, y = np.abs(rest[:, 0]), rest[:, 1]
    line = np.array(markers.BROW_LINE)
    middle = np.interp(x, line[:, 0], line[:, 1])
    half = np.interp(x, line[:, 0], markers.BROW_HALF)
    inside = (x > line[0, 0] - 0.5) & (x < line[-1, 0] + 1.5) & (rest[:, 2] > 40)
    away = np.minimum((np.abs(y - middle) - half) / 0.35 - 1.0, 60.0)
    ends = np.clip((x - line[0, 0] + 0.5) / 3.0, 0.0, 1.0)
    result: Array = 0.8 * inside * ends / (1.0 + np.exp(away))
    return result


def _cheeks(rest: Array) -> Array:
    p = rest.copy()
    p[:, 0] = np.abs(p[:, 0])
    result: Array = 0.35 * np.exp(-(((p - [42, -6, 64]) / [16, 16, 24]) ** 2).sum(axis=1))
    return result


def _eye(offset: Array) -> Array:
    away = np.degrees(np.arccos(np.clip(offset[:, 2] / np.linalg.norm(offset, axis=1), -1.0, 1.0)))
    white, iris, pupil = (0.95, 0.94, 0.92), (0.30, 0.42, 0.46), (0.03, 0.03, 0.03)
    return np.where((away < 11)[:, None], pupil, np.where((away < 28.5)[:, None], iris, white))

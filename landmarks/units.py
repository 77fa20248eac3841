"""The unit of a mesh, guessed from the size of the face its landmarks outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import ConfigurationError, LandmarkError
from blendvoca.ibug68 import INNER
from landmarks.prototype import PROTOTYPE

#: Metres in one unit.
UNITS: dict[str, float] = {"m": 1.0, "dm": 0.1, "cm": 0.01, "in": 0.0254, "mm": 0.001}


@dataclass(frozen=True)
class Unit:
    """A unit of length: its name, how many metres it has, and what the choice rests on."""

    name: str
    metres: float
    reason: str


def face_size(points: NDArray[np.float64]) -> float:
    """Return the size of a face (68, 3) relative to an adult's in metres: 1 in metres, 100 in centimetres.

    It is the ratio of the spreads of the 51 inner points, so it does not depend on where the contour was put.
    """
    centred = points[INNER] - points[INNER].mean(axis=0)
    plain = PROTOTYPE[INNER] - PROTOTYPE[INNER].mean(axis=0)
    return float(np.sqrt((centred**2).sum() / (plain**2).sum()))


def guess_unit(points: NDArray[np.float64]) -> Unit:
    """Guess the unit of landmark positions (68, 3).

    A face between half and twice an adult's size in metres, centimetres or millimetres is taken to be in that unit; any
    other size is taken to be of a free unit, chosen so that the face is an adult's.

    :raises LandmarkError: if all points fall together.
    """
    size = face_size(points)
    if not size > 1e-12:
        raise LandmarkError("the landmarks fall together", expected="68 different places")
    for name in ("m", "cm", "mm"):
        if 0.5 <= size * UNITS[name] <= 2.0:
            return Unit(name, UNITS[name], f"the face is {100 * size * UNITS[name]:.0f} % of an adult's in {name}")
    return Unit("free", 1.0 / size, f"no usual unit gives a face of human size; scaled by {1.0 / size:.4g}")


def unit_named(name: str, points: NDArray[np.float64]) -> Unit:
    """Return the unit of that name, or the guess for ``auto``.

    :raises ConfigurationError: for an unknown name.
    """
    if name == "auto":
        return guess_unit(points)
    if name not in UNITS:
        raise ConfigurationError(f"unknown unit {name!r}", expected=["auto", *UNITS])
    return Unit(name, UNITS[name], "as stated")

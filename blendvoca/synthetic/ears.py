"""The ears: folds that a fan of rays cannot reach, pulled out of the side of the head. Lengths are millimetres."""

from __future__ import annotations

#: Where the ear sits on the side of the head (left).
EAR_CENTRE = (72.0, 4.0, -12.0)
#: Radius of its patch in the chart.
EAR_RADIUS = 25.0
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def pull(rest: Array, azimuth: Array, level: Array) -> Array:
    """Return the skin (N, 3) of the left half with the ear pulled out of it."""
    return rest

"""What makes a speaker: a smooth deformation of space applied to the average head. Lengths are millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Identity:
    """Parameters of a speaker in units of standard deviations; all zero is the average head."""

    size: float = 0.0


def shape_identity(identity: Identity, points: Array) -> Array:
    """Return canonical points (N, 3) as they lie in this speaker's head."""
    return points * (1.0 + 0.03 * identity.size)

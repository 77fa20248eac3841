"""What a track does that no face can: leave [0, 1], or jump."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.fit.settings import DEFAULT_RATE_LIMIT
from blendvoca.speakers import VOCASET_FPS
from blendvoca.track import RANGE_TOLERANCE


@dataclass(frozen=True)
class Violations:
    """Shares of coefficients.

    :param range: outside [0, 1].
    :param rate: of steps between frames above the limit.
    :param largest_step: between two frames.
    """

    range: float
    rate: float
    largest_step: float


def violations(values: NDArray[np.floating], fps: float, limit: float = DEFAULT_RATE_LIMIT) -> Violations:
    """Return the violations of coefficients (T, K) before they are clipped.

    :param limit: largest admitted step at 60 fps; at another rate it is as much a second.
    """
    allowed = limit * VOCASET_FPS / fps
    steps = np.abs(np.diff(values, axis=0))
    outside = (values < -RANGE_TOLERANCE) | (values > 1 + RANGE_TOLERANCE)
    fast = float((steps > allowed + 1e-9).mean()) if steps.size else 0.0
    return Violations(float(outside.mean()), fast, float(steps.max(initial=0.0)))

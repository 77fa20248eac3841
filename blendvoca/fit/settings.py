"""Settings of the fit; light to import, since command lines show their defaults."""

from __future__ import annotations

import math
from dataclasses import dataclass

from blendvoca.errors import ConfigurationError

#: δ of the paper (4.1.2): the largest step of a coefficient between frames at 60 frames a second.
DEFAULT_RATE_LIMIT = 0.1


@dataclass(frozen=True)
class FitSettings:
    """How to fit; the defaults are the paper's problem.

    :param rate_limit: δ, largest step of a coefficient between frames; infinity switches it off.
    :param ridge: weight of ‖u‖², relative to the mean diagonal of BᵀB; 0 is the paper's problem.
    :param block: frames read at a time.
    :param keep_bytes: memory in which frames are kept for the error figures; more are read a second time.
    :raises ConfigurationError: for values out of range.
    """

    rate_limit: float = DEFAULT_RATE_LIMIT
    ridge: float = 0.0
    block: int = 32
    keep_bytes: int = 128 * 2**20

    def __post_init__(self) -> None:
        if not self.rate_limit > 0:
            raise ConfigurationError("wrong rate limit", expected="δ > 0 or infinity", found=self.rate_limit)
        if not (math.isfinite(self.ridge) and self.ridge >= 0):
            raise ConfigurationError("wrong ridge", expected="a number ≥ 0", found=self.ridge)
        if self.block < 1 or self.keep_bytes < 0:
            raise ConfigurationError("wrong block or budget", found=(self.block, self.keep_bytes))

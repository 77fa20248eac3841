"""Figures of many distances in little memory: mean and maximum exactly, percentiles from a logarithmic histogram."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Bits of a float32 that a bucket spans: 8 of exponent and 9 of mantissa remain, so buckets are 0.2 % wide.
_SHIFT = 14
_BUCKETS = 1 << (31 - _SHIFT)


class DistanceFigures:
    """Collects non-negative distances block by block; the memory is 1 MiB whatever their number."""

    def __init__(self) -> None:
        self.count, self._sum, self._max = 0, 0.0, 0.0
        self._histogram = np.zeros(_BUCKETS, dtype=np.int64)

    def add(self, distances: NDArray[np.float32]) -> None:
        """Count some more distances, of any shape."""
        flat = np.ascontiguousarray(distances, dtype=np.float32).reshape(-1)
        if flat.size == 0:
            return
        self.count += flat.size
        self._sum += float(flat.sum(dtype=np.float64))
        self._max = max(self._max, float(flat.max()))
        # The bits of non-negative floats order as the floats do.
        self._histogram += np.bincount(flat.view(np.int32) >> _SHIFT, minlength=_BUCKETS)

    @property
    def mean(self) -> float:
        """The mean; NaN of nothing."""
        return self._sum / self.count if self.count else float("nan")

    @property
    def maximum(self) -> float:
        """The maximum; NaN of nothing."""
        return self._max if self.count else float("nan")

    def percentile(self, share: float) -> float:
        """Return the percentile ``share`` (0 to 100) to 0.2 %: the upper edge of its bucket; NaN of nothing."""
        if not self.count:
            return float("nan")
        rank = int(np.ceil(share / 100.0 * self.count))
        bucket = int(np.searchsorted(np.cumsum(self._histogram), max(rank, 1)))
        upper = np.array([(bucket + 1) << _SHIFT], dtype=np.int32).view(np.float32)[0]
        return min(float(upper), self._max)

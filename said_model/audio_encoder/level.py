"""The level of sound: encoders take waveforms of zero mean and unit variance."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

#: Keeps silence at zero; the value that wav2vec 2.0 was trained with.
VARIANCE_FLOOR = 1e-7
#: Samples that are worked on at a time: hours of sound are not held twice in double precision.
_BLOCK = 1 << 22


@dataclass
class Level:
    """Mean and variance of all samples so far, summed in double precision."""

    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def update(self, samples: Tensor) -> None:
        """Take in more samples.

        :param samples: (S,) in any unit.
        """
        self.count += len(samples)
        for part in samples.split(_BLOCK):
            wide = part.double()
            self.total += float(wide.sum())
            self.squares += float(wide.square().sum())

    def normalise(self, samples: Tensor) -> Tensor:
        """Return samples (S,) brought to the zero mean and unit variance of the samples so far; silence stays silence.

        :param samples: (S,) in the unit of those so far.
        """
        mean, scale = self._mean_and_scale()
        return torch.cat([((part.double() - mean) / scale).float() for part in samples.split(_BLOCK)])

    def restore(self, samples: Tensor) -> Tensor:
        """Return normalised samples (S,) in the unit of those so far, in double precision."""
        mean, scale = self._mean_and_scale()
        return samples.double() * scale + mean

    def _mean_and_scale(self) -> tuple[float, float]:
        mean = self.total / self.count
        return mean, (max(self.squares / self.count - mean**2, 0.0) + VARIANCE_FLOOR) ** 0.5


def normalise(samples: Tensor) -> Tensor:
    """Bring waveforms to zero mean and unit variance, each by itself; silence stays silence.

    :param samples: (S,) or (B, S) in any unit.
    :returns: float32 of the same shape.
    """
    if samples.ndim > 1:
        return torch.stack([normalise(row) for row in samples])
    level = Level()
    level.update(samples)
    return level.normalise(samples)

"""Waveforms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import AudioError

#: Sample rates in Hz that speech is recorded at; anything outside is a unit error.
MIN_RATE, MAX_RATE = 1_000, 384_000

#: Full scale of floats that count in integers' units: 16, 24 and 32 bits.
_UNITS = (2.0**15, 2.0**23, 2.0**31)


def full_scale(peak: float, whole: bool) -> float:
    """Return what full scale is in float samples: 1, or that of the integers that some tool turned into floats.

    Floats above 1 are hot recordings as long as they stay below 100 and are not all whole numbers.

    :param peak: the largest magnitude.
    :param whole: whether all samples are whole numbers.
    """
    if peak <= 2.0 or (peak <= 100.0 and not whole):
        return 1.0
    return next((unit for unit in _UNITS if peak <= 1.05 * unit), _UNITS[-1])


@dataclass(frozen=True, eq=False)
class Waveform:
    """Mono sound.

    :param samples: (S,) amplitudes, full scale ±1; stored as read-only float32.
    :param rate: samples per second.
    :raises AudioError: for a wrong shape, values that are not finite, or a rate that is none.
    """

    samples: NDArray[np.float32]
    rate: int

    def __post_init__(self) -> None:
        samples = np.array(self.samples, dtype=np.float32)
        if samples.ndim != 1 or samples.size == 0:
            raise AudioError("a waveform is mono", expected="(S,) samples, S > 0", found=samples.shape)
        if not np.isfinite(samples).all():
            raise AudioError("samples are not finite", found=f"sample {int(np.argmin(np.isfinite(samples)))}")
        if int(self.rate) != self.rate or not MIN_RATE <= self.rate <= MAX_RATE:
            raise AudioError("wrong sample rate", expected=f"{MIN_RATE} to {MAX_RATE} Hz", found=self.rate)
        samples.setflags(write=False)
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "rate", int(self.rate))

    def __len__(self) -> int:
        return len(self.samples)

    def __repr__(self) -> str:
        return f"Waveform({self.duration:.2f} s, {self.rate} Hz)"

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self) / self.rate

    def resampled(self, rate: int) -> Waveform:
        """Return the sound at another rate (soxr, high quality).

        :param rate: samples per second.
        :raises AudioError: for a rate that is none.
        """
        if not MIN_RATE <= rate <= MAX_RATE:
            raise AudioError("wrong sample rate", expected=f"{MIN_RATE} to {MAX_RATE} Hz", found=rate)
        if rate == self.rate:
            return self
        import soxr

        return Waveform(soxr.resample(self.samples, self.rate, rate), rate)

    def to_int16(self) -> NDArray[np.int16]:
        """Return the samples as 16-bit integers, clipped at full scale."""
        return np.clip(np.rint(self.samples * 32768.0), -32768, 32767).astype(np.int16)

    @classmethod
    def from_int16(cls, samples: NDArray[np.int16], rate: int) -> Waveform:
        """Make a waveform of 16-bit integers (S,).

        :param samples: (S,) 16-bit amplitudes.
        :param rate: samples per second.
        """
        return cls(samples.astype(np.float32) / 32768.0, rate)

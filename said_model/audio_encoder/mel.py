"""The mel scale, 2595 log10(1 + f / 700), and how log-mel spectra are scaled."""

from __future__ import annotations

import torch
from torch import Tensor

#: Lowest and highest frequency of the bands in Hz.
LOW, HIGH = 60.0, 7600.0
#: A spectrum is the natural logarithm of the power over this.
SCALE = 4.0
#: Power that is added to every band, where white noise of unit variance has 1e2; and that under learned convolutions:
#: what lies deeper, 33 dB under such noise, tells rooms and recordings apart rather than sounds.
FLOOR, STACK_FLOOR = 1e-3, 0.05


def to_mel(hertz: Tensor) -> Tensor:
    """Return where frequencies in Hz lie on the scale."""
    return 2595.0 * torch.log10(1.0 + hertz / 700.0)


def to_hertz(places: Tensor) -> Tensor:
    """Return the frequencies in Hz at places on the scale."""
    return 700.0 * (10.0 ** (places / 2595.0) - 1.0)


def band_edges(bands: int, low: float = LOW, high: float = HIGH) -> Tensor:
    """Return ``bands + 2`` places, equally spaced on the scale: the centres of bands, and an edge on either side.

    On the CPU whatever device a network is built on, in double precision.
    """
    first, last = to_mel(torch.tensor([low, high], dtype=torch.float64, device="cpu")).tolist()
    return torch.linspace(first, last, bands + 2, dtype=torch.float64, device="cpu")


def band_centres(bands: int, low: float = LOW, high: float = HIGH) -> Tensor:
    """Return the centres of ``bands`` bands on the scale."""
    return band_edges(bands, low, high)[1:-1]

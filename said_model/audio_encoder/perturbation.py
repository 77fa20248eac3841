"""Other speakers, rooms and microphones, drawn anew at every training step on log-mel spectra.

:mod:`said_model.training.acoustics` changes the sound itself, exactly, into a few views of each clip that are computed
once. What is here is rougher, costs a hundredth, and never comes twice the same.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from said_model.audio_encoder.mel import FLOOR, SCALE, to_hertz, to_mel

#: Power of white noise of unit variance in the lowest bands.
UNIT = 1e2
#: Largest change of the vocal tract's length, and how many lengths there are.
LARGEST_WARP, WARPS = 0.22, 23
#: Share of rooms; seconds in which reverberation falls by 60 dB; decibels of the direct sound over it.
ROOMS, DECAYS, DIRECT = 0.5, (0.12, 0.9), (-2.0, 18.0)
#: Share of noise; decibels under the speech; decibels an octave that it falls by (in mel bands, where white noise rises
#: by up to 3); spread of its power (natural logarithm).
NOISES, RATIOS, SLOPES, RIPPLE = 0.6, (5.0, 60.0), (-4.0, 6.0), 0.45
#: Decibels an octave of a microphone's tilt, either way; decibels and octaves of its peaks and dips, and their number.
TILT, PEAK, WIDTHS, PEAKS = 4.0, 7.0, (0.3, 1.2), 3
#: Level (natural logarithm of the power over :data:`SCALE`).
LEVELS = (-0.45, 0.25)
#: Most missing bands; most missing frames, and how often some are.
MOST_BANDS, MOST_FRAMES, GAPS = 12, 7, 2


class SpectraPerturbation(nn.Module):
    """Changes log-mel spectra as another vocal tract, a room, noise, a microphone and gaps would.

    Vocal tracts are as in Jaitly and Hinton, "Vocal tract length perturbation" (2013); missing bands and frames as in
    SpecAugment (Park et al. 2019).

    :param centres: (bands,) of the bands on the mel scale, equally spaced.
    :param rate: spectra a second.
    :param floor: power that was added to the spectra.
    """

    warps: Tensor
    octaves: Tensor

    def __init__(self, centres: Tensor, rate: float = 60.0, floor: float = FLOOR) -> None:
        super().__init__()
        self.rate, self.floor, self.silent = rate, floor, math.log(floor) / SCALE
        factors = torch.linspace(1 - LARGEST_WARP, 1 + LARGEST_WARP, WARPS, device="cpu").tolist()
        self.register_buffer("warps", torch.stack([warp(centres, f) for f in factors]), persistent=False)
        octaves = torch.log2(to_hertz(centres) / 1000.0).clamp(-3, 3).float()
        self.register_buffer("octaves", octaves, persistent=False)

    def forward(self, spectra: Tensor) -> Tensor:
        """(B, N, bands) to (B, N, bands)."""
        chosen = self.warps[torch.randint(len(self.warps), (len(spectra),), device=spectra.device)]
        power = ((spectra @ chosen.transpose(1, 2) * SCALE).exp() - self.floor).clamp(min=0.0)
        noisy = self._noise(self._room(power))
        recorded = ((noisy + self.floor).log() / SCALE + self._microphone(noisy)).clamp(min=self.silent)
        return _with_gaps(recorded)

    def _room(self, power: Tensor) -> Tensor:
        """Add to each spectrum what is left of those before it; half the clips stay dry."""
        count, frames, _ = power.shape
        left = 10.0 ** (-6.0 / (self.rate * _uniform(power, *DECAYS, count, 1, 1)))
        share = (1.0 - left) * 10.0 ** (-_uniform(power, *DIRECT, count, 1, 1) / 10.0)
        share = share * (_uniform(power, 0.0, 1.0, count, 1, 1) < ROOMS)
        ago = torch.arange(frames, device=power.device)
        ago = ago[:, None] - ago
        tail = torch.where(ago > 0, share * left ** ago.clamp(min=0), 0.0)
        return power + tail @ power

    def _noise(self, power: Tensor) -> Tensor:
        """Add steady noise of a level and colour."""
        count = len(power)
        loud = -_uniform(power, *RATIOS, count, 1, 1) - _uniform(power, *SLOPES, count, 1, 1) * self.octaves
        ripple = (RIPPLE * torch.randn_like(power)).exp()
        present = _uniform(power, 0.0, 1.0, count, 1, 1) < NOISES
        return power + present * UNIT * 10.0 ** (loud / 10.0) * ripple

    def _microphone(self, power: Tensor) -> Tensor:
        """Return what a frequency response and a level add to log-mel spectra: (B, 1, bands)."""
        count = len(power)
        decibels = _uniform(power, -TILT, TILT, count, 1, 1) * self.octaves
        for _ in range(PEAKS):
            centre, width = _uniform(power, -3.0, 3.0, count, 1, 1), _uniform(power, *WIDTHS, count, 1, 1)
            height = _uniform(power, -PEAK, PEAK, count, 1, 1)
            decibels = decibels + height * (-0.5 * ((self.octaves - centre) / width) ** 2).exp()
        return decibels * (math.log(10.0) / 10.0 / SCALE) + _uniform(power, *LEVELS, count, 1, 1)


def _with_gaps(spectra: Tensor) -> Tensor:
    """Put a clip's mean in place of some bands, and of some frames."""
    count, frames, bands = spectra.shape
    missing = _span(spectra, count, bands, MOST_BANDS)[:, None]
    for _ in range(GAPS):
        missing = missing | _span(spectra, count, frames, MOST_FRAMES)[..., None]
    return torch.where(missing, spectra.mean((1, 2), keepdim=True), spectra)


def _span(like: Tensor, count: int, places: int, most: int) -> Tensor:
    """Return (count, places), true at up to ``most`` places one after the other."""
    place = torch.arange(places, device=like.device)
    first = torch.randint(places, (count, 1), device=like.device)
    width = torch.randint(most + 1, (count, 1), device=like.device)
    return (place >= first) & (place < first + width)


def _uniform(like: Tensor, low: float, high: float, *shape: int) -> Tensor:
    return torch.empty(shape, device=like.device, dtype=like.dtype).uniform_(low, high)


def warp(centres: Tensor, factor: float) -> Tensor:
    """Return the matrix (bands, bands) that moves spectra from frequency f to f / factor.

    :param centres: (bands,) of the bands on the mel scale, equally spaced.
    """
    bands = len(centres)
    source = ((to_mel(to_hertz(centres) * factor) - centres[0]) / (centres[1] - centres[0])).clamp(0, bands - 1)
    away = (source[:, None] - torch.arange(bands, device=centres.device)).abs()
    return (1.0 - away).clamp(min=0.0).float()

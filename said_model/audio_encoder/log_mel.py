"""Log-mel patches: a speech encoder without weights, for use where none can be downloaded.

Around each moment the log-mel spectrum of the last and next tenths of a second is kept, its course in time compressed
by a cosine transform. Nothing is learned here; the denoiser's key and value projections learn from it.

With a stack (:mod:`said_model.audio_encoder.stack`) the spectra go through convolutions instead, which
:mod:`said_model.training.tasks.stack` trains; their weights are stored with the checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from blendvoca.internal.names import shown
from said_model.audio_encoder.base import AudioEncoder
from said_model.audio_encoder.mel import FLOOR, HIGH, LOW, SCALE, band_centres, band_edges, to_hertz
from said_model.audio_encoder.stack import Stack, StackSettings
from said_model.config import SAMPLE_RATE
from said_model.ranges import build, require, require_integer, require_number

#: Samples of the Fourier transform; windows are no longer.
SPECTRUM = 512
#: Where tables are made, whatever device a network is built on (:func:`said_model.checkpoints.outline.outline`).
HOST = "cpu"


@dataclass(frozen=True)
class LogMelSettings:
    """Spectrum and patch.

    :param bands: mel bands from ``low`` to ``high`` Hz.
    :param window: samples of a spectrum.
    :param hop: samples between spectra.
    :param floor: power that is added to every band, where white noise of unit variance has 1e2.
    :param reach: spectra before and after that a patch spans.
    :param orders: cosine coefficients kept of each band's course.
    :param stack: learned convolutions in place of patches.
    """

    bands: int = 64
    low: float = LOW
    high: float = HIGH
    window: int = 400
    hop: int = 160
    reach: int = 16
    orders: int = 8
    stack: StackSettings | None = None
    floor: float = FLOOR

    def __post_init__(self) -> None:
        if isinstance(self.stack, Mapping):
            object.__setattr__(self, "stack", build(StackSettings, self.stack))
        wrong = not isinstance(self.stack, StackSettings | None)
        require(not wrong, "wrong stack", "names with values", shown(self.stack))
        require_integer(self.bands, "number of mel bands", 1 if self.stack is None else 2, 512)
        require_number(self.low, "lowest frequency in Hz", 0, SAMPLE_RATE / 2)
        require_number(self.high, "highest frequency in Hz", 0, SAMPLE_RATE / 2)
        require(self.low < self.high, "wrong frequencies", "a lowest below the highest", (self.low, self.high))
        require_integer(self.window, "window in samples", 16, SPECTRUM)
        require_integer(self.hop, "hop in samples", 16, 16 * SPECTRUM)
        require_integer(self.reach, "reach in spectra", 1, 1000)
        require_integer(self.orders, "number of cosines", 1, 2 * self.reach + 1)
        require_number(self.floor, "floor of the power", FLOOR, 1e2)


def mel_filters(settings: LogMelSettings) -> Tensor:
    """Return triangular filters (bands, window // 2 + 1), equally spaced on the mel scale."""
    edges = to_hertz(band_edges(settings.bands, settings.low, settings.high))
    bins = torch.linspace(0, SAMPLE_RATE / 2, SPECTRUM // 2 + 1, dtype=torch.float64, device=HOST)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return torch.minimum(rising, falling).clamp(min=0.0).float()


def cosine_basis(length: int, orders: int) -> Tensor:
    """Return the first orthonormal cosines (DCT-II) over ``length`` places: (orders, length)."""
    place = (torch.arange(length, dtype=torch.float64, device=HOST) + 0.5) * math.pi / length
    basis = torch.cos(torch.arange(orders, dtype=torch.float64, device=HOST)[:, None] * place) * math.sqrt(2.0 / length)
    basis[0] /= math.sqrt(2.0)
    return basis.float()


class LogMelEncoder(AudioEncoder):
    """Log-mel spectra, patches over time, cosine coefficients of the patches."""

    min_samples = 400
    context_seconds = 0.25
    mel: Tensor
    cosines: Tensor
    hann: Tensor

    def __init__(self, settings: LogMelSettings | None = None) -> None:
        super().__init__()
        settings = LogMelSettings() if settings is None else settings
        self.config = settings
        self.settings: Mapping[str, Any] = asdict(settings)
        centres = band_centres(settings.bands, settings.low, settings.high)
        self.floor = settings.floor
        self.stack = None if settings.stack is None else Stack(centres, settings.stack, self.floor)
        self.feature_dim = settings.bands * settings.orders if settings.stack is None else settings.stack.features
        if settings.stack is not None:
            self.context_seconds = settings.stack.context_seconds
        # Buffers follow the module to its device but are no weights: a checkpoint has nothing to store.
        self.register_buffer("mel", mel_filters(settings), persistent=False)
        self.register_buffer("cosines", cosine_basis(2 * settings.reach + 1, settings.orders), persistent=False)
        self.register_buffer("hann", torch.hann_window(settings.window, device=HOST), persistent=False)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> LogMelEncoder:
        """Make the encoder of a configuration.

        :raises ConfigurationError: for unknown settings, or values out of range.
        """
        return cls(build(LogMelSettings, settings))

    def spectra(self, waveform: Tensor) -> Tensor:
        """(B, S) to (B, bands, L) log-mel spectra centred on every ``hop``-th sample, near zero mean and unit scale."""
        settings = self.config
        complex_spectra = torch.stft(
            waveform, SPECTRUM, settings.hop, settings.window, self.hann, pad_mode="constant", return_complex=True
        )
        power = self.mel @ complex_spectra.abs().square()
        return (power + self.floor).log() / SCALE

    def features(self, waveform: Tensor, n_frames: int) -> Tensor:
        """(B, S) to (B, N, D)."""
        return self.learned(self._unlearned(waveform, n_frames))

    def frozen(self, waveform: Tensor, n_frames: int) -> Tensor:
        """(B, S) to spectra (B, N, bands) where there is a stack, else to patches (B, N, bands * orders)."""
        short = self.min_samples - waveform.shape[-1]
        return self._unlearned(F.pad(waveform, (0, short)) if short > 0 else waveform, n_frames)

    def learned(self, frozen: Tensor) -> Tensor:
        """(B, N, C) to (B, N, D), through the stack where there is one."""
        return frozen if self.stack is None else self.stack(frozen)

    @property
    def cached_dim(self) -> int:
        """Width of what :meth:`frozen` gives."""
        return self.feature_dim if self.stack is None else self.config.bands

    @property
    def learns_on_cache(self) -> bool:
        """Whether there is a stack."""
        return self.stack is not None

    def _unlearned(self, waveform: Tensor, n_frames: int) -> Tensor:
        spectra = self.spectra(waveform)
        if self.stack is not None:
            return sample_at_frames(spectra, n_frames, waveform.shape[-1] / self.config.hop).transpose(1, 2)
        batch, bands, length = spectra.shape
        reach = self.config.reach
        padded = F.pad(spectra, (reach, reach), mode="replicate").reshape(batch * bands, 1, -1)
        patches = F.conv1d(padded, self.cosines[:, None]).reshape(batch, bands * self.config.orders, length)
        placed = sample_at_frames(patches, n_frames, waveform.shape[-1] / self.config.hop)
        return placed.transpose(1, 2) / math.sqrt(reach)


def sample_at_frames(features: Tensor, n_frames: int, length: float) -> Tensor:
    """Interpolate features (B, D, L), one at each whole place, at place ``length * n / N`` for frame n: (B, D, N).

    Frame n stands at n / fps seconds, wherever the window of sound begins or ends: windows agree with the whole.
    """
    place = torch.arange(n_frames, device=features.device, dtype=torch.float64) * (length / n_frames)
    left = place.floor().long().clamp(max=features.shape[-1] - 2)
    share = (place - left).to(features.dtype)
    return torch.lerp(features[..., left], features[..., left + 1], share)

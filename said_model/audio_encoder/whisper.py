"""Whisper's encoder (Radford et al. 2022), through transformers: log-mel spectra in, features at 50 Hz.

It is made for windows of thirty seconds and for nothing else: shorter sound is filled up with silence, as Whisper does
it, and what of the answer lies behind the sound is left away. Longer sound is encoded in windows that overlap by a
sixth; where they do, their features are blended.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from said_model.audio_encoder.base import AudioEncoder
from said_model.audio_encoder.log_mel import sample_at_frames
from said_model.config import SAMPLE_RATE
from said_model.extras import require_package

#: Samples of a Fourier window and between two of them, and samples between two features.
_FFT, _HOP, _STEP = 400, 160, 320
#: Root mean square of the sound that it is given: Whisper takes recordings as they are, speech lies near -20 dB.
LEVEL = 0.1
#: Power below which there is none, and decades below a window's loudest band that are kept.
_LEAST, _DECADES = 1e-10, 8.0
#: Two windows share one of so many parts.
_OVERLAP = 6


class WhisperEncoder(AudioEncoder):
    """The encoder half of a Whisper model.

    :param model: transformers' encoder of a Whisper model.
    """

    min_samples = _FFT
    spectral = True
    mel: Tensor
    hann: Tensor

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.encoder = model
        self.settings: Mapping[str, Any] = model.config.to_dict()
        self.feature_dim = int(model.config.d_model)
        #: Samples of a window.
        self.window = int(model.config.max_source_positions) * _STEP
        self.context_seconds = self.window / SAMPLE_RATE / _OVERLAP
        require_package("transformers", "a pretrained speech encoder")
        from transformers.audio_utils import mel_filter_bank

        mel = mel_filter_bank(
            num_frequency_bins=1 + _FFT // 2, num_mel_filters=int(model.config.num_mel_bins), min_frequency=0.0,
            max_frequency=SAMPLE_RATE / 2, sampling_rate=SAMPLE_RATE, norm="slaney", mel_scale="slaney",
        )  # fmt: skip
        self.register_buffer("mel", torch.from_numpy(mel.T.copy()).float(), persistent=False)
        self.register_buffer("hann", torch.hann_window(_FFT), persistent=False)

    def spectra(self, window: Tensor) -> Tensor:
        """Return log-mel spectra (B, bands, frames) of a window (B, S) at its own level, as Whisper scales them."""
        spectrum = torch.stft(window, _FFT, _HOP, window=self.hann.float(), return_complex=True)[..., :-1]
        log = (self.mel.float() @ spectrum.abs().square()).clamp(min=_LEAST).log10()
        loudest = log.amax(dim=(1, 2), keepdim=True)
        return (torch.maximum(log, loudest - _DECADES) + 4.0) / 4.0

    def features(self, waveform: Tensor, n_frames: int) -> Tensor:
        """(B, S) to (B, N, D)."""
        length = waveform.shape[-1]
        answer = self._encoded(waveform.float() * LEVEL) if length <= self.window else self._in_windows(waveform)
        return sample_at_frames(answer.transpose(1, 2), n_frames, length / _STEP).transpose(1, 2)

    def _in_windows(self, waveform: Tensor) -> Tensor:
        """Encode windows that overlap, and blend them: (B, S) to (B, M, D)."""
        step = self.window // _STEP - self.window // _STEP // _OVERLAP
        count = -(-waveform.shape[-1] // _STEP)
        total = waveform.new_zeros(len(waveform), count, self.feature_dim)
        weight = waveform.new_zeros(count, 1)
        for first in range(0, count, step):
            piece = waveform[:, first * _STEP : first * _STEP + self.window].float() * LEVEL
            answer = self._encoded(piece)[:, : count - first]
            share = self._ramp(answer.shape[1], first > 0, first + answer.shape[1] < count).to(waveform)
            total[:, first : first + answer.shape[1]] += share * answer
            weight[first : first + answer.shape[1]] += share
            if first + answer.shape[1] >= count:
                break
        return total / weight

    def _ramp(self, count: int, rises: bool, falls: bool) -> Tensor:
        """Return the weights (count, 1) of a window's features: less towards an end where another one goes on."""
        shared = self.window // _STEP // _OVERLAP
        place = torch.arange(count, dtype=torch.float32)
        up = ((place + 1) / (shared + 1)).clamp(max=1.0) if rises else torch.ones(count)
        down = ((count - place) / (shared + 1)).clamp(max=1.0) if falls else torch.ones(count)
        return torch.minimum(up, down)[:, None]

    def _encoded(self, window: Tensor) -> Tensor:
        """Encode at most one window of sound: (B, S) to (B, M, D), a feature every 320 samples."""
        count = max(-(-window.shape[-1] // _STEP), 2)
        spectra = self.spectra(F.pad(window, (0, self.window - window.shape[-1])))
        answer = self.encoder(spectra.to(self.encoder.conv1.weight.dtype)).last_hidden_state
        return answer[:, :count].to(window.dtype)

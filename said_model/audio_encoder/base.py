"""What every speech encoder offers."""

from __future__ import annotations

from abc import abstractmethod

import torch.nn.functional as F
from torch import Tensor, nn


def to_frames(features: Tensor, n_frames: int) -> Tensor:
    """Resample features (B, D, L) to (B, D, N), linear, corners aligned (paper 4.2.1)."""
    return F.interpolate(features, size=n_frames, mode="linear", align_corners=True)


class AudioEncoder(nn.Module):
    """Maps sound at 16 kHz to features at the animation's frames."""

    #: Width D of a feature vector.
    feature_dim: int
    #: Fewest samples that can be encoded; shorter sound is padded with silence.
    min_samples: int
    #: Seconds of sound on either side that a feature vector may depend on in a window of sound.
    context_seconds: float
    #: Whether the first thing done is a spectrum, which needs sound in float32 whatever the weights are.
    spectral: bool = False

    @property
    def cached_dim(self) -> int:
        """Width of what :meth:`frozen` gives."""
        return self.feature_dim

    def frozen(self, waveform: Tensor, n_frames: int) -> Tensor:
        """Return the part of the answer that no training changes, which is kept beside the shards: (B, N, C).

        :param waveform: as for :meth:`forward`.
        :param n_frames: N.
        """
        return self(waveform, n_frames)

    def learned(self, frozen: Tensor) -> Tensor:
        """Turn what :meth:`frozen` gave, (B, N, C), into features (B, N, D)."""
        return frozen

    @property
    def learns_on_cache(self) -> bool:
        """Whether :meth:`learned` is trained with the denoiser."""
        return False

    @abstractmethod
    def features(self, waveform: Tensor, n_frames: int) -> Tensor:
        """See :meth:`forward`; the waveform is long enough."""

    def forward(self, waveform: Tensor, n_frames: int) -> Tensor:
        """Encode.

        :param waveform: (B, S) samples at 16 kHz, zero mean and unit variance (:mod:`said_model.audio_encoder.level`).
        :param n_frames: number of animation frames N that the sound lasts.
        :return: (B, N, D).
        """
        short = self.min_samples - waveform.shape[-1]
        return self.features(F.pad(waveform, (0, short)) if short > 0 else waveform, n_frames)

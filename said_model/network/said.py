"""The whole network: speech encoder, null condition, denoiser, under the published parameter names."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from blendvoca.errors import ConfigurationError
from said_model import audio_encoder
from said_model.audio_encoder import AudioEncoder
from said_model.config import ModelConfig
from said_model.network.denoiser import Bands, Denoiser


class SaidNetwork(nn.Module):
    """SAiD: ``audio_encoder``, ``null_cond_emb`` and ``denoiser``.

    :param config: what to build.
    :param encoder: an encoder that is already loaded; built from the configuration otherwise.
    :raises ConfigurationError: if the encoder's features have another width than the denoiser expects.
    """

    def __init__(self, config: ModelConfig, encoder: AudioEncoder | None = None) -> None:
        super().__init__()
        self.config = config
        self.audio_encoder = audio_encoder.build(config.encoder) if encoder is None else encoder
        if self.audio_encoder.feature_dim != config.denoiser.feature_dim:
            raise ConfigurationError(
                f"the encoder {config.encoder.name} does not fit the denoiser",
                expected=f"{config.denoiser.feature_dim} features",
                found=self.audio_encoder.feature_dim,
            )
        null = torch.empty(1, 1, config.denoiser.feature_dim)
        # Of an outline only the shape counts; PyTorch takes seconds to get ready for numbers without memory.
        self.null_cond_emb = nn.Parameter(null if null.is_meta else null.normal_())
        self.denoiser = Denoiser(len(config.names), config.denoiser)

    def encode(self, waveform: Tensor, n_frames: int) -> Tensor:
        """(B, S) normalised samples at 16 kHz to (B, N, D) audio features."""
        return self.audio_encoder(waveform, n_frames)

    def null_features(self, batch: int, n_features: int) -> Tensor:
        """Return the null condition repeated over batch and time (paper 4.2.3): (B, M, D)."""
        return self.null_cond_emb.expand(batch, n_features, -1)

    def forward(self, noisy: Tensor, timesteps: Tensor, audio: Tensor, bands: Bands | None = None) -> Tensor:
        """(B, N, K) noisy coefficients, (B,) timesteps, (B, M, D) features to the (B, N, K) prediction.

        :param bands: of the denoiser for N and M, where they are at hand (:meth:`Denoiser.bands`).
        """
        return self.denoiser(noisy, timesteps, audio, bands)

    def freeze_encoder(self) -> SaidNetwork:
        """Take the encoder out of training: no gradients (it must also stay in evaluation mode, see :meth:`train`)."""
        self.audio_encoder.requires_grad_(False)
        return self

    def train(self, mode: bool = True) -> SaidNetwork:
        """Switch training mode; a frozen encoder stays in evaluation mode."""
        super().train(mode)
        if not any(parameter.requires_grad for parameter in self.audio_encoder.parameters()):
            self.audio_encoder.eval()
        return self

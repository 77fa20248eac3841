"""The metric VAE: 120 frames of 32 coefficients to 64 latents and back (paper supplement 11, Figure 7).

Its latent mean is the feature of Fréchet distance, WInD and multimodality. Modules are named as in the published
``vae.pth``, so that its state dict loads as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from blendvoca.errors import InputError
from said_model.checkpoints.state_dict import fill, read_weights

#: Window length in frames, coefficients, and size of the latent (supplement 11.1).
FRAMES, COEFFICIENTS, LATENTS = 120, 32, 64
_CONV_SLOPE, _LINEAR_SLOPE = 0.2, 0.01


def _conv(layer: nn.Module, channels: int) -> list[nn.Module]:
    return [layer, nn.BatchNorm1d(channels), nn.LeakyReLU(_CONV_SLOPE)]


def _linear(inside: int, outside: int) -> list[nn.Module]:
    return [nn.Linear(inside, outside), nn.BatchNorm1d(outside), nn.LeakyReLU(_LINEAR_SLOPE)]


class Encoder(nn.Module):
    """Coefficients (B, 120, 32) to the latent's mean and log-variance, each (B, 64)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv_layers = nn.Sequential(
            *_conv(nn.Conv1d(COEFFICIENTS, 32, 3), 32),
            *_conv(nn.Conv1d(32, 64, 3), 64),
            *_conv(nn.Conv1d(64, 64, 4, stride=2), 64),
            nn.Conv1d(64, 32, 3),
        )
        self.fc_layers = nn.Sequential(*_linear(32 * 55, 256), *_linear(256, 128), nn.Linear(128, LATENTS))
        self.fc_mu = nn.Linear(LATENTS, LATENTS)
        self.fc_logvar = nn.Linear(LATENTS, LATENTS)

    def forward(self, coefficients: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log-variance."""
        hidden = self.fc_layers(self.conv_layers(coefficients.transpose(1, 2)).flatten(1))
        return self.fc_mu(hidden), self.fc_logvar(hidden)


class Decoder(nn.Module):
    """Latents (B, 64) to coefficients (B, 120, 32)."""

    def __init__(self) -> None:
        super().__init__()
        self.fc_layers = nn.Sequential(*_linear(LATENTS, 240), nn.Linear(240, 4 * FRAMES))
        self.conv_layers = nn.Sequential(
            *_conv(nn.ConvTranspose1d(4, 32, 3), 32),
            *_conv(nn.ConvTranspose1d(32, 32, 3), 32),
            nn.Conv1d(32, 32, 3),
            nn.Conv1d(32, COEFFICIENTS, 3),
            nn.ReLU(),
            nn.Tanh(),
        )

    def forward(self, latents: Tensor) -> Tensor:
        """Return coefficients in [0, 1)."""
        hidden: Tensor = self.conv_layers(self.fc_layers(latents).unflatten(1, (4, FRAMES)))
        return hidden.transpose(1, 2)


@dataclass(frozen=True)
class Reconstruction:
    """What the VAE says of a batch.

    :param coefficients: (B, 120, 32) decoded.
    :param mean: (B, 64) of the latent.
    :param log_variance: (B, 64) of the latent.
    """

    coefficients: Tensor
    mean: Tensor
    log_variance: Tensor


class CoefficientVAE(nn.Module):
    """The variational autoencoder of coefficient windows (supplement 11)."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, coefficients: Tensor, generator: torch.Generator | None = None) -> Reconstruction:
        """Encode, draw a latent (the mean itself in evaluation mode), decode.

        :param coefficients: (B, 120, 32).
        """
        mean, log_variance = self.encoder(coefficients)
        latent = mean
        if self.training:
            noise = torch.randn(mean.shape, generator=generator, dtype=mean.dtype)
            latent = mean + noise.to(mean.device) * torch.exp(0.5 * log_variance)
        return Reconstruction(self.decoder(latent), mean, log_variance)


_REMEDY = "Give the published vae.pth (`blendvoca download --list` names it), or what `said train-vae` wrote."


def load_vae(path: str | PathLike[str]) -> CoefficientVAE:
    """Load a state dict (``vae.pth`` as published, or ``.safetensors``) in evaluation mode, on the CPU.

    :param path: of the file.
    :raises MissingInputError: if there is no such file.
    :raises UnsafePickleError: if it holds more than weights.
    :raises FormatError: if it is no state dict, or one of another architecture.
    """
    model = CoefficientVAE()
    fill(model.state_dict(), read_weights(path, _REMEDY), "the VAE", path, _REMEDY)
    return model.eval()


@torch.no_grad()
def latent_features(model: CoefficientVAE, windows: NDArray[np.floating], batch: int = 256) -> NDArray[np.float64]:
    """Return latent means (n, 64) of windows (n, 120, 32), the features of supplement 10.

    :raises InputError: for windows of another shape.
    """
    if windows.ndim != 3 or windows.shape[1:] != (FRAMES, COEFFICIENTS):
        raise InputError("wrong windows", expected=f"(n, {FRAMES}, {COEFFICIENTS})", found=windows.shape)
    if model.training:
        raise InputError("the VAE is in training mode", remedy="Call model.eval() first.")
    parts = torch.as_tensor(np.ascontiguousarray(windows, dtype=np.float32)).split(batch)
    return torch.cat([model.encoder(part)[0] for part in parts]).double().numpy()

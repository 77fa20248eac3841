"""end2end_AU_speech: coefficients regressed from the spectrogram by a CNN and a GRU (Pham et al. 2018; supplement 9).

The audio encoder has five convolutions; the three others of the original are max pooling, against overfitting. The
widths are ours: supplement 9 states none. Time is never pooled, so every animation frame keeps its spectrum.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from blendvoca.audio import Waveform
from blendvoca.track import CoefficientTrack
from said_model.audio_encoder.speech import load_speech
from said_model.checkpoints.small_files import SmallFiles
from said_model.ranges import (
    HIGHEST_FPS,
    LOWEST_FPS,
    WIDEST,
    build,
    listed,
    require_integer,
    require_number,
    require_shapes,
)

FILES = SmallFiles("end2end_au", "end2end-au", "regression baseline", "said train --model end2end-au")
_WINDOW, _HOP = 512, 133
#: Rows of the spectrogram that are kept, up to 4 kHz.
_BINS = 128


@dataclass(frozen=True)
class RegressorConfig:
    """Names (K), frame rate, and channels of the first convolution; the GRU has eight times as many."""

    names: tuple[str, ...]
    fps: float = 60.0
    width: int = 16

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", listed(self.names, "names of blendshapes"))
        require_shapes(self.names)
        require_number(self.fps, "frame rate", LOWEST_FPS, HIGHEST_FPS)
        require_integer(self.width, "width of the regression baseline", 1, WIDEST // 8)


class End2EndAU(nn.Module):
    """Waveforms (B, S) at 16 kHz, normalised, to coefficients (B, N, K) in (0, 1)."""

    def __init__(self, config: RegressorConfig) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.encoder = nn.Sequential(
            *_layer(1, width), nn.MaxPool2d((4, 1)),
            *_layer(width, 2 * width), nn.MaxPool2d((4, 1)),
            *_layer(2 * width, 2 * width), nn.MaxPool2d((2, 1)),
            *_layer(2 * width, 4 * width, (2, 1)),
            *_layer(4 * width, 4 * width, (2, 1)),
        )  # fmt: skip
        self.gru = nn.GRU(4 * width, 8 * width, batch_first=True)
        self.out = nn.Linear(8 * width, len(config.names))
        self.register_buffer("hann", torch.hann_window(_WINDOW, device="cpu"), persistent=False)

    def forward(self, waveform: Tensor, n_frames: int) -> Tensor:
        """Return the coefficients at ``n_frames`` frames."""
        hidden, _ = self.gru(self.encoder(self.spectrogram(waveform, n_frames)[:, None])[:, :, 0].transpose(1, 2))
        return torch.sigmoid(self.out(hidden))

    def spectrogram(self, waveform: Tensor, n_frames: int) -> Tensor:
        """Return the log spectrogram (B, 128, N), interpolated to the animation's frames."""
        window: Tensor = self.hann  # type: ignore[assignment]
        power = torch.stft(waveform, _WINDOW, _HOP, window=window, return_complex=True).abs().square()
        log = torch.log(power[:, 1 : _BINS + 1] + 1e-3) / 5
        return F.interpolate(log, n_frames, mode="linear", align_corners=True)


def _layer(before: int, after: int, stride: tuple[int, int] = (1, 1)) -> list[nn.Module]:
    convolution = nn.Conv2d(before, after, 3, stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(after), nn.ReLU()]


@torch.no_grad()
def predict(model: End2EndAU, sound: str | PathLike[str] | Waveform, n_frames: int | None = None) -> CoefficientTrack:
    """Return the one track that the model has for a sound.

    :param n_frames: frames of the track; the sound is cut or filled up to their end.
    """
    speech = load_speech(sound)
    count = n_frames or speech.frames(model.config.fps)
    speech = speech if n_frames is None else speech.lasting(n_frames, model.config.fps)
    values = model(speech.samples[None], count)[0].double().numpy()
    return CoefficientTrack(values, model.config.names, model.config.fps)


def regression_loss(prediction: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Return the mean squared error over (B, N, K) where the mask (B, N) admits it."""
    weight = mask.unsqueeze(-1).to(prediction)
    return ((prediction - target).square() * weight).sum() / (weight.sum().clamp(min=1) * prediction.shape[-1])


def save_regressor(folder: str | PathLike[str], model: End2EndAU, notes: Mapping[str, Any]) -> None:
    """Write weights and configuration into a folder."""
    FILES.save(folder, model, model.config, notes)


def load_regressor(folder: str | PathLike[str]) -> End2EndAU:
    """Load what :func:`save_regressor` wrote, in evaluation mode.

    :raises MissingInputError: if it is not there.
    :raises FormatError: if it is something else.
    """
    return FILES.load(folder, lambda config: End2EndAU(build(RegressorConfig, config)))

"""SyncNet (Chung and Zisserman 2016) and its scoring of rendered faces; the weights are the user's.

Sound: 13 MFCCs at 100 Hz, 20 of them for each 5 video frames at 25 Hz. Pictures: 5 frames of 224 × 224, 0 to 255, their
channels blue, green, red as OpenCV reads them.
Names are those of the published state dict (``syncnet_v2.model``): ``netcnnaud``, ``netfcaud``, ``netcnnlip``,
``netfclip``.
"""

from __future__ import annotations

from os import PathLike

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.fft import dct
from torch import Tensor, nn

from blendvoca.audio import Waveform
from blendvoca.errors import InputError
from said_model.checkpoints.state_dict import fill, read_weights
from said_model.evaluation.sync_expert import REACH, Synchrony, best_shift

#: Pictures a second, pictures and MFCCs that are seen together, edge of a picture.
FPS, PICTURES, MFCCS, EDGE = 25.0, 5, 20, 224
_RATE, _BANDS, _CEPSTRA = 16_000, 26, 13
_REMEDY = "Give syncnet_v2.model, the state dict that SyncNet's authors publish."


class SyncNet(nn.Module):
    """Two towers to 1024 numbers each."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_conv2(1, 64, 3, 1, 1), nn.MaxPool2d((1, 1), (1, 1)),
            *_conv2(64, 192, 3, 1, 1), nn.MaxPool2d((3, 3), (1, 2)),
            *_conv2(192, 384, 3, 1, 1),
            *_conv2(384, 256, 3, 1, 1),
            *_conv2(256, 256, 3, 1, 1), nn.MaxPool2d((3, 3), (2, 2)),
            *_conv2(256, 512, (5, 4), 1, 0),
        )  # fmt: skip
        self.netfcaud = _head()
        self.netcnnlip = nn.Sequential(
            *_conv3(3, 96, (5, 7, 7), (1, 2, 2), 0), nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_conv3(96, 256, (1, 5, 5), (1, 2, 2), (0, 1, 1)), nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            *_conv3(256, 256, (1, 3, 3), 1, (0, 1, 1)),
            *_conv3(256, 256, (1, 3, 3), 1, (0, 1, 1)),
            *_conv3(256, 256, (1, 3, 3), 1, (0, 1, 1)), nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            *_conv3(256, 512, (1, 6, 6), 1, 0),
        )  # fmt: skip
        self.netfclip = _head()

    def encode_audio(self, cepstra: Tensor) -> Tensor:
        """Embed MFCCs (B, 1, 13, 20)."""
        embedded: Tensor = self.netfcaud(self.netcnnaud(cepstra).flatten(1))
        return embedded

    def encode_pictures(self, pictures: Tensor) -> Tensor:
        """Embed pictures (B, 3, 5, 224, 224)."""
        embedded: Tensor = self.netfclip(self.netcnnlip(pictures).flatten(1))
        return embedded


def _conv2(before: int, after: int, size: int | tuple[int, int], stride: int, padding: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, size, stride, padding), nn.BatchNorm2d(after), nn.ReLU()]


def _conv3(
    before: int, after: int, size: tuple[int, int, int], stride: int | tuple[int, int, int],
    padding: int | tuple[int, int, int],
) -> list[nn.Module]:  # fmt: skip
    return [nn.Conv3d(before, after, size, stride, padding), nn.BatchNorm3d(after), nn.ReLU()]


def _head() -> nn.Sequential:
    return nn.Sequential(nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 1024))


def load_syncnet(path: str | PathLike[str]) -> SyncNet:
    """Load the user's weights, in evaluation mode, on the CPU.

    :param path: of ``syncnet_v2.model``.
    :raises MissingInputError: if there is no such file.
    :raises UnsafePickleError: if it holds more than weights.
    :raises FormatError: if it is something else, naming missing, left-over and misshapen tensors.
    """
    model = SyncNet()
    fill(model.state_dict(), read_weights(path, _REMEDY), "SyncNet (syncnet_v2)", path, _REMEDY)
    return model.eval()


def cepstra(waveform: Waveform) -> NDArray[np.float32]:
    """Return 13 MFCCs (T, 13) at 100 Hz: 25 ms windows, pre-emphasis 0.97, 26 bands, lifter 22, log energy first.

    :raises InputError: for less than a window of sound.
    """
    # SyncNet was trained on the values of 16-bit samples.
    samples = waveform.resampled(_RATE).samples.astype(np.float64) * 32768
    if len(samples) < 400:
        raise InputError("too little sound", expected="25 ms or more", found=f"{len(samples)} samples")
    sharp = np.append(samples[0], samples[1:] - 0.97 * samples[:-1])
    sharp = np.pad(sharp, (0, (400 - len(sharp)) % 160))  # the last window is filled up
    frames = np.lib.stride_tricks.sliding_window_view(sharp, 400)[::160]
    power = np.abs(np.fft.rfft(frames, 512)) ** 2 / 512
    tiny = np.finfo(float).eps
    bands = np.log(np.maximum(power @ _mel_bands().T, tiny))
    result = dct(bands, type=2, axis=1, norm="ortho")[:, :_CEPSTRA]
    result *= 1 + 11 * np.sin(np.pi * np.arange(_CEPSTRA) / 22)
    result[:, 0] = np.log(np.maximum(power.sum(axis=1), tiny))
    return result.astype(np.float32)


def _mel_bands() -> NDArray[np.float64]:
    """Return triangular filters (26, 257) on the mel scale from 0 to 8 kHz, their edges at whole bins."""
    mels = np.linspace(0, 2595 * np.log10(1 + _RATE / 2 / 700), _BANDS + 2)
    edges = np.floor(513 * 700 * (10 ** (mels / 2595) - 1) / _RATE)
    bins = np.arange(257)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    return np.clip(np.minimum(rising, falling), 0, None)


@torch.no_grad()
def score(model: SyncNet, pictures: NDArray[np.uint8], waveform: Waveform, reach: int = REACH) -> Synchrony:
    """Return offset (video frames at 25 Hz; positive: the motion is late) and confidence.

    As published, sound past either end counts with embeddings of zero, so every picture is tried at every shift.

    :param pictures: (T, 224, 224, 3) RGB at 25 Hz, the face in front, framed as `blendvoca render --framing syncnet`.
    :raises InputError: for pictures of another shape, or too few.
    """
    if pictures.ndim != 4 or pictures.shape[1:] != (EDGE, EDGE, 3) or len(pictures) <= PICTURES:
        raise InputError("wrong pictures", expected=f"(T > {PICTURES}, {EDGE}, {EDGE}, 3)", found=pictures.shape)
    sound = cepstra(waveform)
    # In whole numbers: a clip of 29 pictures lasts 28.999… times 1/25 s.
    count = min(len(pictures), int(len(waveform) * FPS // waveform.rate)) - PICTURES
    if count < 1:
        raise InputError("too little sound for the pictures", expected=len(pictures) / FPS, found=waveform.duration)
    bgr = torch.from_numpy(np.ascontiguousarray(pictures[..., ::-1]))
    seen = [
        model.encode_pictures(bgr[start : start + PICTURES].float().permute(3, 0, 1, 2)[None])[0]
        for start in range(count)
    ]
    spoken = [
        model.encode_audio(torch.from_numpy(sound[4 * start : 4 * start + MFCCS].T.copy())[None, None])[0]
        for start in range(count)
    ]
    first, padded = torch.stack(seen), nn.functional.pad(torch.stack(spoken), (0, 0, reach, reach))
    # Sound that matches the picture from earlier on means that the motion is late: shifts rise as the sound's fall.
    distances = [
        float((first - padded[shift : shift + count] + 1e-6).norm(dim=1).mean()) for shift in range(2 * reach, -1, -1)
    ]
    return best_shift(distances)

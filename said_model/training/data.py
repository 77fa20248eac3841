"""The dataset as torch sees it: windows of a fixed number of frames with the sound that belongs to them.

::

    windows = ClipWindows(BlendVOCA("BlendVOCA/", "train", audio_rate=16_000), frames=120, stride=1)
    loader = torch.utils.data.DataLoader(windows, batch_size=8, shuffle=True, num_workers=2, persistent_workers=True)
    for batch in loader:
        batch["coefficients"]    # (B, 120, 32) float32 in [0, 1]
        batch["waveform"]        # (B, 32000) float32, full scale ±1
"""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from blendvoca.audio import Waveform
from blendvoca.clip import Clip
from blendvoca.dataset import BlendVOCA
from blendvoca.errors import ConfigurationError
from said_model.training.windows import covering_starts, held


class Window(TypedDict):
    """One window; N frames, K blendshapes, S samples. A batch has a leading axis B on each.

    ``coefficients`` (N, K) float32 in [0, 1]; ``waveform`` (S,) float32, full scale ±1, S = round(N · rate / fps), only
    if the dataset gives sound; ``mask`` (N,) bool, false on frames after the clip's end, which repeat its last;
    ``speaker`` int64, position in the dataset's ``speakers``; ``clip`` int64, position in the dataset; ``start``
    int64, first frame.
    """

    coefficients: Tensor
    waveform: Tensor
    mask: Tensor
    speaker: Tensor
    clip: Tensor
    start: Tensor


class ClipWindows(Dataset[Window]):
    """Windows of all clips of a :class:`blendvoca.dataset.BlendVOCA`, for any ``DataLoader`` and start method.

    Clips are read when a window of theirs is asked for, and kept as far as the dataset's ``cache_bytes`` reach: let
    them reach for the whole split where windows are drawn at random.

    :param dataset: the clips; its ``audio_rate`` is the waveforms' rate.
    :param frames: N, length of a window.
    :param stride: frames between the starts of a clip's windows; 1 for every start, ``frames`` for no overlap. The last
        window ends with the clip; a clip shorter than a window gives one, filled up.
    :raises ConfigurationError: if ``frames`` or ``stride`` is not positive, or the clips' frame or sample rates differ.
    """

    def __init__(self, dataset: BlendVOCA, frames: int = 120, stride: int = 120) -> None:
        if frames < 1 or stride < 1:
            raise ConfigurationError("windows need frames and a stride", expected="positive", found=(frames, stride))
        self.dataset, self.frames = dataset, frames
        entries = [dataset.entry(row) for row in range(len(dataset))]
        self.fps = _only("frame rate", {entry.fps for entry in entries}, 60.0)
        rates = {dataset.audio_rate or entry.audio_rate for entry in entries} if dataset.audio else {0}
        sounding = dataset.audio and all(entry.samples for entry in entries)
        self.rate = int(_only("sample rate", rates, 0)) if sounding else 0
        speakers = {speaker: position for position, speaker in enumerate(dataset.speakers)}
        names = dataset.keys()
        self._speakers = [speakers[speaker] for speaker, _ in names]
        starts = [np.array(covering_starts(entry.frames, frames, stride), np.int64) for entry in entries]
        self._clips = np.repeat(np.arange(len(entries)), [len(group) for group in starts])
        self._starts = np.concatenate([np.empty(0, np.int64), *starts])

    @property
    def samples(self) -> int:
        """S, samples of a window's waveform; 0 without sound."""
        return round(self.frames * self.rate / self.fps)

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, index: int) -> Window:
        clip, start = int(self._clips[index]), int(self._starts[index])
        return self.window(self.dataset[clip], start, clip)

    def window(self, clip: Clip, start: int, row: int) -> Window:
        """Cut one window out of a clip.

        :param clip: of the dataset.
        :param start: first frame; frames outside the clip hold its edge and are masked.
        :param row: of the clip in the dataset.
        """
        place, inside = held(torch.tensor(start), self.frames, torch.tensor(len(clip.track)))
        window: dict[str, Any] = {
            "coefficients": torch.from_numpy(clip.track.values[place.numpy()].astype(np.float32)),
            "mask": inside,
            "speaker": torch.tensor(self._speakers[row]),
            "clip": torch.tensor(row),
            "start": torch.tensor(start),
        }
        if self.rate and clip.waveform is not None:
            window["waveform"] = torch.from_numpy(cut(clip.waveform, start / self.fps, self.samples))
        return window  # type: ignore[return-value]


def cut(waveform: Waveform, start: float, samples: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return so many samples (S,) from ``start`` seconds on, zero where the sound has ended."""
    first = torch.tensor(round(start * waveform.rate))
    place, inside = held(first, samples, torch.tensor(len(waveform.samples)))
    return np.where(inside.numpy(), waveform.samples[place.numpy()], np.float32(0))


def _only(what: str, values: set[Any], default: Any) -> Any:
    if len(values) > 1:
        raise ConfigurationError(
            f"clips of one window set need one {what}", found=sorted(values), remedy="Give BlendVOCA an audio_rate."
        )
    return next(iter(values), default)

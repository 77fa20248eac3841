"""Windows for training: all clips on the device, cut and augmented there by gathering (paper 5.1).

Where a window lies and how it is augmented are whole numbers that follow from (seed, step) by
:mod:`said_model.training.streams`, the same on every device. The clips themselves are never changed. Features that do
not fit the device stay on the host, from where the windows of coming steps are sent ahead of time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from blendvoca.arkit import mirror_name, mirror_permutation
from blendvoca.errors import ConfigurationError
from said_model.audio_encoder.features import LARGEST_SHIFT, view_shifts
from said_model.training import streams
from said_model.training.settings import AugmentConfig

#: Share of a GPU's free memory that features may take.
LARGEST_SHARE = 0.5
#: Kind of a sound that is not known; what :func:`torch.nn.functional.cross_entropy` passes over.
UNKNOWN = -100


@dataclass(frozen=True)
class TrainingClip:
    """One clip as training holds it.

    :param values: (T, K) float32 coefficients.
    :param features: (shifts, T, D) features of the whole clip, or ``None``.
    :param samples: (S,) waveform, where the encoder is given windows; else ``None``.
    :param speaker: position of the speaker.
    :param views: (V - 1, T, D) features of the sound under acoustic augmentation, or ``None``.
    :param kinds: (T,) kinds of sound that are spoken, or ``None`` where that is not known.
    """

    values: NDArray[np.float32]
    features: NDArray[np.float16] | None
    samples: NDArray[np.float32] | None
    speaker: int
    views: NDArray[np.float16] | None = None
    kinds: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Batch:
    """B windows of N frames.

    :param coefficients: (B, N, K).
    :param features: (B, N, D) float16, or ``None`` where ``waveform`` (B, S) is given.
    :param mask: (B, N) false on frames after a short clip's end, which repeat its last.
    :param kinds: (B, N) kinds of sound that are spoken, :data:`UNKNOWN` where it is not known; ``None`` if it never is.
    """

    coefficients: Tensor
    features: Tensor | None
    waveform: Tensor | None
    mask: Tensor
    kinds: Tensor | None = None

    def repeated(self, times: int) -> Batch:
        """Return a batch of one window, so many times."""

        def grown(value: Tensor | None) -> Tensor | None:
            return None if value is None else value.expand(times, *value.shape[1:])

        values = (self.coefficients, self.features, self.waveform, self.mask, self.kinds)
        return Batch(*map(grown, values))  # type: ignore[arg-type]  # what is given stays given


def covering_starts(length: int, frames: int, stride: int) -> list[int]:
    """Return first frames of windows that cover a clip: one every ``stride``, and one that ends with the clip."""
    last = max(length - frames, 0)
    return sorted({*range(0, last + 1, stride), last})


def held(start: Tensor, count: int, length: Tensor) -> tuple[Tensor, Tensor]:
    """Return (…, count) places from ``start`` (…) on, kept within 0 to ``length`` - 1, and which lie there anyway."""
    place = start[..., None] + torch.arange(count, device=start.device)
    last = length[..., None] - 1
    return torch.minimum(place.clamp(min=0), last), (place >= 0) & (place <= last)


@dataclass(frozen=True, eq=False)
class _Extents:
    """Where the clips lie in what was joined: first place and length of each, (C,)."""

    first: Tensor
    length: Tensor

    @classmethod
    def of(cls, lengths: Sequence[int], device: torch.device) -> _Extents:
        length = torch.tensor(lengths, dtype=torch.int64)
        return cls((length.cumsum(0) - length).to(device), length.to(device))


class WindowSource:
    """All clips of a split, and the windows that are drawn from them.

    Every clip is drawn once an epoch, in an order of its own, unless the configuration draws with replacement.

    :param clips: what to draw from.
    :param names: blendshape names, for mirroring.
    :param rate: samples per second of the clips' waveforms.
    :param fps: of their frames.
    """

    def __init__(
        self, clips: Sequence[TrainingClip], names: Sequence[str], config: AugmentConfig, rate: int, fps: float
    ) -> None:
        if not clips:
            raise ConfigurationError("no clips to train on", expected="a split with clips", found=0)
        self.clips, self.config, self.rate, self.fps = clips, config, rate, fps
        self.lengths = [len(clip.values) for clip in clips]
        # A set of names with an unpaired side cannot be mirrored; then nothing is.
        whole = {mirror_name(name) for name in names} == set(names)
        order = mirror_permutation(names) if whole else np.arange(len(names))
        self._columns = torch.from_numpy(np.stack([np.arange(len(names)), order]).astype(np.int64))
        self.shifts, self._views = self._rows(clips[0])
        self.place(torch.device("cpu"))

    def _rows(self, clip: TrainingClip) -> tuple[int, list[int]]:
        """Return the number of shifts, and the rows after them of views that may be drawn."""
        shifts = len(clip.features) if clip.features is not None else 1
        places = view_shifts(len(clip.views) + 1, shifts) if clip.views is not None else []
        moved = self.config.shift_probability > 0
        return shifts, [shifts + view for view, at in enumerate(places) if moved or at == shifts // 2]

    def place(self, device: torch.device) -> WindowSource:
        """Put the clips on a device; on the CPU, and where they are too large, features stay where they are."""
        self.device, clips = device, self.clips
        self._values = torch.from_numpy(np.concatenate([clip.values for clip in clips])).to(device)
        self._extents = {at: _Extents.of(self.lengths, at) for at in {device, torch.device("cpu")}}
        self._mirrored = self._columns.to(device)
        self._kinds = _joined_kinds(clips, device)
        self._samples: Tensor | None = None
        self._features: Tensor | None = None
        samples = [clip.samples for clip in clips if clip.samples is not None]
        if samples:
            self._samples = torch.from_numpy(np.concatenate(samples)).to(device)
            self._heard = _Extents.of([len(part) for part in samples], device)
        if clips[0].features is not None and device.type != "cpu" and self._fits(device):
            rows = [
                np.concatenate([part for part in (clip.features, clip.views) if part is not None]) for clip in clips
            ]
            self._features = torch.from_numpy(np.concatenate(rows, axis=1)).to(device)
        self._host = HostFeatures(clips, device) if clips[0].features is not None and self._features is None else None
        return self

    def _fits(self, device: torch.device) -> bool:
        if device.type != "cuda":
            return True
        parts = [part for clip in self.clips for part in (clip.features, clip.views) if part is not None]
        return sum(part.nbytes for part in parts) <= LARGEST_SHARE * torch.cuda.mem_get_info(device)[0]

    @property
    def resident(self) -> bool:
        """Whether everything that windows are cut from lies on the device."""
        return self._host is None

    def draw(self, first: int, count: int, size: int, seed: int, rank: int = 0) -> dict[str, Tensor]:
        """Return what :meth:`cut` needs for ``count`` steps from ``first`` on: (count, …) by name.

        :param size: B, windows a step.
        """
        drawn = self._places(first, count, size, seed, rank, self.device)
        drawn["coefficients"] = self._coefficients(drawn)
        if self._host is not None:
            drawn["features"] = self._host.windows(
                (first, count), lambda at: self._places(*at, size, seed, rank, torch.device("cpu"))
            )
        return drawn

    def _places(
        self, first: int, count: int, size: int, seed: int, rank: int, device: torch.device
    ) -> dict[str, Tensor]:
        steps = torch.arange(first, first + count, device=device)
        word = streams.words(seed, streams.WINDOWS, steps, 8 * size, rank).view(count, size, 8)
        clip = self._order(steps, size, seed, rank, word[..., 0])
        length, frames = self._extents[device].length[clip], self._frames(first, count, size, seed, rank)
        if self.config.overhang:
            start = streams.below(word[..., 1], length + frames - 1) - (frames - 1)
        else:
            start = streams.below(word[..., 1], (length - frames).clamp(min=0) + 1)
        moved = streams.chance(word[..., 3], self.config.shift_probability)
        row = torch.where(moved, streams.below(word[..., 4], self.shifts), self.shifts // 2)
        if self._views:
            view = streams.below(word[..., 5], len(self._views) + 1)
            for number, place in enumerate(self._views, start=1):
                row = torch.where(view == number, place, row)
        reach = round(LARGEST_SHIFT * self.rate)
        shift = torch.where(moved, streams.below(word[..., 6], 2 * reach + 1) - reach, 0)
        mirror = streams.chance(word[..., 2], self.config.mirror_probability).long()
        return self._windows(clip, start, frames, mirror, row, shift)

    def _windows(
        self, clip: Tensor, start: Tensor, frames: int, mirror: Tensor, row: Tensor, shift: Tensor
    ) -> dict[str, Tensor]:
        extents = self._extents[clip.device]
        place, inside = held(start, frames, extents.length[clip])
        return {"clip": clip, "start": start, "frame": place, "mirror": mirror, "row": row, "shift": shift,
                "mask": inside | self.config.overhang}  # fmt: skip

    def _frames(self, first: int, count: int, size: int, seed: int, rank: int) -> int:
        """Return the frames of the windows, found on the host: of one step, where they differ from step to step."""
        if not self.config.random_length:
            return self.config.frames
        if count != 1:
            raise ConfigurationError("windows of random length are drawn one step at a time", expected=1, found=count)
        step = torch.tensor([first])
        word = streams.words(seed, streams.WINDOWS, step, 8 * size, rank).view(1, size, 8)
        shortest = min(self.lengths[clip] for clip in self._order(step, size, seed, rank, word[..., 0])[0].tolist())
        return self.config.frames + int(streams.below(word[0, 0, 7], max(shortest - self.config.frames, 0) + 1))

    def _order(self, steps: Tensor, size: int, seed: int, rank: int, word: Tensor) -> Tensor:
        """Return (n, size) clips: each once an epoch, or drawn by ``word``."""
        clips = len(self.clips)
        if self.config.replacement:
            return streams.below(word, clips)
        place = steps[:, None] * size + torch.arange(size, device=steps.device)
        epoch = place // clips
        # So many epochs can begin within these steps.
        within = torch.arange((len(steps) * size - 1) // clips + 2, device=steps.device)
        order = streams.words(seed, streams.ORDER, epoch[0, :1] + within, clips, rank).argsort(dim=1, stable=True)
        return order[epoch - epoch[:1, :1], place % clips]

    def cut(self, drawn: Mapping[str, Tensor]) -> Batch:
        """Return the windows of one step of what :meth:`draw` gave."""
        features = drawn.get("features")
        if self._features is not None:
            features = self._features[drawn["row"][:, None], self._joined(drawn)]
        kinds = None if self._kinds is None else self._kinds[self._joined(drawn)]
        return Batch(drawn["coefficients"], features, self._waveform(drawn), drawn["mask"], kinds)

    def _joined(self, drawn: Mapping[str, Tensor]) -> Tensor:
        """Return where the frames (…, B, N) of windows stand in what was joined."""
        return self._extents[self.device].first[drawn["clip"]][..., None] + drawn["frame"]

    def _coefficients(self, drawn: Mapping[str, Tensor]) -> Tensor:
        """Return the coefficients (…, B, N, K) of windows."""
        return self._values[self._joined(drawn)[..., None], self._mirrored[drawn["mirror"]][..., None, :]]

    def _waveform(self, drawn: Mapping[str, Tensor]) -> Tensor | None:
        if self._samples is None:
            return None
        ratio = self.rate / self.fps
        first = (drawn["start"].double() * ratio).round().long() - drawn["shift"]
        place, inside = held(first, round(drawn["frame"].shape[1] * ratio), self._heard.length[drawn["clip"]])
        return self._samples[self._heard.first[drawn["clip"]][:, None] + place] * inside

    def fixed(self, stride: int) -> list[tuple[int, int]]:
        """Return (clip, start) of windows that cover all clips, for validation."""
        frames = self.config.frames
        return [(row, at) for row, length in enumerate(self.lengths) for at in covering_starts(length, frames, stride)]

    def at(self, places: Sequence[tuple[int, int]], frames: int | None = None) -> Batch:
        """Return the unaugmented windows at (clip, start), on the device."""
        clip, start = torch.tensor(places, dtype=torch.int64).unbind(1)
        none = torch.zeros_like(clip)
        middle = torch.full_like(clip, self.shifts // 2)
        drawn = self._windows(clip, start, frames or self.config.frames, none, middle, none)
        if self._host is not None:
            drawn["features"] = self._host.gather({name: value[None] for name, value in drawn.items()})[0]
        placed = {name: value.to(self.device) for name, value in drawn.items()}
        return self.cut({**placed, "coefficients": self._coefficients(placed)})


def _joined_kinds(clips: Sequence[TrainingClip], device: torch.device) -> Tensor | None:
    if all(clip.kinds is None for clip in clips):
        return None
    parts = [np.full(len(clip.values), UNKNOWN) if clip.kinds is None else clip.kinds for clip in clips]
    return torch.from_numpy(np.concatenate(parts)).to(device)


class HostFeatures:
    """Features that stay on the host: a CPU's own, or those too large for a GPU.

    For a GPU the windows of the coming steps are collected by a thread, into memory that can be copied from while the
    GPU computes.
    """

    def __init__(self, clips: Sequence[TrainingClip], device: torch.device) -> None:
        self.clips, self.device = clips, device
        self._ahead: tuple[tuple[int, int], Future[Tensor]] | None = None
        self._thread = ThreadPoolExecutor(1) if device.type == "cuda" else None

    def gather(self, drawn: Mapping[str, Tensor]) -> Tensor:
        """Return (n, B, N, D) float16 windows of what a source drew on the host."""
        clip, row, frame = (drawn[name].numpy() for name in ("clip", "row", "frame"))
        first = self.clips[0].features
        width = first.shape[2] if first is not None else 0
        out = torch.empty((*frame.shape, width), dtype=torch.float16, pin_memory=self._thread is not None)
        for place in np.ndindex(*clip.shape):
            out[place] = torch.from_numpy(self._window(int(clip[place]), int(row[place]), frame[place]))
        return out

    def _window(self, clip: int, row: int, frame: NDArray[np.int64]) -> NDArray[np.float16]:
        features, views = self.clips[clip].features, self.clips[clip].views
        if features is not None and row < len(features):
            return features[row, frame]
        return views[row - len(features), frame]  # type: ignore[index, arg-type]  # rows beyond the shifts are views

    def windows(self, at: tuple[int, int], draw: Callable[[tuple[int, int]], dict[str, Tensor]]) -> Tensor:
        """Return the windows of a block of steps, (first, count), on the device; begin with those of the next."""
        if self._thread is None:
            return self.gather(draw(at))
        ready = self._ahead[1].result() if self._ahead is not None and self._ahead[0] == at else self.gather(draw(at))
        coming = (sum(at), at[1])
        self._ahead = (coming, self._thread.submit(lambda: self.gather(draw(coming))))
        return ready.to(self.device, non_blocking=True)

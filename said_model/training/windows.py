"""Windows for training, drawn at random and augmented on copies (paper 5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from blendvoca.arkit import mirror_name, mirror_permutation
from blendvoca.errors import ConfigurationError
from said_model.audio_encoder.features import LARGEST_SHIFT, shifted


@dataclass(frozen=True)
class AugmentConfig:
    """What is drawn.

    :param frames: N, length of a window.
    :param shift_probability: of moving the sound against the motion, within 1/60 s.
    :param mirror_probability: of exchanging left and right blendshapes.
    """

    frames: int = 120
    shift_probability: float = 0.5
    mirror_probability: float = 0.5

    def __post_init__(self) -> None:
        chances = (self.shift_probability, self.mirror_probability)
        if self.frames < 2 or not all(0 <= chance <= 1 for chance in chances):
            raise ConfigurationError("wrong augmentation", expected="frames ≥ 2, probabilities 0 to 1", found=self)


@dataclass(frozen=True)
class TrainingClip:
    """One clip as training holds it.

    :param values: (T, K) float32 coefficients.
    :param features: (shifts, T, D) cached features, or ``None``.
    :param samples: (S,) waveform, where the encoder listens while training; else ``None``.
    :param speaker: position of the speaker.
    :param views: (V - 1, T, D) cached features of the sound under acoustic augmentation, or ``None``.
    """

    values: NDArray[np.float32]
    features: NDArray[np.float16] | None
    samples: NDArray[np.float32] | None
    speaker: int
    views: NDArray[np.float16] | None = None


@dataclass(frozen=True)
class Batch:
    """B windows of N frames.

    :param coefficients: (B, N, K).
    :param features: (B, N, D), or ``None`` where ``waveform`` (B, S) is given.
    :param mask: (B, N) false on frames after a short clip's end, which repeat its last.
    :param speaker: (B,) positions of the speakers.
    """

    coefficients: Tensor
    features: Tensor | None
    waveform: Tensor | None
    mask: Tensor
    speaker: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """Return the batch on another device."""
        def move(value: Tensor | None) -> Tensor | None:
            return None if value is None else value.to(device)

        return Batch(
            self.coefficients.to(device), move(self.features), move(self.waveform), self.mask.to(device),
            self.speaker.to(device),
        )  # fmt: skip


class WindowSource:
    """Draws batches: every clip once an epoch, at a random place.

    A batch depends on its number and the seed only, never on what was drawn before: a resumed run goes on as it would
    have.

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
        # A set of names with a unpaired side cannot be mirrored; then nothing is.
        whole = {mirror_name(name) for name in names} == set(names)
        self._mirror = mirror_permutation(names) if config.mirror_probability > 0 and whole else None

    def draw(self, number: int, size: int, seed: int) -> Batch:
        """Return batch ``number`` of ``size`` windows."""
        rng = np.random.default_rng([seed, number])
        rows = [self._row(number * size + place, seed) for place in range(size)]
        return self.collate([self._window(self.clips[row], rng) for row in rows])

    def fixed(self, stride: int) -> list[tuple[int, int]]:
        """Return (clip, start) of windows that cover all clips, for validation."""
        return [
            (row, start)
            for row, clip in enumerate(self.clips)
            for start in range(0, max(len(clip.values) - self.config.frames, 0) + 1, stride)
        ]

    def at(self, places: Sequence[tuple[int, int]]) -> Batch:
        """Return the unaugmented windows at (clip, start)."""
        return self.collate([self._cut(self.clips[row], start, None, False) for row, start in places])

    def _row(self, place: int, seed: int) -> int:
        epoch, within = divmod(place, len(self.clips))
        return int(np.random.default_rng([seed, epoch, 1]).permutation(len(self.clips))[within])

    def _window(self, clip: TrainingClip, rng: np.random.Generator) -> dict[str, NDArray[np.generic] | None]:
        start = int(rng.integers(max(len(clip.values) - self.config.frames, 0) + 1))
        shift = rng.uniform(-1, 1) if rng.uniform() < self.config.shift_probability else None
        mirror = bool(rng.uniform() < self.config.mirror_probability)
        view = int(rng.integers(len(clip.views) + 1)) if clip.views is not None else 0
        return self._cut(clip, start, shift, mirror, view)

    def _cut(
        self, clip: TrainingClip, start: int, shift: float | None, mirror: bool, view: int = 0
    ) -> dict[str, NDArray[np.generic] | None]:
        """Cut a window; ``shift`` in units of the largest, ``mirror`` exchanges the columns of the copy.

        A ``view`` other than 0 is one under acoustic augmentation, which has a shift of its own.
        """
        frames = np.arange(start, start + self.config.frames)
        held = frames.clip(max=len(clip.values) - 1)
        values = clip.values[held]
        if mirror and self._mirror is not None:
            values = values[:, self._mirror]
        features = waveform = None
        if clip.features is not None:
            count = len(clip.features)
            chosen = count // 2 if shift is None else min(int((shift + 1) / 2 * count), count - 1)
            features = clip.features[chosen, held].astype(np.float32)
            if view and clip.views is not None:
                features = clip.views[view - 1, held].astype(np.float32)
        if clip.samples is not None:
            by = 0 if shift is None else round(shift * LARGEST_SHIFT * self.rate)
            first, length = round(start * self.rate / self.fps), round(self.config.frames * self.rate / self.fps)
            piece = shifted(clip.samples, by)[first : first + length]
            waveform = np.pad(piece, (0, length - len(piece)))
        mask = frames < len(clip.values)
        return {"coefficients": values, "features": features, "waveform": waveform, "mask": mask,
                "speaker": np.array(clip.speaker)}  # fmt: skip

    def collate(self, windows: Sequence[dict[str, NDArray[np.generic] | None]]) -> Batch:
        """Stack windows."""
        stacked = {}
        for name in windows[0]:
            parts = [window[name] for window in windows if window[name] is not None]
            stacked[name] = torch.from_numpy(np.stack(parts)) if parts else None  # type: ignore[arg-type]
        return Batch(**stacked)  # type: ignore[arg-type]

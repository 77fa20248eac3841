"""Audio features computed once: what the frozen encoder says of every clip, kept beside the shards.

The encoder is frozen (paper Figure 3), so its answer for a clip never changes. The audio shift augmentation (paper 5.1)
stays exact: the clip is encoded at several shifts spread evenly over ±1/60 s, and training picks one of them.

Acoustic augmentation (other loudness, noise, rooms) changes what is encoded, so it is cached too, as further
*views* of a clip: view 0 is the clean sound at all shifts; of the others, each an augmentation with a seed of its own,
every second one is unshifted and the rest go through the shifts in turn.

Files lie at ``SHARDS/.features/<encoder key>/<speaker>-<shard digest>/<sentence>.npy``: (shifts, N, D) float16; views,
(V - 1, N, D), in a folder of the key that is named by the augmentation and their number. The key covers the encoder's
name, settings and weights, the frame rate and the shifts, so nothing stale is ever read.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from blendvoca.audio import Waveform
from blendvoca.clip import Clip
from blendvoca.dataset import BlendVOCA
from blendvoca.errors import AudioError, ConfigurationError, IntegrityError
from blendvoca.internal.progress import Progress
from blendvoca.io.atomic import atomic_path
from said_model.audio_encoder import AudioEncoder, normalise
from said_model.audio_encoder.speech import to_length
from said_model.config import SAMPLE_RATE
from said_model.devices import pick_device
from said_model.extras import require_package

#: Largest shift of the sound against the motion, in seconds (paper 5.1).
LARGEST_SHIFT = 1 / 60
FOLDER, FORMAT_VERSION = ".features", 2


@dataclass(frozen=True)
class Shifts:
    """The shifts that are cached.

    :param count: how many, odd, so that none is among them; 1 caches the unshifted sound alone.
    """

    count: int = 5

    def __post_init__(self) -> None:
        if self.count < 1 or self.count % 2 == 0:
            raise ConfigurationError("wrong number of audio shifts", expected="1, 3, 5, …", found=self.count)

    @property
    def samples(self) -> tuple[int, ...]:
        """Shifts in samples at 16 kHz, rising; positive delays the sound."""
        reach = LARGEST_SHIFT * SAMPLE_RATE if self.count > 1 else 0.0
        return tuple(round(shift) for shift in np.linspace(-reach, reach, self.count))


class AcousticAugmentation(Protocol):
    """What changes a clip's sound before it is encoded; its length and instants stay.

    ``name`` and ``version`` distinguish it, with its settings, from every other one: they name the cached views.
    """

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def version(self) -> int:
        """Number of its way to change sound."""

    def apply(self, samples: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
        """Return the (S,) samples at 16 kHz changed; the same for the same seed."""


@dataclass(frozen=True)
class Views:
    """The views that are cached beside the clean sound.

    :param augment: what makes them.
    :param count: V, views of a clip, the clean one included.
    """

    augment: AcousticAugmentation
    count: int

    def __post_init__(self) -> None:
        if self.count < 2:
            raise ConfigurationError("wrong number of acoustic views", expected="2 or more", found=self.count)

    @property
    def folder(self) -> str:
        """Name of the folder of the views."""
        return f"{self.augment.name}.{self.augment.version}-{self.count}"


def view_shifts(views: int, shifts: int) -> list[int]:
    """Return the position among the shifts at which each further view is encoded: V - 1 numbers."""
    others = [place for place in range(shifts) if place != shifts // 2] or [0]
    return [shifts // 2 if view % 2 else others[(view // 2 - 1) % len(others)] for view in range(1, views)]


def view_seed(speaker: str, sentence: str, view: int) -> int:
    """Return the seed of a clip's view; it depends on their names alone."""
    return zlib.crc32(f"{speaker}/{sentence}/{view}".encode())


def shifted(samples: NDArray[np.float32], by: int) -> NDArray[np.float32]:
    """Return a waveform (S,) delayed by so many samples, silence moving in; negative advances it."""
    out = np.zeros_like(samples)
    if by >= 0:
        out[by:] = samples[: max(len(samples) - by, 0)]
    else:
        out[:by] = samples[-by:]
    return out


def fill_together(
    pairs: Sequence[tuple[FeatureCache, BlendVOCA]], on_report: Progress | None = None, device: str | None = None
) -> None:
    """Fill caches on a training's device; of several processes the first computes, the others find what it wrote.

    :param pairs: caches of one encoder, each with a dataset.
    :param device: as for :func:`said_model.training.loop.run`.
    """
    if device is not None:
        pick_device(device)
    accelerate = require_package("accelerate", "training")
    on_cpu = device == "cpu" or accelerate.utils.parse_flag_from_env("ACCELERATE_USE_CPU")
    state = accelerate.PartialState(cpu=on_cpu)
    with state.main_process_first():
        for cache, dataset in pairs:
            cache.encoder.to(state.device)
            cache.fill(dataset, on_report)


@torch.no_grad()
def encode(encoder: AudioEncoder, samples: NDArray[np.float32], n_frames: int) -> NDArray[np.float32]:
    """Return the features (N, D) of a waveform (S,) at 16 kHz."""
    return _answer(encoder, encoder, samples, n_frames)


@torch.no_grad()
def encode_frozen(encoder: AudioEncoder, samples: NDArray[np.float32], n_frames: int) -> NDArray[np.float32]:
    """Return what no training changes of the features: (N, C) of a waveform (S,) at 16 kHz."""
    return _answer(encoder, encoder.frozen, samples, n_frames)


def _answer(
    encoder: AudioEncoder, part: Callable[[torch.Tensor, int], torch.Tensor], samples: NDArray[np.float32],
    n_frames: int,
) -> NDArray[np.float32]:  # fmt: skip
    device = next((buffer.device for buffer in [*encoder.parameters(), *encoder.buffers()]), torch.device("cpu"))
    waveform = normalise(torch.from_numpy(np.array(samples, dtype=np.float32))[None].to(device))
    return part(waveform, n_frames)[0].float().cpu().numpy()


def encoder_key(encoder: AudioEncoder, name: str, fps: float, shifts: Shifts) -> str:
    """Return a digest of everything that the features depend on besides the sound."""
    settings, learns = dict(getattr(encoder, "settings", {})), getattr(encoder, "learns_on_cache", False)
    if learns:
        # What is learned on the cache is no part of it.
        settings["stack"] = True
    facts = {"name": name, "settings": settings, "fps": fps, "shifts": shifts.samples}
    digest = hashlib.sha256(json.dumps({"version": FORMAT_VERSION, **facts}, sort_keys=True, default=str).encode())
    for key, value in [] if learns else sorted(encoder.state_dict().items()):
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


class FeatureCache:
    """Features of a dataset under one encoder.

    :param root: the folder of the shards.
    :param encoder: in evaluation mode.
    :param name: the encoder's name.
    :param fps: frames per second of the features.
    :param views: further views to keep, made by acoustic augmentation; by default none.
    :param spare: a folder that takes what cannot be written beside the shards.
    :param store: write files; else what is computed is kept in memory, and what others wrote is not looked at.
    """

    def __init__(
        self, root: str | Path, encoder: AudioEncoder, name: str, fps: float = 60.0, shifts: Shifts | None = None,
        views: Views | None = None, store: bool = True, spare: str | Path | None = None,
    ) -> None:  # fmt: skip
        self.encoder, self.fps, self.shifts, self.views = encoder.eval(), fps, shifts or Shifts(), views
        key = encoder_key(encoder, name, fps, self.shifts)
        self.folder = Path(root) / FOLDER / key
        #: Where new features go, where not beside the shards.
        self.spare = Path(spare) / FOLDER / key if spare is not None and not can_write(self.folder) else None
        self.kept: dict[Path, NDArray[np.float16]] | None = None if store else {}

    def clean_only(self) -> FeatureCache:
        """Return the same cache without further views."""
        other = copy.copy(self)
        other.views = None
        return other

    def path(self, dataset: BlendVOCA, row: int, further: bool = False) -> Path:
        """Return where the features of a clip stand, or those of its further views."""
        speaker, sentence = dataset.keys()[row]
        views = self.views.folder if further and self.views else ""
        below = Path(views, f"{speaker}-{dataset.shard(speaker).content_sha256[:16]}", f"{sentence}.npy")
        beside = self.folder / below
        return beside if self.spare is None or beside.is_file() else self.spare / below

    def missing(self, dataset: BlendVOCA) -> list[int]:
        """Return the rows of clips that are not cached, or whose file is damaged."""
        return [row for row in range(len(dataset)) if not self._whole(dataset, row)]

    def _whole(self, dataset: BlendVOCA, row: int, further: bool = False) -> bool:
        path = self.path(dataset, row, further)
        if path not in self.kept if self.kept is not None else not path.is_file():
            return False
        try:
            self._read(dataset, row, further)
        except IntegrityError:
            return False
        return True if further or self.views is None else self._whole(dataset, row, True)

    def fill(self, dataset: BlendVOCA, on_report: Progress | None = None) -> int:
        """Compute what is missing and return how many clips that were.

        :param dataset: opened with ``audio_rate=16_000``.
        :raises AudioError: for a clip without sound.
        """
        rows = self.missing(dataset)
        for done, row in enumerate(rows):
            for further in (False, True) if self.views is not None else (False,):
                if not self._whole(dataset, row, further):
                    self._write(dataset, row, further)
            if on_report is not None:
                on_report("features", done + 1, len(rows))
        return len(rows)

    def _write(self, dataset: BlendVOCA, row: int, further: bool) -> None:
        features = self.further_views(dataset[row]) if further else self.clean(dataset[row])
        if self.kept is not None:
            self.kept[self.path(dataset, row, further)] = features
            return
        with atomic_path(self.path(dataset, row, further)) as temporary, temporary.open("wb") as file:
            np.save(file, features, allow_pickle=False)

    def clean(self, clip: Clip) -> NDArray[np.float16]:
        """Compute (shifts, N, D): a clip's features at every shift.

        :raises AudioError: for a clip without sound.
        """
        waveform = speech(clip.waveform, f"{clip.speaker}/{clip.sentence}")
        return self._encode([shifted(waveform, by) for by in self.shifts.samples], len(clip.track))

    def further_views(self, clip: Clip) -> NDArray[np.float16]:
        """Compute (V - 1, N, D): a clip's features under acoustic augmentation.

        :raises AudioError: for a clip without sound.
        """
        if self.views is None:
            raise ConfigurationError("this cache holds no acoustic views", remedy="Open it with views.")
        waveform, sounds = speech(clip.waveform, f"{clip.speaker}/{clip.sentence}"), []
        for view, place in enumerate(view_shifts(self.views.count, self.shifts.count), start=1):
            seed = view_seed(clip.speaker, clip.sentence, view)
            sounds.append(shifted(self.views.augment.apply(waveform, seed), self.shifts.samples[place]))
        return self._encode(sounds, len(clip.track))

    def _encode(self, sounds: Sequence[NDArray[np.float32]], n_frames: int) -> NDArray[np.float16]:
        cut = [to_length(samples, n_frames, self.fps) for samples in sounds]
        return np.stack([encode_frozen(self.encoder, samples, n_frames) for samples in cut]).astype(np.float16)

    def read(self, dataset: BlendVOCA, row: int) -> NDArray[np.float16]:
        """Return (shifts, N, D) of a clip, memory-mapped.

        :raises IntegrityError: for a file that is none of ours.
        """
        return self._read(dataset, row, False)

    def read_views(self, dataset: BlendVOCA, row: int) -> NDArray[np.float16] | None:
        """Return (V - 1, N, D), the further views of a clip, memory-mapped; ``None`` without any.

        :raises IntegrityError: for a file that is none of ours.
        """
        return None if self.views is None else self._read(dataset, row, True)

    def _read(self, dataset: BlendVOCA, row: int, further: bool) -> NDArray[np.float16]:
        path = self.path(dataset, row, further)
        count = self.views.count - 1 if further and self.views else self.shifts.count
        expected = (count, dataset.entry(row).frames, self.encoder.cached_dim)
        if self.kept is not None:
            return self.kept[path]
        try:
            features: NDArray[np.float16] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise IntegrityError("cached features cannot be read", found=error, path=path,
                                 remedy="Run `said features` again.") from error  # fmt: skip
        if features.shape != expected:
            raise IntegrityError("cached features have another shape", expected=expected, found=features.shape,
                                 path=path, remedy="Run `said features` again.")  # fmt: skip
        return features


def can_write(folder: Path) -> bool:
    """Whether a folder, or the nearest one above it that exists, can be written."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return os.access(there, os.W_OK | os.X_OK)


def speech(waveform: Waveform | None, what: str) -> NDArray[np.float32]:
    """Return a clip's samples (S,).

    :raises AudioError: without sound, or at another rate than the encoders'.
    """
    if waveform is None:
        raise AudioError(
            f"{what} has no sound",
            expected="shards with audio",
            remedy="Published packages leave it out: `blendvoca complete` joins your own VOCASET audio to them.",
        )
    if waveform.rate != SAMPLE_RATE:
        raise AudioError(f"{what} is at another rate", expected=SAMPLE_RATE, found=waveform.rate)
    return waveform.samples

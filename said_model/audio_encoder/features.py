"""Audio features computed once: what the frozen encoder says of every clip, kept beside the shards.

The encoder is frozen (paper Figure 3), so its answer for a clip never changes. The audio shift augmentation (paper 5.1)
stays exact: the encoder hears the clip at several shifts spread evenly over ±1/60 s, and training picks one of them.

Files lie at ``SHARDS/.features/<encoder key>/<speaker>-<shard digest>/<sentence>.npy``: (shifts, N, D) float16. The key
covers the encoder's name, settings and weights, the frame rate and the shifts, so nothing stale is ever read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from blendvoca.audio import Waveform
from blendvoca.dataset import BlendVOCA
from blendvoca.errors import AudioError, ConfigurationError, IntegrityError
from blendvoca.io.atomic import atomic_path
from said_model.audio_encoder import AudioEncoder, normalise
from said_model.config import SAMPLE_RATE
from said_model.devices import pick_device
from said_model.extras import require_package

#: Largest shift of the sound against the motion, in seconds (paper 5.1).
LARGEST_SHIFT = 1 / 60
FOLDER, FORMAT_VERSION = ".features", 2
#: What is told of progress: clips done, clips in all.
Tell = Callable[[int, int], None]


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


def shifted(samples: NDArray[np.float32], by: int) -> NDArray[np.float32]:
    """Return a waveform (S,) delayed by so many samples, silence moving in; negative advances it."""
    out = np.zeros_like(samples)
    if by >= 0:
        out[by:] = samples[: max(len(samples) - by, 0)]
    else:
        out[:by] = samples[-by:]
    return out


def to_length(samples: NDArray[np.float32], n_frames: int, fps: float) -> NDArray[np.float32]:
    """Cut a waveform (S,) at 16 kHz where the motion's frames end, or fill it up with silence.

    Recordings last a little longer or shorter than the motion; an encoder spreads all it hears over the frames, so that
    features of the whole recording would drift away from the motion.
    """
    count = max(round(n_frames / fps * SAMPLE_RATE), 1)
    return np.pad(samples[:count], (0, max(count - len(samples), 0)))


def fill_together(
    cache: FeatureCache, datasets: Sequence[BlendVOCA], on_report: Tell | None = None, device: str | None = None
) -> None:
    """Fill a cache on a training's device; of several processes the first computes, the others find what it wrote.

    :param device: as for :func:`said_model.training.loop.run`.
    """
    if device is not None:
        pick_device(device)
    accelerate = require_package("accelerate", "training")
    on_cpu = device == "cpu" or accelerate.utils.parse_flag_from_env("ACCELERATE_USE_CPU")
    state = accelerate.PartialState(cpu=on_cpu)
    cache.encoder.to(state.device)
    with state.main_process_first():
        for dataset in datasets:
            cache.fill(dataset, on_report)


@torch.no_grad()
def encode(encoder: AudioEncoder, samples: NDArray[np.float32], n_frames: int) -> NDArray[np.float32]:
    """Return the features (N, D) of a waveform (S,) at 16 kHz."""
    device = next((buffer.device for buffer in [*encoder.parameters(), *encoder.buffers()]), torch.device("cpu"))
    waveform = normalise(torch.from_numpy(np.ascontiguousarray(samples, dtype=np.float32))[None].to(device))
    return encoder(waveform, n_frames)[0].float().cpu().numpy()


def encoder_key(encoder: AudioEncoder, name: str, fps: float, shifts: Shifts) -> str:
    """Return a digest of everything that the features depend on besides the sound."""
    facts = {"name": name, "settings": dict(getattr(encoder, "settings", {})), "fps": fps, "shifts": shifts.samples}
    digest = hashlib.sha256(json.dumps({"version": FORMAT_VERSION, **facts}, sort_keys=True, default=str).encode())
    for key, value in sorted(encoder.state_dict().items()):
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


class FeatureCache:
    """Features of a dataset under one encoder.

    :param root: the folder of the shards.
    :param encoder: in evaluation mode.
    :param name: the encoder's name.
    :param fps: frames per second of the features.
    """

    def __init__(
        self, root: str | Path, encoder: AudioEncoder, name: str, fps: float = 60.0, shifts: Shifts | None = None
    ) -> None:
        self.encoder, self.fps, self.shifts = encoder.eval(), fps, shifts or Shifts()
        self.folder = Path(root) / FOLDER / encoder_key(encoder, name, fps, self.shifts)

    def path(self, dataset: BlendVOCA, row: int) -> Path:
        """Return where the features of a clip stand."""
        speaker, sentence = dataset.keys()[row]
        return self.folder / f"{speaker}-{dataset.shard(speaker).content_sha256[:16]}" / f"{sentence}.npy"

    def missing(self, dataset: BlendVOCA) -> list[int]:
        """Return the rows of clips that are not cached, or whose file is damaged."""
        return [row for row in range(len(dataset)) if not self._whole(dataset, row)]

    def _whole(self, dataset: BlendVOCA, row: int) -> bool:
        if not self.path(dataset, row).is_file():
            return False
        try:
            self.read(dataset, row)
        except IntegrityError:
            return False
        return True

    def fill(self, dataset: BlendVOCA, on_report: Tell | None = None) -> int:
        """Compute what is missing and return how many clips that were.

        :param dataset: opened with ``audio_rate=16_000``.
        :raises AudioError: for a clip without sound.
        """
        rows = self.missing(dataset)
        for done, row in enumerate(rows):
            clip = dataset[row]
            waveform = speech(clip.waveform, f"{clip.speaker}/{clip.sentence}")
            count = len(clip.track)
            heard = [to_length(shifted(waveform, by), count, self.fps) for by in self.shifts.samples]
            frames = [encode(self.encoder, samples, count) for samples in heard]
            with atomic_path(self.path(dataset, row)) as temporary, temporary.open("wb") as file:
                np.save(file, np.stack(frames).astype(np.float16), allow_pickle=False)
            if on_report is not None:
                on_report(done + 1, len(rows))
        return len(rows)

    def read(self, dataset: BlendVOCA, row: int) -> NDArray[np.float16]:
        """Return (shifts, N, D) of a clip, memory-mapped.

        :raises IntegrityError: for a file that is none of ours.
        """
        path = self.path(dataset, row)
        expected = (self.shifts.count, dataset.entry(row).frames, self.encoder.feature_dim)
        try:
            features: NDArray[np.float16] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise IntegrityError("cached features cannot be read", found=error, path=path,
                                 remedy="Run `said features` again.") from error  # fmt: skip
        if features.shape != expected:
            raise IntegrityError("cached features have another shape", expected=expected, found=features.shape,
                                 path=path, remedy="Run `said features` again.")  # fmt: skip
        return features


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

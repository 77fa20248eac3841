"""Sound as the model takes it: 16 kHz, mono, normalised; and its features at the animation's frames."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from blendvoca.audio import Waveform
from blendvoca.io.sound.wav import FULL_SCALE, Source, read_resampled
from said_model.audio_encoder import AudioEncoder
from said_model.audio_encoder.level import Level
from said_model.config import SAMPLE_RATE
from said_model.ranges import require

#: Frames whose features are computed together; longer sound is cut, with the encoder's context on either side.
CHUNK_FRAMES = 1200
#: Share of samples at full scale from which on sound counts as clipped.
CLIPPED_SHARE = 1e-3
#: Root mean square below which sound counts as silence (-80 dB).
SILENCE = 1e-4
#: Seconds below which nothing can be said of speech.
SHORT_SECONDS = 0.2


@dataclass(frozen=True, eq=False)
class Speech:
    """Sound that is ready to be encoded.

    :param samples: (S,) at 16 kHz, zero mean and unit variance.
    :param notes: what a user should know of the sound: silence, clipping, a low rate.
    :param level: what the samples were normalised by.
    """

    samples: Tensor
    notes: tuple[str, ...]
    level: Level

    @classmethod
    def of(cls, samples: Tensor, notes: tuple[str, ...] = ()) -> Speech:
        """Normalise samples (S,) at 16 kHz."""
        level = Level()
        level.update(samples)
        return cls(level.normalise(samples), notes, level)

    def frames(self, fps: float) -> int:
        """Number of animation frames that the sound lasts, at least one."""
        return max(round(len(self.samples) / SAMPLE_RATE * fps), 1)

    def whole_frames(self, fps: float) -> int:
        """Number of animation frames that fit into the sound, as the authors' code counts them; at least one."""
        return max(int(len(self.samples) / SAMPLE_RATE * fps), 1)

    def filled(self, fps: float) -> Speech:
        """Return the sound filled up with zeros to a whole number of frames before it is normalised, as the authors do.

        At 60 frames a second that is a multiple of 800 samples: three frames.

        :raises ConfigurationError: for a frame rate that is no whole number, for which they define no multiple.
        """
        require(float(fps).is_integer(), "sound cannot be filled up to whole frames", "a whole frame rate", fps)
        missing = -len(self.samples) % (SAMPLE_RATE // math.gcd(SAMPLE_RATE, int(fps)))
        return Speech.of(F.pad(self.level.restore(self.samples), (0, missing)), self.notes) if missing else self

    def lasting(self, n_frames: int, fps: float) -> Speech:
        """Return the sound cut where so many frames end, or filled up with silence: sound and frames stay in step."""
        return replace(self, samples=torch.from_numpy(to_length(self.samples.numpy(), n_frames, fps)))


def to_length(samples: NDArray[np.float32], n_frames: int, fps: float) -> NDArray[np.float32]:
    """Cut a waveform (S,) at 16 kHz where the motion's frames end, or fill it up with silence.

    Recordings last a little longer or shorter than the motion; an encoder spreads all of its input over the frames, so
    that features of the whole recording would drift away from the motion.
    """
    count = max(round(n_frames / fps * SAMPLE_RATE), 1)
    return np.pad(samples[:count], (0, max(count - len(samples), 0)))


def load_speech(sound: str | PathLike[str] | Waveform) -> Speech:
    """Read or take sound, hours of it.

    :raises MissingInputError: if a file is not there.
    :raises FormatError: if it is no sound file.
    :raises AudioError: if it is empty, longer than four hours, or holds values that are not finite.
    """
    if isinstance(sound, Waveform):
        # A single sample has no rate to change; soxr would return nothing.
        resampled = sound.resampled(SAMPLE_RATE) if len(sound) * SAMPLE_RATE >= 2 * sound.rate else sound
        level = float(np.sqrt(np.mean(np.square(sound.samples, dtype=np.float64))))
        clipped = float(np.mean(np.abs(sound.samples) >= FULL_SCALE))
        source = Source(sound.rate, len(sound), level, clipped)
    else:
        resampled, source = read_resampled(sound, SAMPLE_RATE)
    return Speech.of(torch.from_numpy(resampled.samples.copy()), tuple(_notes(source)))


def _notes(source: Source) -> list[str]:
    notes = list(source.notes)
    if source.level < SILENCE:
        notes.append("the sound is silent: expect a face at rest, and no lips that follow speech")
    if source.clipped > CLIPPED_SHARE:
        notes.append(f"{source.clipped:.1%} of the samples are clipped: lips may follow less well")
    if source.rate < SAMPLE_RATE:
        notes.append(f"the sound has {source.rate} Hz instead of {SAMPLE_RATE}: consonants are hard to distinguish")
    if source.samples / source.rate < SHORT_SECONDS:
        notes.append(f"the sound lasts {source.samples / source.rate:.2f} s: too short for speech")
    return notes


def features_of(
    encoder: AudioEncoder, samples: Tensor, n_frames: int, chunk: int = CHUNK_FRAMES,
    span: tuple[int, int] | None = None,
) -> Tensor:  # fmt: skip
    """Encode sound of any length: (S,) normalised samples to (1, N, D).

    Long sound is encoded in chunks with the encoder's context on either side, in memory that does not grow with it.

    :param span: first and last frame (excluded) that are wanted, instead of all N: the same features, in less memory.
    """
    first, last = span or (0, n_frames)
    samples_per_frame = len(samples) / n_frames
    context = round(encoder.context_seconds * SAMPLE_RATE / samples_per_frame)
    if n_frames <= chunk + 2 * context:
        return encoder(samples[None], n_frames)[:, first:last]
    parts = []
    for start in range(first - first % chunk, last, chunk):
        stop = min(start + chunk, n_frames)
        low, high = max(start - context, 0), min(stop + context, n_frames)
        excerpt = samples[round(low * samples_per_frame) : round(high * samples_per_frame)]
        encoded = encoder(excerpt[None], high - low)
        parts.append(encoded[:, max(start, first) - low : min(stop, last) - low].clone())
    return torch.cat(parts, 1)

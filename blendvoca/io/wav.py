"""Sound files: any format that libsndfile reads, mixed to mono; 16-bit WAV out."""

from __future__ import annotations

import io
import os
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.audio import MAX_RATE, MIN_RATE, Waveform
from blendvoca.errors import AudioError, BlendvocaError, FormatError, MissingInputError
from blendvoca.io.atomic import write_bytes
from blendvoca.io.files import StrPath, check_file, naming, read_bytes

#: Longest sound that is read, in seconds: as it is, and at a lower rate.
MAX_SECONDS, MAX_SECONDS_RESAMPLED = 3600.0, 14400.0
#: Amplitude that is full scale.
FULL_SCALE = 0.999
#: Samples that any file may hold, and that each of its bytes may stand for: a few kilobytes can claim weeks of silence.
_FREE_SAMPLES, _SAMPLES_PER_BYTE = 1 << 21, 64
#: Most channels that are mixed.
_MAX_CHANNELS = 64
#: Frames read at a time, so that memory follows what the file holds and not what its header claims.
_BLOCK = 1 << 16


@dataclass(frozen=True)
class Source:
    """What a sound file held before its rate was changed, all channels mixed.

    :param rate: samples per second.
    :param samples: how many.
    :param level: root mean square.
    :param clipped: share of samples at full scale.
    """

    rate: int
    samples: int
    level: float
    clipped: float


def read_audio(path: StrPath) -> Waveform:
    """Read a sound file (WAV, FLAC, OGG, MP3, AIFF, …) as mono: the mean of its channels.

    :param path: of a file that libsndfile reads: WAV, FLAC, OGG, MP3, AIFF.
    :raises MissingInputError: if the file cannot be read.
    :raises FormatError: if it is no sound file.
    :raises AudioError: if it is empty, longer than an hour, or holds values that are not finite.
    """
    return decode_audio(read_bytes(path), path)


def decode_audio(data: bytes, path: StrPath | None = None) -> Waveform:
    """Decode the bytes of a sound file; ``path`` is what errors call it."""
    with naming(path), _opened(_Bytes(data)) as sound:
        return Waveform(_whole(_blocks(sound, len(data), MAX_SECONDS)), sound.samplerate)  # type: ignore[attr-defined]


def read_resampled(path: StrPath, rate: int) -> tuple[Waveform, Source]:
    """Read a sound file at another rate, in memory that follows the new rate and not the file: hours of it.

    The samples are those of ``read_audio(path).resampled(rate)``, bit for bit.

    :raises MissingInputError: if the file cannot be read.
    :raises FormatError: if it is no sound file.
    :raises AudioError: if it is empty, longer than four hours, or holds values that are not finite.
    """
    with naming(path):
        try:
            check_file(path)
            with _File(path, "rb") as file, _opened(file) as sound:
                size = os.fstat(file.fileno()).st_size
                return _resampled(_blocks(sound, size, MAX_SECONDS_RESAMPLED), sound.samplerate, rate)  # type: ignore[attr-defined]
        except BlendvocaError:
            raise  # some of them are a ValueError too
        except (OSError, ValueError) as error:
            # ValueError: a name with a NUL byte in it.
            reason = getattr(error, "strerror", None) or str(error)
            raise MissingInputError("cannot read this file", found=reason, path=path) from error


def _resampled(blocks: Iterator[NDArray[np.float32]], old: int, new: int) -> tuple[Waveform, Source]:
    import soxr

    stream = None if old == new else soxr.ResampleStream(old, new, 1, dtype="float32")
    count, clipped, squares = 0, 0, 0.0
    parts: list[NDArray[np.float32]] = []
    for block in blocks:
        bad = np.flatnonzero(~np.isfinite(block))
        if bad.size:
            raise AudioError("samples are not finite", found=f"sample {count + int(bad[0])}")
        count += len(block)
        clipped += int(np.count_nonzero(np.abs(block) >= FULL_SCALE))
        squares += float(np.square(block, dtype=np.float64).sum())
        parts.append(block if stream is None else stream.resample_chunk(block))
    if stream is not None and count:
        parts.append(stream.resample_chunk(np.zeros(0, np.float32), last=True))
    source = Source(old, count, float(np.sqrt(squares / max(count, 1))), clipped / max(count, 1))
    samples = _whole(iter(parts))
    # A sample or two have no rate to change, and soxr returns nothing for them.
    return Waveform(samples if samples.size else np.zeros(1, np.float32), new), source


class _Steady(io.IOBase):
    """A file that stays where it is when a damaged header sends libsndfile before its start."""

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return super().seek(offset, whence)
        except (ValueError, OSError):
            return self.tell()


class _Bytes(_Steady, io.BytesIO):
    """Bytes."""


class _File(_Steady, io.FileIO):
    """A file on disk."""


@contextmanager
def _opened(file: io.IOBase) -> Iterator[object]:
    """Open a file with libsndfile.

    :raises FormatError: if it is no sound file, or breaks while it is read.
    """
    import soundfile

    try:
        with soundfile.SoundFile(file) as sound:
            yield sound
    except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
        # The whole message would name an object in memory.
        reason = getattr(error, "error_string", str(error))
        raise FormatError("not a sound file", expected="WAV, FLAC, OGG or MP3", found=reason) from error


def _blocks(sound: object, size: int, most_seconds: float) -> Iterator[NDArray[np.float32]]:
    """Read an open ``soundfile.SoundFile`` of ``size`` bytes to its end and mix the channels."""
    rate, channels = sound.samplerate, sound.channels  # type: ignore[attr-defined]
    if not MIN_RATE <= rate <= MAX_RATE or not 1 <= channels <= _MAX_CHANNELS:
        raise AudioError(
            "wrong sample rate or channels",
            expected=f"{MIN_RATE} to {MAX_RATE} Hz, at most {_MAX_CHANNELS} channels",
            found=f"{rate} Hz, {channels} channels",
        )
    most, held = _FREE_SAMPLES + _SAMPLES_PER_BYTE * size, 0
    while held * channels <= most and held <= most_seconds * rate:
        block = sound.read(_BLOCK, dtype="float32", always_2d=True)  # type: ignore[attr-defined]
        if len(block) == 0:
            return
        held += len(block)
        yield block[:, 0] if channels == 1 else block.mean(axis=1, dtype=np.float32)
    raise AudioError(
        "the sound is too long",
        expected=f"at most {most_seconds:g} s, and what a file of this size can hold",
        found=f"{held / rate:g} s and more",
        remedy="Cut it into pieces.",
    )


def _whole(blocks: Iterator[NDArray[np.float32]]) -> NDArray[np.float32]:
    parts = list(blocks)
    if not parts:
        raise AudioError("the sound file is empty", expected="at least one sample", found=0)
    return np.concatenate(parts)


def write_wav(path: StrPath, sound: Waveform) -> None:
    """Write a 16-bit mono WAV file atomically."""
    write_bytes(path, encode_wav(sound))


def encode_wav(sound: Waveform) -> bytes:
    """Return the bytes of a 16-bit mono WAV file."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(sound.rate)
        writer.writeframes(sound.to_int16().astype("<i2").tobytes())
    return buffer.getvalue()

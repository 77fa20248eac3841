"""Sound files: any format that libsndfile reads, mixed to mono; 16-bit WAV out."""

from __future__ import annotations

import io
import wave

import numpy as np
from numpy.typing import NDArray

from blendvoca.audio import MAX_RATE, MIN_RATE, Waveform
from blendvoca.errors import AudioError, FormatError
from blendvoca.io.atomic import write_bytes
from blendvoca.io.files import StrPath, naming, read_bytes

#: Longest sound that is read, in seconds.
MAX_SECONDS = 3600.0
#: Samples that any file may hold, and that each of its bytes may stand for: a few kilobytes can claim weeks of silence.
_FREE_SAMPLES, _SAMPLES_PER_BYTE = 1 << 21, 64
#: Most channels that are mixed.
_MAX_CHANNELS = 64
#: Frames read at a time, so that memory follows what the file holds and not what its header claims.
_BLOCK = 1 << 16


def read_audio(path: StrPath) -> Waveform:
    """Read a sound file (WAV, FLAC, OGG, MP3, AIFF, …) as mono: the mean of its channels.

    :raises MissingInputError: if the file cannot be read.
    :raises FormatError: if it is no sound file.
    :raises AudioError: if it is empty, longer than an hour, or holds values that are not finite.
    """
    return decode_audio(read_bytes(path), path)


def decode_audio(data: bytes, path: StrPath | None = None) -> Waveform:
    """Decode the bytes of a sound file; ``path`` is what errors call it."""
    import soundfile

    with naming(path):
        try:
            with soundfile.SoundFile(_Bytes(data)) as sound:
                return Waveform(_mono(sound, _FREE_SAMPLES + _SAMPLES_PER_BYTE * len(data)), sound.samplerate)
        except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
            raise FormatError("not a sound file", expected="WAV, FLAC, OGG or MP3", found=str(error)) from error


class _Bytes(io.BytesIO):
    """Bytes as a file that stays where it is when a damaged header sends libsndfile before its start."""

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return super().seek(offset, whence)
        except ValueError:
            return self.tell()


def _mono(sound: object, most: int) -> NDArray[np.float32]:
    """Read an open ``soundfile.SoundFile`` to its end, ``most`` samples at the most, and mix the channels."""
    rate, channels = sound.samplerate, sound.channels  # type: ignore[attr-defined]
    if not MIN_RATE <= rate <= MAX_RATE or not 1 <= channels <= _MAX_CHANNELS:
        raise AudioError(
            "wrong sample rate or channels",
            expected=f"{MIN_RATE} to {MAX_RATE} Hz, at most {_MAX_CHANNELS} channels",
            found=f"{rate} Hz, {channels} channels",
        )
    blocks: list[NDArray[np.float32]] = []
    held = 0
    while held * channels <= most and held <= MAX_SECONDS * rate:
        block = sound.read(_BLOCK, dtype="float32", always_2d=True)  # type: ignore[attr-defined]
        if len(block) == 0:
            break
        blocks.append(block[:, 0] if channels == 1 else block.mean(axis=1, dtype=np.float32))
        held += len(block)
    else:
        raise AudioError(
            "the sound is too long",
            expected=f"at most {MAX_SECONDS:g} s, and what a file of this size can hold",
            found=f"{held / rate:g} s and more",
            remedy="Cut it into pieces.",
        )
    if not blocks:
        raise AudioError("the sound file is empty", expected="at least one sample", found=0)
    return np.concatenate(blocks)


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

"""Sound files: any format that libsndfile or PyAV reads, mixed to mono; 16-bit WAV out.

WAV files whose header leaves the length open are read to their end; what a file was cut off by is reported; floats that
count in 16-bit units are brought to full scale 1.
"""

from __future__ import annotations

import io
import os
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.audio import MAX_RATE, MIN_RATE, Waveform, full_scale
from blendvoca.errors import AudioError, BlendvocaError, FormatError, MissingInputError
from blendvoca.io.atomic import write_bytes
from blendvoca.io.files import StrPath, check_file, naming, read_bytes
from blendvoca.io.sound.av_sound import AvSound, container_of
from blendvoca.io.sound.wav_header import closed_header, find_data

#: Suffixes of files that may hold sound.
SOUND_SUFFIXES = frozenset((
    *(".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64"),
    *(".m4a", ".m4b", ".mp4", ".mov", ".m4v", ".3gp", ".aac", ".webm", ".mka", ".mkv", ".amr", ".wma", ".avi"),
))  # fmt: skip
#: Longest sound that is read, in seconds: as it is, and at a lower rate.
MAX_SECONDS, MAX_SECONDS_RESAMPLED = 3600.0, 14400.0
#: Amplitude that is full scale.
FULL_SCALE = 0.999
#: Samples that any file may hold, and that each of its bytes may stand for: a few kilobytes can claim weeks of silence.
_FREE_SAMPLES, _SAMPLES_PER_BYTE = 1 << 21, 128
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
    :param notes: what the file lacks, and what was taken for granted.
    """

    rate: int
    samples: int
    level: float
    clipped: float
    notes: tuple[str, ...] = ()


def read_audio(path: StrPath, on_report: Callable[[str], None] | None = None) -> Waveform:
    """Read a sound file (WAV, FLAC, OGG, MP3, AIFF, M4A, MP4, WebM, …) as mono: the mean of its channels.

    :param path: of the file.
    :param on_report: is called with every sentence about what the file lacks or what was taken for granted.
    :raises MissingDependencyError: for a format that only PyAV reads, without it.
    :raises MissingInputError: if the file cannot be read.
    :raises FormatError: if it is no sound file.
    :raises AudioError: if it is empty, longer than an hour, or holds values that are not finite.
    """
    return decode_audio(read_bytes(path), path, on_report)


def decode_audio(data: bytes, path: StrPath | None = None, on_report: Callable[[str], None] | None = None) -> Waveform:
    """Decode the bytes of a sound file; ``path`` is what errors call it."""
    notes: list[str] = []
    with naming(path), _opened(_Bytes(data), len(data), notes) as sound:
        waveform = Waveform(_whole(_blocks(sound, len(data), MAX_SECONDS, notes)), sound.samplerate)
    for note in notes if on_report is not None else ():
        on_report(note)  # type: ignore[misc]
    return waveform


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
            notes: list[str] = []
            with _File(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                with _opened(file, size, notes) as sound:
                    blocks = _blocks(sound, size, MAX_SECONDS_RESAMPLED, notes)
                    waveform, source = _resampled(blocks, sound.samplerate, rate)
            return waveform, replace(source, notes=tuple(notes))
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
    """A file that stays where it is when a damaged header sends libsndfile before its start.

    Its header may be read as it should be: :attr:`patches` holds bytes by their place.
    """

    patches: dict[int, bytes]

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return super().seek(offset, whence)
        except (ValueError, OSError):
            return self.tell()

    def readinto(self, buffer: Any) -> int:
        """Read with the patches in place."""
        start = self.tell()
        count: int = super().readinto(buffer) or 0  # type: ignore[misc]
        for place, patch in getattr(self, "patches", {}).items():
            low, high = max(place, start), min(place + len(patch), start + count)
            if low < high:
                memoryview(buffer).cast("B")[low - start : high - start] = patch[low - place : high - place]
        return count


class _Bytes(_Steady, io.BytesIO):
    """Bytes."""


class _File(_Steady, io.FileIO):
    """A file on disk."""


@contextmanager
def _opened(file: _Steady, size: int, notes: list[str]) -> Iterator[Any]:
    """Open a file of ``size`` bytes with libsndfile, else with PyAV; take notes of what its header says wrongly.

    :raises FormatError: if it is no sound file, or breaks while it is read.
    :raises MissingDependencyError: for a format that only PyAV reads, without it.
    """
    import soundfile

    chunk = find_data(file, size)
    if chunk is not None and chunk.held > 0 and (chunk.claimed is None or chunk.missing):
        file.patches = closed_header(chunk)
    try:
        with _by_libsndfile(file) or AvSound(file, container_of(_start(file)) or "") as sound:
            if chunk is not None and chunk.missing and sound.samplerate:
                _note_cut(chunk.missing, chunk.claimed or 1, notes)
            yield sound
    except (soundfile.SoundFileError, RuntimeError, TypeError) as error:
        # The whole message would name an object in memory.
        reason = getattr(error, "error_string", str(error))
        raise FormatError("not a sound file", expected="WAV, FLAC, OGG, MP3 or M4A", found=reason) from error


def _by_libsndfile(file: _Steady) -> Any:
    """Return an open file; nothing where libsndfile does not know it and PyAV knows its first bytes."""
    import soundfile

    container = container_of(_start(file))
    if container in ("mov", "matroska", "asf", "avi"):
        return None
    file.seek(0)
    try:
        return soundfile.SoundFile(file)
    except (soundfile.SoundFileError, RuntimeError, TypeError):
        if container is None:
            raise
        return None


def _start(file: _Steady) -> bytes:
    file.seek(0)
    return file.read(32)


def _note_cut(missing: int, claimed: int, notes: list[str]) -> None:
    share = f"{missing / claimed:.{0 if missing > 0.1 * claimed else 2}%}"
    notes.append(f"the file is cut off: {share} of its sound is missing at the end")


def _blocks(sound: Any, size: int, most_seconds: float, notes: list[str]) -> Iterator[NDArray[np.float32]]:
    """Read an open sound of ``size`` bytes to its end and mix the channels."""
    rate, channels = sound.samplerate, sound.channels
    if not MIN_RATE <= rate <= MAX_RATE or not 1 <= channels <= _MAX_CHANNELS:
        raise AudioError(
            "wrong sample rate or channels",
            expected=f"{MIN_RATE} to {MAX_RATE} Hz, at most {_MAX_CHANNELS} channels",
            found=f"{rate} Hz, {channels} channels",
        )
    unit = _unit(sound, notes)
    most, held = _FREE_SAMPLES + _SAMPLES_PER_BYTE * size, 0
    while held * channels <= most and held <= most_seconds * rate:
        block = sound.read(_BLOCK, dtype="float32", always_2d=True)
        if len(block) == 0:
            _note_short(held, sound, notes)
            return
        held += len(block)
        mixed = block[:, 0] if channels == 1 else block.mean(axis=1, dtype=np.float32)
        yield mixed if unit == 1.0 else mixed / np.float32(unit)
    raise AudioError(
        "the sound is too long",
        expected=f"at most {most_seconds:g} s, and what a file of this size can hold",
        found=f"{held / rate:g} s and more",
        remedy="Cut it into pieces.",
    )


def _unit(sound: Any, notes: list[str]) -> float:
    """Return what full scale is in the samples: floats may count in the units of integers. Integers are at 1."""
    if getattr(sound, "subtype", "") not in ("FLOAT", "DOUBLE"):
        return 1.0
    peak, whole = 0.0, True
    while len(block := sound.read(_BLOCK, dtype="float32", always_2d=True)):
        finite = block[np.isfinite(block)]
        peak = max(peak, float(np.abs(finite).max(initial=0.0)))
        whole = whole and bool((finite == np.round(finite)).all())
        if sound.tell() > MAX_SECONDS_RESAMPLED * sound.samplerate:
            break
    sound.seek(0)
    unit = full_scale(peak, whole)
    if unit != 1.0:
        notes.append(f"samples up to {peak:g} are taken in units of {int(np.log2(unit)) + 1} bits")
    return unit


def _note_short(held: int, sound: Any, notes: list[str]) -> None:
    """Take a note where a file of another format than WAV holds fewer samples than it states."""
    stated = int(getattr(sound, "frames", 0))
    if held < stated < 1 << 40 and not any("cut off" in note for note in notes):
        _note_cut(stated - held, stated, notes)


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

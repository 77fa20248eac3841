"""Sound that libsndfile does not read, by PyAV: AAC and ALAC in MP4, WebM, Opus, AMR, WMA, the sound of videos."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import AudioError, FormatError, MissingDependencyError

#: Where and how containers begin, and FFmpeg's name of them. Nothing else is tried, so that no playlist is followed.
_CONTAINERS: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyp", "mov"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"\xff\xf1", "aac"),
    (0, b"\xff\xf9", "aac"),
    (0, b"OggS", "ogg"),
    (0, b"#!AMR", "amr"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"caff", "caf"),
    (8, b"AVI ", "avi"),
    (0, b"fLaC", "flac"),
    (0, b"ID3", "mp3"),
)


def container_of(start: bytes) -> str | None:
    """Return FFmpeg's name of a file's container, by its first bytes; nothing for what is none."""
    return next((name for place, magic, name in _CONTAINERS if start[place : place + len(magic)] == magic), None)


def import_av(purpose: str) -> Any:
    """Return PyAV.

    :raises MissingDependencyError: if it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError("av", "audio", purpose) from error
    return av


class AvSound:
    """An open file, as :class:`soundfile.SoundFile` has it: ``samplerate``, ``channels`` and ``read``.

    :param file: the bytes, seekable.
    :param container: FFmpeg's name of the container.
    :raises MissingDependencyError: without PyAV.
    :raises FormatError: if it is no such file, or holds no sound.
    """

    def __init__(self, file: io.IOBase, container: str) -> None:
        self._av = import_av(f"reading this sound ({container})")
        file.seek(0)
        self._error = self._av.FFmpegError
        try:
            self._container = self._av.open(file, format=container, metadata_errors="replace")
            streams = self._container.streams.audio
        except (self._error, ValueError, EOFError, OSError) as error:
            raise FormatError("not a sound file", expected=f"a whole {container} file", found=_reason(error)) from error
        if not streams:
            raise FormatError("no sound in this file", expected="a stream of sound", found=f"a {container} without one")
        stream = streams[0]
        self.samplerate, self.channels = int(stream.rate or 0), int(stream.channels or 0)
        self.frames = 0
        self._blocks = self._decoded(stream)

    def read(self, frames: int, dtype: str = "float32", always_2d: bool = True) -> NDArray[np.float32]:
        """Return the next frames, as many as the codec gives at once, (n, channels); none at the end."""
        return next(self._blocks, np.empty((0, max(self.channels, 1)), np.float32))

    def _decoded(self, stream: Any) -> Iterator[NDArray[np.float32]]:
        resampler = self._av.AudioResampler(format="fltp", layout=stream.layout, rate=stream.rate)
        try:
            for frame in self._container.decode(stream):
                yield from self._planes(resampler.resample(frame))
            yield from self._planes(resampler.resample(None))
        except (self._error, ValueError) as error:
            raise AudioError("the sound breaks off", found=_reason(error), remedy="Copy the file again.") from error

    def _planes(self, frames: list[Any]) -> Iterator[NDArray[np.float32]]:
        for frame in frames:
            if frame.samples:
                yield np.ascontiguousarray(frame.to_ndarray().T, dtype=np.float32)

    def __enter__(self) -> AvSound:
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()


def _reason(error: BaseException) -> str:
    return str(error).splitlines()[0].split(";")[0][:120] if str(error) else type(error).__name__

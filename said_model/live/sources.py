"""Sound as it comes: standard input, a microphone, or a file at its own pace."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import AudioError, ConfigurationError
from said_model.config import SAMPLE_RATE
from said_model.extras import require_package

Samples = NDArray[np.float32]
#: Samples of a piece: 20 ms.
PIECE = SAMPLE_RATE // 50
#: How samples are written, and what full scale is.
ENCODINGS: dict[str, tuple[np.dtype[Any], float]] = {
    "s16le": (np.dtype("<i2"), 32768.0),
    "f32le": (np.dtype("<f4"), 1.0),
}


def from_pipe(pipe: IO[bytes], encoding: str) -> Iterator[Samples]:
    """Yield samples (S,) at 16 kHz of a pipe as they come.

    :param pipe: such as standard input.
    :param encoding: one of :data:`ENCODINGS`.
    :raises AudioError: for samples that are not finite.
    """
    dtype, full = ENCODINGS[encoding]
    rest = b""
    while chunk := pipe.read1(PIECE * dtype.itemsize):  # type: ignore[attr-defined]
        rest += chunk
        whole = len(rest) - len(rest) % dtype.itemsize
        samples = np.frombuffer(rest[:whole], dtype).astype(np.float32) / np.float32(full)
        rest = rest[whole:]
        if not np.isfinite(samples).all():
            raise AudioError("samples are not finite", remedy="Check the source of the stream, and --format.")
        yield samples


def from_samples(samples: Samples) -> Iterator[Samples]:
    """Yield the samples (S,) of a file at 16 kHz in pieces."""
    for start in range(0, len(samples), PIECE):
        yield samples[start : start + PIECE]


def from_microphone(device: str | None) -> Iterator[Samples]:
    """Yield samples (S,) at 16 kHz of a microphone, until it is interrupted.

    :param device: number or a part of its name; the system's own where None.
    :raises MissingDependencyError: without the package sounddevice.
    :raises ConfigurationError: if there is no such microphone.
    """
    sounddevice: Any = require_package("sounddevice", "--mic (a microphone)", "live")
    import soxr

    pieces: queue.Queue[Samples] = queue.Queue()
    chosen = int(device) if device is not None and device.isdigit() else device
    try:
        rate = float(sounddevice.query_devices(chosen, "input")["default_samplerate"])
        stream = sounddevice.InputStream(
            samplerate=rate, blocksize=round(rate / 50), device=chosen, channels=1, dtype="float32",
            callback=lambda data, *_: pieces.put(data[:, 0].copy()),
        )  # fmt: skip
    except (sounddevice.PortAudioError, ValueError) as error:
        raise ConfigurationError("no microphone", expected="an input device", found=str(error)[:200],
                                 remedy="List them with `python -m sounddevice`.") from error  # fmt: skip
    resampler = soxr.ResampleStream(rate, SAMPLE_RATE, 1)
    with stream:
        while True:
            yield resampler.resample_chunk(pieces.get())

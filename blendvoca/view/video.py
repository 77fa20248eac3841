"""Videos of tracks with their sound (PyAV; H.264 and AAC in MP4)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from blendvoca.audio import Waveform
from blendvoca.errors import InputError, MissingDependencyError
from blendvoca.internal.progress import Progress, no_progress
from blendvoca.io.atomic import atomic_path
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack
from blendvoca.view.appearance import Appearance
from blendvoca.view.camera import Camera
from blendvoca.view.render import Picture, Renderer
from blendvoca.view.sheet import name_line
from blendvoca.view.suffix import check_suffix

#: Rate that AAC is written at, in Hz.
_SOUND_RATE = 48_000
#: Samples of a block of AAC.
_BLOCK = 1024
_QUALITY = {"crf": "18", "preset": "veryfast"}


def write_video(
    path: str | PathLike[str],
    rig: BlendshapeRig,
    tracks: Sequence[CoefficientTrack],
    camera: Camera,
    waveform: Waveform | None = None,
    size: int = 512,
    backend: str = "auto",
    names: Sequence[str] = (),
    look: Appearance | None = None,
    progress: Progress = no_progress,
) -> None:
    """Draw tracks side by side as MP4; frames are drawn and written one by one.

    :param path: of the file; its name ends in ``.mp4``.
    :param rig: in metres.
    :param tracks: one or more, of the same rate; shorter ones hold their last frame. Their shapes must be in the rig.
    :param camera: whence it is seen.
    :param waveform: the sound, or None.
    :param size: edge of each picture in pixels, even as H.264 needs it.
    :param backend: ``auto``, ``opengl`` or ``software``.
    :param names: what to write above each track; nothing is written where there are none.
    :param look: what the head looks like; plain skin without.
    :param progress: called after each frame with how many are done, and of how many.
    :raises InputError: for no track, tracks of different rates, an odd size, or a path that does not end in ``.mp4``.
    :raises MissingDependencyError: without PyAV.
    """
    if not tracks or len({track.fps for track in tracks}) != 1:
        raise InputError("a video shows tracks of one rate", expected="one or more tracks, one frame rate",
                         found=[track.fps for track in tracks])  # fmt: skip
    if size % 2:
        raise InputError("a video's size is even", expected="an even number of pixels", found=size)
    check_suffix(path, ".mp4")
    shown = [rig.select(track.names) for track in tracks]
    top = [name_line(names, size)] if names else []
    height = size + sum(map(len, top))
    with (
        Renderer(rig.neutral, (size, size), backend, look) as renderer,
        atomic_path(path) as temporary,
        _Film(temporary, tracks[0].fps, (size * len(tracks), height), waveform) as film,
    ):
        count = max(map(len, tracks))
        for number in range(count):
            row = [_frame(renderer, part, track, number, camera) for part, track in zip(shown, tracks)]
            film.add(np.vstack([*top, np.hstack(row)]))
            progress(Path(path).name, number + 1, count)


def _frame(renderer: Renderer, rig: BlendshapeRig, track: CoefficientTrack, number: int, camera: Camera) -> Picture:
    return renderer.draw(rig.pose(track.values[min(number, len(track) - 1)]), camera)


class _Film:
    """An MP4 file that takes pictures one by one, and puts the sound of their time between them.

    :param shape: (width, height) in pixels.
    :raises MissingDependencyError: without PyAV.
    """

    def __init__(self, path: Path, fps: float, shape: tuple[int, int], waveform: Waveform | None) -> None:
        try:
            import av
        except ImportError as error:
            raise MissingDependencyError("av", "view", "writing video") from error
        self._av: Any = av
        self._step, self._pictures, self._written = _SOUND_RATE / fps, 0, 0
        self._samples = None if waveform is None else waveform.resampled(_SOUND_RATE).samples.astype(np.float32)
        # The table of contents comes first, so that a page can play the film while it loads.
        self._file: Any = av.open(str(path), "w", format="mp4", options={"movflags": "faststart"})
        # Streams must all be there before the first packet.
        self._video: Any = self._file.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
        self._video.width, self._video.height, self._video.pix_fmt = *shape, "yuv420p"
        self._video.options = dict(_QUALITY)
        self._sound: Any = None if waveform is None else self._file.add_stream("aac", rate=_SOUND_RATE, layout="mono")

    def add(self, picture: Picture) -> None:
        """Write a picture, and the sound until its end."""
        self._file.mux(self._video.encode(self._av.VideoFrame.from_ndarray(picture, format="rgb24")))
        self._pictures += 1
        self._add_sound(round(self._pictures * self._step))

    def _add_sound(self, until: float) -> None:
        """Write the blocks of sound that end before sample ``until``."""
        while self._samples is not None and self._written < min(len(self._samples), until - _BLOCK + 1):
            block = self._samples[None, self._written : self._written + _BLOCK]
            frame = self._av.AudioFrame.from_ndarray(block.copy(), format="fltp", layout="mono")
            frame.sample_rate, frame.pts = _SOUND_RATE, self._written
            self._file.mux(self._sound.encode(frame))
            self._written += _BLOCK

    def __enter__(self) -> _Film:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self._add_sound(np.inf)
            for stream in filter(None, (self._video, self._sound)):
                self._file.mux(stream.encode())
        self._file.close()

"""Videos of tracks with their sound (PyAV; H.264 and AAC in MP4)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from os import PathLike
from typing import Any

import numpy as np

from blendvoca.audio import Waveform
from blendvoca.errors import InputError, MissingDependencyError
from blendvoca.io.atomic import atomic_path
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack
from blendvoca.view.camera import Camera
from blendvoca.view.render import Picture, Renderer

#: Rate that AAC is written at, in Hz.
_SOUND_RATE = 48_000
_QUALITY = {"crf": "18", "preset": "veryfast"}


def write_video(
    path: str | PathLike[str],
    rig: BlendshapeRig,
    tracks: Sequence[CoefficientTrack],
    camera: Camera,
    waveform: Waveform | None = None,
    size: int = 512,
    backend: str = "auto",
) -> None:
    """Draw tracks side by side as MP4; frames are drawn and written one by one.

    :param tracks: one or more, of the same rate; shorter ones hold their last frame. Their shapes must be in the rig.
    :raises InputError: for no track, or tracks of different rates.
    :raises MissingDependencyError: without PyAV.
    """
    if not tracks or len({track.fps for track in tracks}) != 1:
        raise InputError("a video shows tracks of one rate", expected="one or more tracks, one frame rate",
                         found=[track.fps for track in tracks])  # fmt: skip
    if size % 2:
        raise InputError("a video's size is even", expected="an even number of pixels", found=size)
    try:
        import av
    except ImportError as error:
        raise MissingDependencyError("av", "view", "writing video") from error
    shown = [rig.select(track.names) for track in tracks]
    renderer = Renderer(rig.neutral, (size, size), backend)
    with atomic_path(path) as temporary, av.open(str(temporary), "w", format="mp4") as container:
        # Streams must all be there before the first packet.
        pictures: Any = container.add_stream("libx264", rate=Fraction(tracks[0].fps).limit_denominator(1001))
        pictures.width, pictures.height, pictures.pix_fmt = size * len(tracks), size, "yuv420p"
        pictures.options = dict(_QUALITY)
        sound: Any = container.add_stream("aac", rate=_SOUND_RATE, layout="mono") if waveform is not None else None
        for number in range(max(map(len, tracks))):
            row = [_frame(renderer, part, track, number, camera) for part, track in zip(shown, tracks)]
            container.mux(pictures.encode(av.VideoFrame.from_ndarray(np.hstack(row), format="rgb24")))
        container.mux(pictures.encode())
        if waveform is not None:
            _write_sound(av, container, sound, waveform)


def _frame(
    renderer: Renderer, rig: BlendshapeRig, track: CoefficientTrack, number: int, camera: Camera
) -> Picture:
    return renderer.draw(rig.pose(track.values[min(number, len(track) - 1)]), camera)


def _write_sound(av: Any, container: Any, stream: Any, waveform: Waveform) -> None:
    samples = waveform.resampled(_SOUND_RATE).samples
    for start in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(samples[None, start : start + 1024].copy(), format="fltp", layout="mono")
        frame.sample_rate, frame.pts = _SOUND_RATE, start
        container.mux(stream.encode(frame))
    container.mux(stream.encode())

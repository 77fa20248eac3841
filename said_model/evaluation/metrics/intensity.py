"""Speech-lip intensity correlation (SLCC): do the lips move more where the voice is louder (CVPR 2025)?

Chae-Yeon et al., "Perceptually Accurate 3D Talking Head Generation", Eq. 7. A clip has two intensities: that of its
sound, the root mean square of all samples, and that of its lips, the root mean square over time of the mouth's mean
displacement from frame to frame. Both are brought to zero mean and unit deviation among the clips of a speaker, as in
the published code; the correlation is taken over the clips of all speakers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.audio import Waveform
from blendvoca.errors import InputError
from blendvoca.vertex_sets import VertexSet


@dataclass(frozen=True)
class Intensity:
    """Of one clip.

    :param speaker: whose clip it is.
    :param speech: root mean square of the sound.
    :param lips: of the mouth's displacement from frame to frame, in mm.
    """

    speaker: str
    speech: float
    lips: float


@dataclass(frozen=True)
class IntensityCorrelation:
    """Correlation of loudness and motion over clips.

    :param value: Pearson's r; NaN where nothing varies.
    :param clips: that it was taken over.
    :param dropped: clips of speakers with one clip, or whose clips do not differ.
    """

    value: float
    clips: int
    dropped: int


def speech_intensity(waveform: Waveform) -> float:
    """Return the root mean square of a clip's samples."""
    return float(np.sqrt((waveform.samples.astype(np.float64) ** 2).mean())) if len(waveform) else 0.0


def lip_intensity(frames: NDArray[np.floating], lips: VertexSet) -> float:
    """Return the intensity of the lips of frames (T, V, 3) in metres, in mm a frame.

    :raises InputError: for fewer than two frames.
    """
    if frames.ndim != 3 or len(frames) < 2:
        raise InputError("lips move between frames", expected="(T, V, 3), two frames or more", found=frames.shape)
    moved = np.linalg.norm(np.diff(lips.of(frames).astype(np.float64), axis=0), axis=2).mean(axis=1)
    return float(np.sqrt((moved**2).mean()) * 1000)


def intensity_correlation(clips: Sequence[Intensity]) -> IntensityCorrelation:
    """Correlate the intensities of clips, each compared with those of its own speaker."""
    speakers = np.array([clip.speaker for clip in clips])
    values = np.array([[clip.speech, clip.lips] for clip in clips], dtype=np.float64).reshape(-1, 2)
    kept = []
    for speaker in dict.fromkeys(speakers.tolist()):
        own = values[speakers == speaker]
        spread = own.std(axis=0, ddof=1) if len(own) > 1 else np.zeros(2)
        if (spread > 1e-12 * np.abs(own).max(axis=0)).all():
            kept.append((own - own.mean(axis=0)) / spread)
    used = np.concatenate(kept) if kept else np.zeros((0, 2))
    value = float(np.corrcoef(used.T)[0, 1]) if len(used) > 2 else float("nan")
    return IntensityCorrelation(value, len(used), len(clips) - len(used))

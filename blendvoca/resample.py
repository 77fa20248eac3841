"""Mesh sequences at another frame rate, by linear interpolation (paper supplement 9), frame by frame on demand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import TrackError
from blendvoca.sequence import FrameSource, MeshSequence


@dataclass(frozen=True)
class InterpolatedFrames:
    """Frames between the frames of another source.

    :param source: frames at the old rate.
    :param step: old frames per new frame.
    """

    source: FrameSource
    step: float

    def __len__(self) -> int:
        return max(round(len(self.source) / self.step), 1)

    def read(self, start: int, stop: int) -> NDArray[np.floating]:
        """Return new frames ``start`` to ``stop``, end excluded; past the last old frame they repeat it."""
        last = len(self.source) - 1
        position = np.minimum(np.arange(start, stop) * self.step, last)
        before = np.floor(position + 1e-9).astype(int)
        after = np.minimum(before + 1, last)
        old = self.source.read(int(before[0]), int(after[-1]) + 1)
        share = (position - before).clip(0.0, 1.0)[:, None, None]
        return old[before - before[0]] * (1.0 - share) + old[after - before[0]] * share


def resampled(sequence: MeshSequence, fps: float) -> MeshSequence:
    """Return the sequence at ``fps``; frame n stands at n / fps seconds, as in `CoefficientTrack.resampled`.

    :raises TrackError: for a frame rate that is not positive.
    """
    if not (np.isfinite(fps) and fps > 0):
        raise TrackError("wrong frame rate", expected="a positive number", found=fps)
    if fps == sequence.fps:
        return sequence
    frames = InterpolatedFrames(sequence.source, sequence.fps / fps)
    return MeshSequence(frames, sequence.faces, sequence.n_vertices, fps, sequence.name)

"""Mesh sequences: one topology, many frames, read in blocks so that length costs no memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import MeshError, TrackError
from blendvoca.mesh import Faces, checked_faces


@runtime_checkable
class FrameSource(Protocol):
    """Where frames come from: a folder, a memory map, an array."""

    def __len__(self) -> int:
        """Return the number of frames T."""

    def read(self, start: int, stop: int) -> NDArray[np.floating]:
        """Return frames ``start`` to ``stop``, end excluded, as (n, V, 3)."""


@dataclass(frozen=True)
class ArrayFrames:
    """Frames held as one array (T, V, 3), in memory or memory-mapped."""

    frames: NDArray[np.floating]

    def __len__(self) -> int:
        return len(self.frames)

    def read(self, start: int, stop: int) -> NDArray[np.floating]:
        """Return frames ``start`` to ``stop``, end excluded, as a view (n, V, 3)."""
        return self.frames[start:stop]


@dataclass(frozen=True)
class InterpolatedFrames:
    """Frames between the frames of another source, by linear interpolation (paper supplement 9), on demand.

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


@dataclass(frozen=True, eq=False)
class MeshSequence:
    """T frames of one mesh.

    :param source: the frames; read lazily.
    :param faces: (F, 3) triangles shared by all frames.
    :param n_vertices: V of every frame.
    :param fps: frames per second.
    :param name: what errors call the sequence.
    :raises MeshError: for an empty sequence or faces out of range.
    :raises TrackError: for a frame rate that is not positive.
    """

    source: FrameSource
    faces: Faces
    n_vertices: int
    fps: float
    name: str = "sequence"

    def __post_init__(self) -> None:
        if len(self.source) == 0:
            raise MeshError(f"{self.name} has no frames", expected="at least one", found=0)
        if not (np.isfinite(self.fps) and self.fps > 0):
            raise TrackError(f"{self.name} has a wrong frame rate", expected="a positive number", found=self.fps)
        object.__setattr__(self, "faces", checked_faces(self.faces, self.n_vertices))

    @classmethod
    def from_array(cls, frames: ArrayLike, faces: ArrayLike, fps: float, name: str = "sequence") -> MeshSequence:
        """Make a sequence of an array (T, V, 3); the array is not copied.

        :param frames: (T, V, 3) positions in metres.
        :param faces: (F, 3) vertex indices.
        :param fps: frames per second.
        :param name: what errors call it.
        """
        array = np.asanyarray(frames)
        if array.ndim != 3 or array.shape[2] != 3:
            raise MeshError(f"{name} has a wrong shape", expected="(T, V, 3)", found=array.shape)
        return cls(ArrayFrames(array), faces, array.shape[1], fps, name)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.source)

    def blocks(self, size: int = 32) -> Iterator[NDArray[np.floating]]:
        """Yield consecutive blocks (n, V, 3) of at most ``size`` frames, checked for shape and finiteness.

        :param size: frames of a block.
        :raises MeshError: for a frame of another vertex count or with values that are not finite.
        """
        for start in range(0, len(self), size):
            block = self.source.read(start, min(start + size, len(self)))
            if block.shape[1:] != (self.n_vertices, 3):
                raise MeshError(
                    f"{self.name}: frames from {start} on have another shape",
                    expected=(self.n_vertices, 3),
                    found=block.shape[1:],
                )
            # A sum is finite only if all its terms are, and costs a fifth of isfinite().all().
            if not np.isfinite(block.sum(dtype=np.float64)) and not np.isfinite(block).all():
                bad = start + int(np.flatnonzero(~np.isfinite(block).all(axis=(1, 2)))[0])
                raise MeshError(f"{self.name}: frame {bad} has vertices that are not finite")
            yield block

    def frames(self) -> NDArray[np.floating]:
        """Return all frames (T, V, 3) at once."""
        return np.concatenate(list(self.blocks()))

    def resampled(self, fps: float) -> MeshSequence:
        """Return the sequence at ``fps``; frame n stands at n / fps seconds, as in `CoefficientTrack.resampled`.

        :param fps: frames per second.
        :raises TrackError: for a frame rate that is not positive.
        """
        if not (np.isfinite(fps) and fps > 0):
            raise TrackError("wrong frame rate", expected="a positive number", found=fps)
        if fps == self.fps:
            return self
        frames = InterpolatedFrames(self.source, self.fps / fps)
        return MeshSequence(frames, self.faces, self.n_vertices, fps, self.name)

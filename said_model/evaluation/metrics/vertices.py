"""Distances between vertices: lip vertex error and mean vertex error.

Published lip vertex errors differ in two ways: some square the distance and some do not, some take the mean over the
frames of all clips and some over clips. All of them stand here under names of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import InputError
from blendvoca.vertex_sets import VertexSet

Frames = NDArray[np.floating]


@dataclass(frozen=True)
class LipVertexError:
    """Mean over frames of the largest error among the lip's vertices.

    :param squared: of the squared distance, m² (MeshTalk, FaceFormer and CodeTalker's code).
    :param millimetres: of the distance itself, mm.
    :param frames: that it was taken over.
    """

    squared: float
    millimetres: float
    frames: int


def lip_vertex_error(truth: Frames, generated: Frames, lips: VertexSet) -> LipVertexError:
    """Return the lip vertex error of frames (T, V, 3) in metres (Richard et al. 2021)."""
    squared = squared_distances(truth, generated, lips).max(axis=1)
    return LipVertexError(float(squared.mean()), float(np.sqrt(squared).mean() * 1000), len(squared))


def pooled(errors: Sequence[LipVertexError]) -> LipVertexError:
    """Return the error over the frames of all clips together, so that a long clip counts for more.

    It is what CodeTalker's evaluation prints: frames of all clips and styles are joined before the mean is taken. The
    mean of the clips' errors counts every clip the same.

    :raises InputError: for no error.
    """
    frames = sum(error.frames for error in errors)
    if not frames:
        raise InputError("nothing to pool", expected="one error or more", found=0)
    squared, plain = (
        sum(getattr(error, name) * error.frames for error in errors) / frames for name in ("squared", "millimetres")
    )
    return LipVertexError(squared, plain, frames)


def mean_vertex_error(truth: Frames, generated: Frames, vertices: VertexSet) -> float:
    """Return the mean distance over frames and vertices, in mm."""
    return float(np.sqrt(squared_distances(truth, generated, vertices)).mean() * 1000)


def squared_distances(truth: Frames, generated: Frames, vertices: VertexSet) -> NDArray[np.float64]:
    """Return (T, n) squared distances between frames (T, V, 3), over a set of n vertices.

    :raises InputError: if the frames do not match.
    """
    check_frames(truth, generated)
    difference = vertices.of(truth).astype(np.float64) - vertices.of(generated)
    squared: NDArray[np.float64] = (difference**2).sum(axis=2)
    return squared


def check_frames(truth: Frames, generated: Frames) -> None:
    """Check that two clips (T, V, 3) can be compared.

    :raises InputError: if they differ in shape, or are empty.
    """
    if truth.shape != generated.shape or truth.ndim != 3 or not len(truth):
        raise InputError("frames do not match", expected="two arrays (T, V, 3)", found=(truth.shape, generated.shape))

"""Figures on vertices: lip vertex error, upper-face dynamics deviation, mean vertex error.

Published numbers differ because some square the distance and some do not; both stand here under their own names.
"""

from __future__ import annotations

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
    """

    squared: float
    millimetres: float


@dataclass(frozen=True)
class DynamicsDeviation:
    """Difference of the upper face's liveliness, truth minus generated (CodeTalker, FDD).

    Liveliness of a vertex is the standard deviation over time of its distance from the neutral.

    :param signed: mean over vertices, mm: positive where the truth moves more.
    :param absolute: mean of its absolute value, mm.
    :param signed_squared: as ``signed`` with the squared distance, m² (CodeTalker's code).
    """

    signed: float
    absolute: float
    signed_squared: float


def lip_vertex_error(truth: Frames, generated: Frames, lips: VertexSet) -> LipVertexError:
    """Return the lip vertex error of frames (T, V, 3) in metres (Richard et al. 2021)."""
    squared = _squared(truth, generated, lips).max(axis=1)
    return LipVertexError(float(squared.mean()), float(np.sqrt(squared).mean() * 1000))


def mean_vertex_error(truth: Frames, generated: Frames, vertices: VertexSet) -> float:
    """Return the mean distance over frames and vertices, in mm."""
    return float(np.sqrt(_squared(truth, generated, vertices)).mean() * 1000)


def dynamics_deviation(truth: Frames, generated: Frames, neutral: Frames, upper: VertexSet) -> DynamicsDeviation:
    """Return the upper-face dynamics deviation of frames (T, V, 3) about a neutral (V, 3) in metres."""
    _same(truth, generated)
    squares = [((upper.of(frames) - upper.of(neutral)) ** 2).sum(axis=2) for frames in (truth, generated)]
    plain = np.sqrt(squares[0]).std(axis=0) - np.sqrt(squares[1]).std(axis=0)
    squared = squares[0].std(axis=0) - squares[1].std(axis=0)
    return DynamicsDeviation(float(plain.mean() * 1000), float(np.abs(plain).mean() * 1000), float(squared.mean()))


def _squared(truth: Frames, generated: Frames, vertices: VertexSet) -> NDArray[np.float64]:
    _same(truth, generated)
    difference = vertices.of(truth).astype(np.float64) - vertices.of(generated)
    squared: NDArray[np.float64] = (difference**2).sum(axis=2)
    return squared


def _same(truth: Frames, generated: Frames) -> None:
    if truth.shape != generated.shape or truth.ndim != 3 or not len(truth):
        raise InputError("frames do not match", expected="two arrays (T, V, 3)", found=(truth.shape, generated.shape))

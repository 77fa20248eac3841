"""Upper-face dynamics deviation (FDD): whether the upper face is as lively as the truth's (CodeTalker, 2023).

The paper writes the distance from the neutral, its code squares it; the difference is signed in both, so that vertices
that move too much cancel those that move too little. The absolute form does not cancel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blendvoca.vertex_sets import VertexSet
from said_model.evaluation.metrics.vertices import Frames, check_frames


@dataclass(frozen=True)
class DynamicsDeviation:
    """Difference of the upper face's liveliness, truth minus generated (CodeTalker, FDD).

    Liveliness of a vertex is the standard deviation over time of its distance from the neutral.

    :param signed: mean over vertices, mm: positive where the truth moves more.
    :param absolute: mean of its absolute value, mm.
    :param signed_squared: as ``signed`` with the squared distance, m². It is what CodeTalker's evaluation computes
        and its table shows in 1e-5 m².
    """

    signed: float
    absolute: float
    signed_squared: float


def dynamics_deviation(truth: Frames, generated: Frames, neutral: Frames, upper: VertexSet) -> DynamicsDeviation:
    """Return the upper-face dynamics deviation of frames (T, V, 3) about a neutral (V, 3) in metres."""
    check_frames(truth, generated)
    squares = [((upper.of(frames) - upper.of(neutral)) ** 2).sum(axis=2) for frames in (truth, generated)]
    plain = np.sqrt(squares[0]).std(axis=0) - np.sqrt(squares[1]).std(axis=0)
    squared = squares[0].std(axis=0) - squares[1].std(axis=0)
    return DynamicsDeviation(float(plain.mean() * 1000), float(np.abs(plain).mean() * 1000), float(squared.mean()))

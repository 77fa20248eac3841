"""Diversity: how far samples for one audio lie apart, in coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from blendvoca.errors import InputError
from blendvoca.track import CoefficientTrack
from said_model.evaluation.metrics.coefficients import matched


@dataclass(frozen=True)
class Diversity:
    """Mean distance between samples.

    :param value: mean over pairs of the mean absolute difference.
    :param pairs: pairs it was taken over.
    """

    value: float
    pairs: int


def diversity(samples: Sequence[CoefficientTrack]) -> Diversity:
    """Return the mean absolute difference over all pairs of samples for one audio.

    :raises InputError: for fewer than two samples.
    """
    if len(samples) < 2:
        raise InputError("diversity compares samples", expected="two or more for an audio", found=len(samples))
    distances = []
    for first, second in combinations(samples, 2):
        a, b = matched(first, second)
        distances.append(np.abs(a - b).mean())
    return Diversity(float(np.mean(distances)), len(distances))

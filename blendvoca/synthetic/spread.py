"""How far takes of one sentence differ: the truth that a model's multimodality is held against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import ConfigurationError
from blendvoca.synthetic.performance.coarticulation import Style, coefficients
from blendvoca.synthetic.speakers import stream
from blendvoca.synthetic.voice.speech import Utterance

Array = NDArray[np.float64]
#: Movement smaller than this is none: it keeps the entropy of shapes that rest from falling without bound.
_RESOLUTION = 1e-3


@dataclass(frozen=True, eq=False)
class TakeSpread:
    """The distribution of motion given one sound.

    :param mean: (T, K) of the takes.
    :param deviation: (T, K) standard deviation between takes, at each frame.
    :param distance: mean Euclidean distance of two takes' frames (paper Eq. 13, in coefficients).
    :param entropy: differential entropy of a frame in nats, of independent normal coefficients with these deviations:
        an upper bound.
    :param takes: how many were drawn.
    """

    mean: Array
    deviation: Array
    distance: float
    entropy: float
    takes: int


def take_spread(utterance: Utterance, style: Style, seed: int = 0, takes: int = 24) -> TakeSpread:
    """Draw takes of a spoken sentence and measure how they differ.

    :param utterance: what is said, in one sound.
    :param style: the speaker's manner, which all takes share.
    :param seed: of the takes.
    :param takes: how many, at least two.
    :raises ConfigurationError: for fewer.
    """
    if takes < 2:
        raise ConfigurationError("one take has no spread", expected="2 or more", found=takes)
    drawn = [coefficients(utterance, style, stream(seed, "spread", str(take))) for take in range(takes)]
    return spread_of(np.stack([track.values for track in drawn]))


def spread_of(values: Array) -> TakeSpread:
    """Measure takes (takes, T, K) of one sound."""
    deviation = values.std(axis=0, ddof=1)
    pairs = [(a, b) for a in range(len(values)) for b in range(a)]
    distance = float(np.mean([np.linalg.norm(values[a] - values[b], axis=1).mean() for a, b in pairs]))
    variance = deviation**2 + _RESOLUTION**2
    entropy = float(0.5 * (np.log(2 * np.pi * variance) + 1.0).sum(axis=1).mean())
    return TakeSpread(values.mean(axis=0), deviation, distance, entropy, len(values))

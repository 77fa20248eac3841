"""How far the lips meet over time: contact at p, b, m and in pauses, which no neighbouring sound talks them out of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from blendvoca.synthetic.performance.articulation import Articulation
from blendvoca.synthetic.voice.speech import Phoneme

Array = NDArray[np.float64]

BILABIALS = ("p", "b", "m")
#: Seconds that lips take from parted to contact and back.
_CLOSING, _PARTING = 0.048, 0.045
#: Lips part so long before the first sound after a pause, and meet so long after the last one before it.
_ANTICIPATION, _LINGERING = 0.10, 0.11
#: Shorter pauses keep the mouth as it is.
_SHORTEST_PAUSE = 0.20


def closure(time: Array, phonemes: Sequence[Phoneme], manner: Articulation, rng: np.random.Generator) -> Array:
    """Return how far the lips meet at each time: (T,), 1 in contact, 0 where nothing holds them together."""
    result = np.zeros(len(time))
    sounds = _merged(phonemes)
    for place, phoneme in enumerate(sounds):
        if phoneme.symbol == "_":
            first, last = place == 0, place == len(sounds) - 1
            bump = _pause(time, phoneme, first, last, manner, rng)
        elif phoneme.symbol.rstrip("#-") in BILABIALS:
            # A careless speaker's lips stop short of contact now and then.
            depth = 1.0 - float(rng.uniform(0.08, 0.4)) * (rng.uniform() < manner.missed_closures)
            held = 0.18 * (phoneme.end - phoneme.start)
            bump = depth * _bump(time, phoneme.start + held, phoneme.end - held, _CLOSING * manner.slowness,
                                 _PARTING * manner.slowness)  # fmt: skip
        else:
            continue
        result = np.maximum(result, bump)
    return result


def _merged(phonemes: Sequence[Phoneme]) -> list[Phoneme]:
    """Return the sounds with neighbouring pauses as one."""
    result: list[Phoneme] = []
    for phoneme in phonemes:
        if result and phoneme.symbol == "_" == result[-1].symbol:
            result[-1] = Phoneme("_", result[-1].start, phoneme.end)
        else:
            result.append(phoneme)
    return result


def _pause(
    time: Array, pause: Phoneme, first: bool, last: bool, manner: Articulation, rng: np.random.Generator
) -> Array:
    if pause.end - pause.start < _SHORTEST_PAUSE and not (first or last):
        return np.zeros(len(time))
    start = -1.0 if first else pause.start + _LINGERING * float(rng.uniform(0.5, 1.4)) * manner.slowness
    end = 1e9 if last else pause.end - _ANTICIPATION * float(rng.uniform(0.5, 1.4)) * manner.slowness
    return _bump(time, start, max(end, start), 0.10 * manner.slowness, 0.08 * manner.slowness)


def _bump(time: Array, start: float, end: float, rise: float, fall: float) -> Array:
    """Return 1 from ``start`` to ``end``, with half a cosine before and after: (T,)."""
    before = np.clip((time - start) / rise + 1.0, 0.0, 1.0)
    after = np.clip((end - time) / fall + 1.0, 0.0, 1.0)
    shaped: Array = 0.5 - 0.5 * np.cos(np.pi * np.minimum(before, after))
    return shaped

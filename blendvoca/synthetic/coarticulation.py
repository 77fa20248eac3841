"""Phonemes to coefficient tracks by dominance functions (Cohen and Massaro 1993).

Every sound pulls each coefficient towards its target with a dominance that decays with the time from the sound; the
coefficient is the mean of all targets weighted by dominance. Sounds that insist on a target (closed lips) overrule
neighbours, and those that do not care (h, k) take what stands around them.

======== ===================================================================
symbol   here
======== ===================================================================
T_s      ``targets``, (P, K): target of sound s
α_s      ``insistence``, (P, K)
θ        ``1 / decay``: how fast dominance falls off
D_s(t)   ``dominance``, (T, P) without α: exp(-θ |t - centre of s|)
F(t)     the track: Σ_s α_s D_s(t) T_s / Σ_s α_s D_s(t)
======== ===================================================================
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.speakers import VOCASET_FPS
from blendvoca.synthetic.speech import Phoneme, Utterance
from blendvoca.synthetic.visemes import INSISTENCE, TARGETS, VOWEL_INSISTENCE, kinds
from blendvoca.track import CoefficientTrack

Array = NDArray[np.float64]

#: Largest step between frames; a little under the fit's limit, so that rounding does not break it.
MAX_STEP = 0.098
_CHANNELS = (*BLENDVOCA_NAMES, "closure")
#: Shapes that follow others a little: follower, leader, share.
_FOLLOWERS = (
    ("cheekSquint", "mouthSmile", 0.30), ("mouthDimple", "mouthSmile", 0.28), ("noseSneer", "mouthUpperUp", 0.30),
    ("mouthFrown", "mouthStretch", 0.18),
)  # fmt: skip


@dataclass(frozen=True)
class Style:
    """How a speaker moves.

    :param effort: overall strength.
    :param gains: strength per shape, over ``effort``.
    :param lean: per left/right pair, how much stronger the left is (−1 to 1).
    :param decay: seconds over which a sound's dominance falls to 1/e, before and after it.
    :param restlessness: size of the slow movements that speech does not explain.
    """

    effort: float = 1.0
    gains: dict[str, float] = field(default_factory=dict)
    lean: dict[str, float] = field(default_factory=dict)
    decay: tuple[float, float] = (0.050, 0.065)
    restlessness: float = 0.05

    @classmethod
    def random(cls, rng: np.random.Generator) -> Style:
        """Draw a speaker's manner."""
        stems = sorted({_stem(name) for name in BLENDVOCA_NAMES})
        gains = {stem: float(np.exp(0.14 * rng.standard_normal())) for stem in stems}
        lean = {stem: float(np.clip(0.09 * rng.standard_normal(), -0.2, 0.2)) for stem in stems}
        decay = (float(rng.uniform(0.044, 0.056)), float(rng.uniform(0.056, 0.074)))
        return cls(float(rng.uniform(0.88, 1.12)), gains, lean, decay, float(rng.uniform(0.03, 0.07)))


def coefficients(utterance: Utterance, style: Style, rng: np.random.Generator) -> CoefficientTrack:
    """Return the track (frames, 32) of a spoken sentence: within [0, 1] and at most 0.1 apart from frame to frame."""
    time = np.arange(utterance.frames) / VOCASET_FPS
    values = dominance_blend(time, utterance.phonemes, style.decay)
    # Lips meet and part faster than the jaw swings.
    brief = (0.5 * style.decay[0], 0.5 * style.decay[1])
    values[:, -1] = dominance_blend(time, utterance.phonemes, brief)[:, -1]
    values = _follow(values)
    values = _mannered(values, style, rng)
    values += _restless(time, style.restlessness, rng)
    closure = np.clip(values[:, -1], 0.0, 1.0)
    jaw, close = BLENDVOCA_NAMES.index("jawOpen"), BLENDVOCA_NAMES.index("mouthClose")
    values[:, close] = closure * values[:, jaw]
    puff = BLENDVOCA_NAMES.index("cheekPuff")
    values[:, puff] += 0.16 * closure**2
    limited = limit_rate(np.clip(values[:, :-1], 0.0, 1.0), MAX_STEP)
    return CoefficientTrack(np.round(limited, 6), BLENDVOCA_NAMES, VOCASET_FPS)


def dominance_blend(time: Array, phonemes: Sequence[Phoneme], decay: tuple[float, float]) -> Array:
    """Return the blend (T, 33) of all sounds' targets: the 32 coefficients and the lips' closure."""
    sounds = [sound for phoneme in phonemes for sound in _sounds(phoneme)]
    targets = np.array([_row(TARGETS[kind], 0.0) for kind, _, _ in sounds])
    strength = [INSISTENCE.get(kind, VOWEL_INSISTENCE) for kind, _, _ in sounds]
    insistence = np.array([
        np.where(_row(dict.fromkeys(TARGETS[kind], 1.0), 0.0) > 0, named, other)
        for (kind, _, _), (named, other) in zip(sounds, strength, strict=True)
    ])  # fmt: skip
    centre = np.array([0.5 * (start + end) for _, start, end in sounds])
    held = np.array([0.3 * (end - start) for _, start, end in sounds])
    away = time[:, None] - centre
    beyond = np.maximum(np.abs(away) - held, 0.0)
    dominance = np.exp(-beyond / np.where(away < 0, *decay))
    result: Array = (dominance @ (insistence * targets)) / (dominance @ insistence)
    return result


def limit_rate(values: Array, step: float) -> Array:
    """Return (T, K) values that change by at most ``step`` a frame: the mean of the nearest such curves on either side.

    Both the lower and the upper envelope lie in the range of the input, and so does their mean.
    """
    lower, upper = values.copy(), values.copy()
    for t in range(1, len(values)):
        lower[t] = np.minimum(lower[t], lower[t - 1] + step)
        upper[t] = np.maximum(upper[t], upper[t - 1] - step)
    for t in range(len(values) - 2, -1, -1):
        lower[t] = np.minimum(lower[t], lower[t + 1] + step)
        upper[t] = np.maximum(upper[t], upper[t + 1] - step)
    return 0.5 * (lower + upper)


def _stem(name: str) -> str:
    if name in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
        return name
    return name.removesuffix("Left").removesuffix("Right")


def _row(targets: dict[str, float], missing: float) -> Array:
    return np.array([targets.get(name, targets.get(_stem(name), missing)) for name in _CHANNELS])


def _sounds(phoneme: Phoneme) -> list[tuple[str, float, float]]:
    passed = kinds(phoneme.symbol)
    edges = np.linspace(phoneme.start, phoneme.end, len(passed) + 1)
    return [(kind, float(a), float(b)) for kind, a, b in zip(passed, edges, edges[1:], strict=False)]


def _follow(values: Array) -> Array:
    result = values.copy()
    for follower, leader, share in _FOLLOWERS:
        for side in ("Left", "Right"):
            result[:, _CHANNELS.index(follower + side)] += share * values[:, _CHANNELS.index(leader + side)]
    shrug = _CHANNELS.index("mouthShrugLower")
    result[:, shrug] += 0.12 * values[:, _CHANNELS.index("closure")]
    return result


def _mannered(values: Array, style: Style, rng: np.random.Generator) -> Array:
    """Apply a speaker's strengths and leaning; every sentence is said with a little more or less of it."""
    factor = np.ones(values.shape[1])
    for column, name in enumerate(BLENDVOCA_NAMES):
        stem = _stem(name)
        side = 1.0 if name.endswith("Left") else -1.0
        lean = style.lean.get(stem, 0.0) if stem != name else 0.0
        factor[column] = style.effort * style.gains.get(stem, 1.0) * (1.0 + side * lean)
    return values * factor * np.append(np.exp(0.05 * rng.standard_normal(values.shape[1] - 1)), 1.0)


def _restless(time: Array, size: float, rng: np.random.Generator) -> Array:
    """Return slow movements (T, 33) of all coefficients, mostly zero, as of a person who is not a machine."""
    frequency = rng.uniform(0.2, 1.1, (2, len(_CHANNELS)))
    phase = rng.uniform(0.0, 2.0 * np.pi, (2, len(_CHANNELS)))
    waves = np.sin(2.0 * np.pi * time[:, None, None] * frequency + phase).mean(axis=1)
    scale = size * rng.uniform(0.3, 1.6, len(_CHANNELS))
    for name in ("jaw", "mouth"):
        # Nobody goes left and right at once.
        left, right = _CHANNELS.index(f"{name}Left"), _CHANNELS.index(f"{name}Right")
        waves[:, right], scale[right] = -waves[:, left], scale[left]
    result = scale * np.maximum(waves, 0.0) ** 2
    result[:, -1] = 0.0
    for name in ("jawOpen", "mouthFunnel", "mouthPucker"):
        result[:, _CHANNELS.index(name)] *= 0.4
    return result

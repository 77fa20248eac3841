"""Phonemes to coefficient tracks by dominance functions (Cohen and Massaro 1993).

Every sound pulls each coefficient towards its target with a dominance that decays with the time from the sound; the
coefficient is the mean of all targets weighted by dominance. Sounds that insist on a target (closed lips) overrule
neighbours, and those that do not care (h, k) take what stands around them.

What differs from take to take stands in :mod:`.articulation`, contact of the lips in :mod:`.closure`.

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
from blendvoca.synthetic.performance.articulation import CARRIERS, Articulation, smooth_noise
from blendvoca.synthetic.performance.closure import closure
from blendvoca.synthetic.performance.visemes import INSISTENCE, TARGETS, VOWEL_INSISTENCE, kinds
from blendvoca.synthetic.voice.speech import Phoneme, Utterance
from blendvoca.track import CoefficientTrack

Array = NDArray[np.float64]

#: Largest step between frames; a little under the fit's limit, so that rounding does not break it.
MAX_STEP = 0.098
#: Shapes that follow others a little: follower, leader, share.
_FOLLOWERS = (
    ("cheekSquint", "mouthSmile", 0.22), ("mouthDimple", "mouthSmile", 0.28), ("noseSneer", "mouthUpperUp", 0.30),
    ("mouthFrown", "mouthStretch", 0.22),
)  # fmt: skip
#: Shapes that part the lips or push them out, which contact takes back.
_PARTING = ("mouthLowerDown", "mouthUpperUp", "mouthFunnel", "mouthShrugUpper")
#: Strength of the jaw where the lips lead, and of the lips where the jaw leads.
_JAW, _LIPS = (1.25, 0.70), (0.55, 2.30)


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


def coefficients(
    utterance: Utterance, style: Style, rng: np.random.Generator, manner: Articulation | None = None
) -> CoefficientTrack:
    """Return one take (frames, 32) of a spoken sentence: within [0, 1] and at most 0.1 apart from frame to frame.

    :param rng: everything that differs from take to take follows from it.
    :param manner: of the take; drawn by default.
    """
    manner = Articulation.random(rng) if manner is None else manner
    time = np.arange(utterance.frames) / VOCASET_FPS
    decay = (style.decay[0] * manner.reach, style.decay[1] * manner.reach)
    met = closure(time + manner.lead, utterance.phonemes, manner, rng)
    values = dominance_blend(time + manner.lead, utterance.phonemes, decay, rng, manner.jitter)
    values = _mannered(_follow(_led(values, manner.lip_share)), time, style, manner, rng)
    values += _carried(time, manner, rng) + _restless(time, style.restlessness, rng)
    values = _closed(values, met)
    limited = limit_rate(np.clip(values, 0.0, 1.0), MAX_STEP)
    return CoefficientTrack(np.round(limited, 6), BLENDVOCA_NAMES, VOCASET_FPS)


def dominance_blend(
    time: Array,
    phonemes: Sequence[Phoneme],
    decay: tuple[float, float],
    rng: np.random.Generator | None = None,
    jitter: float = 0.0,
) -> Array:
    """Return the blend (T, 32) of all sounds' targets.

    :param rng: for the jitter.
    :param jitter: spread (log) of each sound's targets, those of one sound together and each by itself.
    """
    sounds = [sound for phoneme in phonemes for sound in _sounds(phoneme)]
    targets = np.array([_row(TARGETS[kind], 0.0) for kind, _, _ in sounds])
    if rng is not None and jitter > 0:
        together, alone = rng.standard_normal((len(sounds), 1)), rng.standard_normal(targets.shape)
        targets = targets * np.exp(jitter * (0.7 * together + 0.7 * alone))
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


_STEMS = tuple(_stem(name) for name in BLENDVOCA_NAMES)
_SIDE = np.array([
    0.0 if stem == name else 1.0 if name.endswith("Left") else -1.0
    for name, stem in zip(BLENDVOCA_NAMES, _STEMS, strict=True)
])  # fmt: skip


def _columns(*stems: str) -> list[int]:
    return [column for column, stem in enumerate(_STEMS) if stem in stems]


def _row(targets: dict[str, float], missing: float) -> Array:
    return np.array([targets.get(stem, missing) for stem in _STEMS])


def _sounds(phoneme: Phoneme) -> list[tuple[str, float, float]]:
    passed = kinds(phoneme.symbol)
    edges = np.linspace(phoneme.start, phoneme.end, len(passed) + 1)
    return [(kind, float(a), float(b)) for kind, a, b in zip(passed, edges, edges[1:], strict=False)]


def _led(values: Array, lip_share: float) -> Array:
    """Open more by the jaw or more by the lips."""
    result = values.copy()
    result[:, _columns("jawOpen")] *= np.interp(lip_share, (0.0, 1.0), _JAW)
    result[:, _columns("mouthLowerDown", "mouthUpperUp")] *= np.interp(lip_share, (0.0, 1.0), _LIPS)
    return result


def _follow(values: Array) -> Array:
    result = values.copy()
    for follower, leader, share in _FOLLOWERS:
        result[:, _columns(follower)] += share * values[:, _columns(leader)]
    return result


def _mannered(values: Array, time: Array, style: Style, manner: Articulation, rng: np.random.Generator) -> Array:
    """Apply strengths, and a leaning to one side that drifts."""
    stems = sorted(set(_STEMS))
    drift = 0.13 * smooth_noise(time, 0.5, len(stems), rng)
    strength = np.exp(0.10 * rng.standard_normal(len(stems)) + 0.10 * smooth_noise(time, 1.2, len(stems), rng))
    factor = np.empty(values.shape)
    for column, (stem, side) in enumerate(zip(_STEMS, _SIDE, strict=True)):
        place = stems.index(stem)
        lean = np.clip(style.lean.get(stem, 0.0) + drift[:, place], -0.6, 0.6)
        factor[:, column] = manner.effort * style.effort * style.gains.get(stem, 1.0)
        factor[:, column] *= strength[:, place] * (1.0 + side * lean)
    return values * factor


def _carried(time: Array, manner: Articulation, rng: np.random.Generator) -> Array:
    """Return the expression (T, 32) that a take rides on, swelling and fading, and mostly on one side."""
    level = manner.carried * np.clip(0.7 + 0.35 * smooth_noise(time, 0.5, 1, rng), 0.0, 1.3)
    lean = 1.0 + _SIDE * float(rng.uniform(-0.6, 0.6))
    result: Array = level * _row(CARRIERS[manner.carrier], 0.0) * lean
    result[:, _columns("jawForward")] += manner.jaw_forward
    return result


def _restless(time: Array, size: float, rng: np.random.Generator) -> Array:
    """Return slow movements (T, 32) of all coefficients, mostly zero, as of a person who is not a machine."""
    waves = smooth_noise(time, 1.1, len(BLENDVOCA_NAMES), rng)
    scale = size * rng.uniform(0.3, 1.3, len(BLENDVOCA_NAMES))
    for name in ("jaw", "mouth"):
        # Nobody goes left and right at once.
        left, right = BLENDVOCA_NAMES.index(f"{name}Left"), BLENDVOCA_NAMES.index(f"{name}Right")
        waves[:, right] = -waves[:, left]
        scale[left] = scale[right] = size * float(rng.uniform(0.3, 1.6))
    result: Array = scale * np.maximum(waves, 0.0)
    result[:, _columns("jawOpen", "mouthFunnel", "mouthPucker")] *= 0.3
    result[:, _columns("mouthClose")] = 0.0
    return result


def _closed(values: Array, met: Array) -> Array:
    """Bring the lips together where they meet: what parts them is taken back, mouthClose answers the open jaw."""
    result = values.copy()
    result[:, _columns(*_PARTING)] *= 1.0 - 0.96 * met[:, None]
    jaw, close = BLENDVOCA_NAMES.index("jawOpen"), BLENDVOCA_NAMES.index("mouthClose")
    result[:, jaw] *= 1.0 - 0.25 * met
    result[:, close] = met * (result[:, jaw] + 0.012)
    pressed = values[:, _columns("mouthPress")].mean(axis=1) > 0.1
    result[:, BLENDVOCA_NAMES.index("cheekPuff")] += 0.13 * met**2 * pressed
    result[:, BLENDVOCA_NAMES.index("mouthShrugLower")] += 0.10 * met
    return result

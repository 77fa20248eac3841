"""How one take of a sentence is articulated: what differs between two takes of the same sentence and the same sound."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
#: Carriers: an expression that speech rides on, as targets of single coefficients at full strength.
CARRIERS: dict[str, dict[str, float]] = {
    "none": {},
    "smile": {"mouthSmile": 0.20, "mouthDimple": 0.08, "cheekSquint": 0.05},
    "press": {"mouthPress": 0.16, "mouthRollUpper": 0.08, "mouthRollLower": 0.06},
    "frown": {"mouthFrown": 0.20, "mouthShrugLower": 0.16},
    "sneer": {"noseSneer": 0.16, "mouthUpperUp": 0.10},
    "forward": {"jawForward": 0.30, "mouthShrugLower": 0.06},
    "raised": {"mouthShrugUpper": 0.42},
}


@dataclass(frozen=True)
class Articulation:
    """One take's manner.

    :param effort: hypo-articulated (0.6) to hyper-articulated (1.35): strength of all targets.
    :param lead: seconds by which the mouth is ahead of the sound (late: negative).
    :param reach: factor of the time that sounds reach into their neighbours.
    :param lip_share: 0 opens by the jaw, 1 by the lips.
    :param slowness: factor of the time that lips take to meet and part.
    :param missed_closures: probability that a closure stops short of contact.
    :param jitter: spread (log) of each sound's own targets.
    :param carrier: a name of :data:`CARRIERS`.
    :param carried: strength of the carrier, 0 to 1.
    :param jaw_forward: resting protrusion of the jaw.
    """

    effort: float = 1.0
    lead: float = 0.0
    reach: float = 1.0
    lip_share: float = 0.5
    slowness: float = 1.0
    missed_closures: float = 0.0
    jitter: float = 0.0
    carrier: str = "none"
    carried: float = 0.0
    jaw_forward: float = 0.0

    @classmethod
    def random(cls, rng: np.random.Generator) -> Articulation:
        """Draw a take's manner."""
        effort = float(np.clip(np.exp(0.24 * rng.standard_normal()), 0.6, 1.5))
        return cls(
            effort=effort,
            lead=float(np.clip(0.010 * rng.standard_normal(), -0.022, 0.022)),
            reach=float(np.clip(np.exp(0.22 * rng.standard_normal()), 0.65, 1.5)),
            lip_share=float(rng.beta(1.2, 1.2)),
            slowness=float(np.clip(np.exp(0.18 * rng.standard_normal()), 0.7, 1.4)),
            missed_closures=0.10 if effort < 0.85 else 0.02,
            jitter=0.16,
            carrier=str(rng.choice(tuple(CARRIERS))),
            carried=float(rng.beta(1.5, 1.5)),
            jaw_forward=float(rng.beta(1.0, 3.0)) * 0.35,
        )

    @classmethod
    def clear(cls, rng: np.random.Generator) -> Articulation:
        """Draw the manner of a take that is spoken clearly: every closure is made, little differs from take to take."""
        return cls(
            effort=float(np.clip(np.exp(0.07 * rng.standard_normal()), 0.85, 1.2)),
            lead=float(np.clip(0.004 * rng.standard_normal(), -0.01, 0.01)),
            reach=float(np.clip(0.9 * np.exp(0.06 * rng.standard_normal()), 0.75, 1.05)),
            lip_share=float(rng.beta(8.0, 8.0)),
            slowness=float(np.clip(0.95 * np.exp(0.05 * rng.standard_normal()), 0.8, 1.1)),
            jitter=0.05,
        )


def smooth_noise(time: Array, fastest: float, count: int, rng: np.random.Generator) -> Array:
    """Return slow curves (T, count) of mean zero and unit variance over long times.

    :param fastest: Hz.
    :param count: how many.
    """
    frequency = rng.uniform(0.1 * fastest, fastest, (4, count))
    phase = rng.uniform(0.0, 2.0 * np.pi, (4, count))
    curves: Array = np.sin(2.0 * np.pi * time[:, None, None] * frequency + phase).sum(axis=1) / np.sqrt(2.0)
    return curves

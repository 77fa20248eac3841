"""Blinks, brows and glances over speech, for samples with all shapes: motion that does not follow from the sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import ARKIT_NAMES, BLENDVOCA_NAMES
from blendvoca.synthetic.performance.articulation import smooth_noise
from blendvoca.synthetic.performance.visemes import VOWELS, kinds
from blendvoca.synthetic.voice.speech import Utterance
from blendvoca.track import CoefficientTrack

Array = NDArray[np.float64]

#: The 32 of speech, then the others of ARKit's that a head without a tongue has.
FACE_NAMES: tuple[str, ...] = (
    *BLENDVOCA_NAMES, *(name for name in ARKIT_NAMES if name not in BLENDVOCA_NAMES and name != "tongueOut")
)  # fmt: skip
#: Mean seconds between blinks; frames in which lids fall and rise. Real lids are faster than the fit's limit of 0.1 a
#: frame: these keep to it.
_BETWEEN, _FALL, _RISE = 3.2, 9, 14
#: How likely brows rise at a vowel, seconds that they take, and how far they go at most.
_ACCENT, _ACCENT_SECONDS, _ACCENT_HEIGHT = 0.14, 0.28, 0.55


def with_upper_face(track: CoefficientTrack, utterance: Utterance, rng: np.random.Generator) -> CoefficientTrack:
    """Return a track of speech (T, 32) with blinks, brows and glances: (T, 51), names :data:`FACE_NAMES`."""
    values = np.zeros((len(track), len(FACE_NAMES)))
    values[:, : len(BLENDVOCA_NAMES)] = track.select(BLENDVOCA_NAMES).values
    time = np.arange(len(track)) / track.fps
    curves = {"eyeBlink": blinks(len(track), track.fps, rng), **_glances(time, rng), **_brows(time, utterance, rng)}
    for name, curve in curves.items():
        for side in ("", "Left", "Right"):
            if name + side in FACE_NAMES:
                share = 1.0 if not side else 1.0 + 0.06 * float(rng.uniform(-1, 1))
                values[:, FACE_NAMES.index(name + side)] = np.clip(curve * share, 0.0, 0.97)
    return CoefficientTrack(np.round(values, 6), FACE_NAMES, track.fps)


def blinks(frames: int, fps: float, rng: np.random.Generator) -> Array:
    """Return a curve (frames,) of both lids, 0 open to 1 closed: natural intervals, each fall faster than its rise."""
    lids = np.zeros(frames + _FALL + _RISE)
    place = float(rng.exponential(_BETWEEN)) * fps
    while place < frames:
        shape = np.concatenate([np.linspace(0, 1, _FALL + 1)[1:], np.linspace(1, 0, _RISE + 1)[1:]])
        start = int(place)
        depth = float(rng.uniform(0.7, 0.85))
        lids[start : start + len(shape)] = np.maximum(lids[start : start + len(shape)], depth * shape)
        place += (_FALL + _RISE) + float(rng.exponential(_BETWEEN)) * fps
    result: Array = lids[:frames]
    return result


def _glances(time: Array, rng: np.random.Generator) -> dict[str, Array]:
    """Return slow looks to one side and down, both eyes together; lids follow a look down."""
    across, down = 0.12 * smooth_noise(time, 0.5, 2, rng).T
    left, right = np.maximum(across, 0.0), np.maximum(-across, 0.0)
    return {
        "eyeLookOutLeft": left, "eyeLookInRight": left, "eyeLookInLeft": right, "eyeLookOutRight": right,
        "eyeLookDown": np.maximum(down, 0.0), "eyeLookUp": np.maximum(-down, 0.0) * 0.5,
        "eyeSquint": 0.3 * np.maximum(down, 0.0), "eyeWide": 0.2 * np.maximum(-down, 0.0),
    }  # fmt: skip


def _brows(time: Array, utterance: Utterance, rng: np.random.Generator) -> dict[str, Array]:
    """Return brows that rise at accents and frown slowly in between."""
    raised = np.zeros(len(time))
    for phoneme in utterance.phonemes:
        if kinds(phoneme.symbol)[0] in VOWELS and rng.uniform() < _ACCENT:
            away = (time - 0.5 * (phoneme.start + phoneme.end)) / _ACCENT_SECONDS
            height = float(rng.uniform(0.15, _ACCENT_HEIGHT))
            raised = np.maximum(raised, height * np.where(np.abs(away) < 1, 0.5 + 0.5 * np.cos(np.pi * away), 0.0))
    frown = np.maximum(0.10 * smooth_noise(time, 0.4, 1, rng)[:, 0], 0.0) * (1.0 - raised)
    return {"browInnerUp": raised, "browOuterUp": 0.7 * raised, "browDown": frown}

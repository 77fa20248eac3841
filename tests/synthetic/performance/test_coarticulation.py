"""Tracks stay in range and within the rate limit, and lips close when they must."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.audio import Waveform
from blendvoca.fit.settings import DEFAULT_RATE_LIMIT
from blendvoca.synthetic.performance.articulation import Articulation
from blendvoca.synthetic.performance.coarticulation import MAX_STEP, Style, coefficients, dominance_blend, limit_rate
from blendvoca.synthetic.performance.visemes import INSISTENCE, KINDS, TARGETS, VOWEL_INSISTENCE, kind_frames, kinds
from blendvoca.synthetic.voice.speech import Phoneme, Utterance


def utterance(symbols: str, seconds: float = 0.12) -> Utterance:
    names = ["_", *symbols.split(), "_"]
    sounds = tuple(Phoneme(name, k * seconds, (k + 1) * seconds) for k, name in enumerate(names))
    frames = 3 * int(np.ceil(len(names) * seconds * 20))
    return Utterance(symbols, Waveform(np.zeros(frames * 22000 // 60, np.float32), 22000), sounds, frames)


def track(symbols: str, seed: int = 0, seconds: float = 0.12) -> dict[str, np.ndarray]:
    style, rng = Style(restlessness=0.0), np.random.default_rng(seed)
    made = coefficients(utterance(symbols, seconds), style, rng, Articulation())
    return dict(zip(made.names, made.values.T, strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_tracks_respect_range_and_rate_limit(seed: int) -> None:
    style = Style.random(np.random.default_rng(seed))
    for seconds in (0.03, 0.08, 0.2):
        made = coefficients(utterance("p A: m i: w u: S a", seconds), style, np.random.default_rng(seed))
        assert made.names == BLENDVOCA_NAMES
        assert made.values.min() >= 0
        assert made.values.max() <= 1
        assert made.max_step() <= MAX_STEP + 2e-6 < DEFAULT_RATE_LIMIT


def test_every_coefficient_is_used() -> None:
    rng = np.random.default_rng(1)
    made = coefficients(utterance("p A: f i: w u: S a r s", 0.15), Style.random(rng), rng)
    assert (made.values.max(axis=0) > 0.001).sum() >= 30


def at(values: np.ndarray, position: int, seconds: float = 0.12) -> float:
    return float(values[round((position + 1.5) * seconds * 60)])


def test_sounds_shape_the_mouth() -> None:
    open_, wide, round_ = track("A: A:"), track("i: i:"), track("u: u:")
    assert at(open_["jawOpen"], 0) > 0.3 > 2 * at(wide["jawOpen"], 0)
    assert at(wide["mouthStretchLeft"], 0) > 0.15 > 2 * at(round_["mouthStretchLeft"], 0)
    assert at(round_["mouthPucker"], 0) > 0.3 > 3 * at(wide["mouthPucker"], 0)


@pytest.mark.parametrize("seed", range(3))
def test_lips_meet_on_p_whatever_stands_around(seed: int) -> None:
    for symbols in ("A: p A:", "u: m i:", "a b O"):
        made = track(symbols, seed)
        assert at(made["mouthClose"], 1) >= at(made["jawOpen"], 1), symbols
        assert at(made["mouthClose"], 0) < 0.35 * at(made["jawOpen"], 0)
        assert at(made["mouthLowerDownLeft"], 1) < 0.02


def test_lips_rest_together_in_a_pause() -> None:
    made = track("A: _ _ _ A:")
    assert at(made["mouthClose"], 2) >= at(made["jawOpen"], 2)
    assert at(made["jawOpen"], 2) < 0.1 < at(made["jawOpen"], 0)


def test_h_takes_the_mouth_of_its_neighbours() -> None:
    made = track("u: h u:")
    assert at(made["mouthPucker"], 1) > 0.7 * at(made["mouthPucker"], 0)


def test_blend_equals_the_formula_written_out() -> None:
    sounds = [Phoneme("p", 0.0, 0.1), Phoneme("i:", 0.1, 0.3), Phoneme("w", 0.3, 0.35)]
    decay, column, name = (0.05, 0.07), BLENDVOCA_NAMES.index("mouthPucker"), "mouthPucker"
    for t in (0.0, 0.11, 0.29, 0.5):
        above = below = 0.0
        for sound in sounds:
            (kind,) = kinds(sound.symbol)
            named, other = INSISTENCE.get(kind, VOWEL_INSISTENCE)
            alpha = named if name in TARGETS[kind] else other
            centre, held = (sound.start + sound.end) / 2, 0.3 * (sound.end - sound.start)
            theta = decay[0] if t < centre else decay[1]
            weight = alpha * np.exp(-max(abs(t - centre) - held, 0.0) / theta)
            above += weight * TARGETS[kind].get(name, 0.0)
            below += weight
        assert dominance_blend(np.array([t]), sounds, decay)[0, column] == pytest.approx(above / below)


@given(arrays(float, (12, 2), elements=st.floats(0, 1)))
def test_limiting_keeps_rate_and_range_and_is_the_mean_of_envelopes(values: np.ndarray) -> None:
    limited = limit_rate(values, 0.1)
    assert np.abs(np.diff(limited, axis=0)).max() <= 0.1 + 1e-12
    assert (limited >= values.min(axis=0) - 1e-12).all()
    assert (limited <= values.max(axis=0) + 1e-12).all()
    away = 0.1 * np.abs(np.arange(12)[:, None] - np.arange(12))
    lower = (values[None] + away[:, :, None]).min(axis=1)
    upper = (values[None] - away[:, :, None]).max(axis=1)
    np.testing.assert_allclose(limited, 0.5 * (lower + upper), atol=1e-12)


def test_limiting_leaves_slow_tracks_alone() -> None:
    slow = np.linspace(0, 1, 50)[:, None]
    np.testing.assert_allclose(limit_rate(slow, 0.1), slow, atol=1e-14)


@pytest.mark.parametrize("symbol", ["p", "i:", "aI@", "OI", "_", "tS", "@", "oU", "3:", "t#", "0#", "xyz"])
def test_every_symbol_has_a_kind(symbol: str) -> None:
    assert all(kind in TARGETS for kind in kinds(symbol))


def test_targets_name_real_coefficients() -> None:
    stems = {name.removesuffix("Left").removesuffix("Right") for name in BLENDVOCA_NAMES} | set(BLENDVOCA_NAMES)
    for kind, targets in TARGETS.items():
        assert set(targets) <= stems | {"closure"}, kind
        assert all(0 <= value <= 1 for value in targets.values())


def test_every_frame_has_the_kind_of_sound_that_is_spoken() -> None:
    spelled = "_ 0.100 m 0.200 aI 0.400 p 0.450"
    numbers = kind_frames(spelled, 30, 60.0)
    assert [KINDS[number] for number in numbers] == (
        ["rest"] * 6 + ["lips"] * 6 + ["ae"] * 6 + ["ih"] * 6 + ["lips"] * 3 + ["rest"] * 3
    )

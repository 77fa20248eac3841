"""Acoustic augmentation: deterministic, in step with the motion, and what it says it is."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")

from blendvoca.errors import ConfigurationError
from said_model.training.acoustics import (
    AcousticAugmentation,
    augmentation,
    breaths,
    coloured_noise,
    equalise,
    reverberate,
    shift_voice,
)

RATE = 16_000
TIME = np.arange(2 * RATE) / RATE
TONE = np.sin(2 * np.pi * 440 * TIME).astype(np.float32)


def loudest(samples: np.ndarray) -> float:
    """Return the frequency in Hz with the most power."""
    return float(np.fft.rfftfreq(len(samples), 1 / RATE)[np.abs(np.fft.rfft(samples)).argmax()])


def test_the_same_seed_gives_the_same_sound_another_seed_another() -> None:
    room = AcousticAugmentation()
    first, again, other = (room.apply(TONE, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert first.dtype == np.float32
    assert {len(room.apply(TONE[:count], seed)) for count in (17_777,) for seed in range(12)} == {17_777}


def test_changes_stay_in_step_with_the_motion() -> None:
    click = np.zeros(2 * RATE, np.float32)
    click[RATE : RATE + 160] = np.hanning(160)
    room = AcousticAugmentation(noise=(60.0, 60.0), clipping=0.0, breath=0.0)
    for seed in range(12):
        energy = room.apply(click, seed).astype(float) ** 2
        onset = int((np.cumsum(energy) > 0.05 * energy.sum()).argmax())
        assert abs(onset - RATE) < 0.02 * RATE, seed


@pytest.mark.parametrize("factor", [0.88, 1.0, 1.12])
def test_voice_shift_moves_frequencies_and_keeps_time_and_level(factor: float) -> None:
    moved = shift_voice(TONE, factor)
    assert len(moved) == len(TONE)
    assert loudest(moved[4000:-4000]) == pytest.approx(440 * factor, rel=0.01)
    assert moved[4000:-4000].std() == pytest.approx(TONE.std(), rel=0.12)


def test_noise_stands_at_the_ratio_that_is_asked_for() -> None:
    quiet = AcousticAugmentation(noise=(20.0, 20.0), reverberation=0.0, band=0.0, voice=0.0, clipping=0.0, breath=0.0)
    heard = np.stack([quiet.apply(np.concatenate([TONE, np.zeros_like(TONE)]), seed) for seed in range(20)])
    ratio = 20 * np.log10(heard[:, :RATE].std(axis=1) / heard[:, -RATE:].std(axis=1))
    # The microphone's tilt acts on tone and noise differently.
    assert np.median(ratio) == pytest.approx(20, abs=4)


def test_breaths_are_heard_in_pauses_alone() -> None:
    pause = np.zeros(RATE, np.float32)
    speech = np.concatenate([TONE, pause, TONE])
    made = [breaths(speech, np.random.default_rng(seed)) for seed in range(20)]
    for sound in made:
        assert not sound[: 2 * RATE].any() and not sound[-2 * RATE :].any()
        assert np.abs(sound).max() < 6 * TONE.std()
    heard = [bool(sound.any()) for sound in made]
    assert 10 < sum(heard) < 20
    np.testing.assert_array_equal(made[3], breaths(speech, np.random.default_rng(3)))
    assert not breaths(TONE, np.random.default_rng(0)).any()


def test_noise_has_unit_level_and_colours_differ() -> None:
    centres = []
    for seed in range(12):
        noise = coloured_noise(RATE, np.random.default_rng(seed))
        assert noise.std() == pytest.approx(1.0, rel=1e-3)
        power = np.abs(np.fft.rfft(noise)) ** 2
        centres.append((power * np.arange(len(power))).sum() / power.sum())
    assert max(centres) > 3 * min(centres)


def test_a_room_rings_on_for_its_time() -> None:
    click = np.zeros(RATE, np.float32)
    click[100] = 1.0
    wet = reverberate(click, 0.5, 0.0, np.random.default_rng(0))
    assert np.abs(wet).argmax() == 100
    early, late = (np.sqrt((wet[100 + a : 100 + a + 800] ** 2).mean()) for a in (800, 800 + 4000))
    # 60 dB in half a second: 30 dB in a quarter.
    assert 20 * np.log10(early / late) == pytest.approx(30, abs=6)


def test_a_narrow_band_loses_what_lies_outside() -> None:
    noise = np.random.default_rng(1).standard_normal(RATE).astype(np.float32)
    narrow = equalise(noise, np.random.default_rng(0), True)
    power = np.abs(np.fft.rfft(narrow)) ** 2
    assert power[:60].mean() < 0.02 * power[500:2000].mean()
    assert power[7500:].mean() < 0.1 * power[500:2000].mean()


def test_silence_becomes_a_quiet_room() -> None:
    heard = AcousticAugmentation().apply(np.zeros(RATE, np.float32), 0)
    assert 0 < heard.std() < 0.1


def test_names() -> None:
    assert augmentation("none") is None
    assert augmentation("room") == AcousticAugmentation()
    with pytest.raises(ConfigurationError, match="cathedral"):
        augmentation("cathedral")

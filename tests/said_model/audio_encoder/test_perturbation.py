"""Perturbed spectra: what a room, noise and a microphone do to them, against sound that went through the same."""

from __future__ import annotations

import math

import pytest

pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")

import torch

from said_model.audio_encoder.log_mel import LogMelEncoder
from said_model.audio_encoder.mel import FLOOR, SCALE, band_centres, to_hertz
from said_model.audio_encoder.perturbation import SLOPES, UNIT, SpectraPerturbation, warp

CENTRES = band_centres(64)


@pytest.fixture
def perturbation() -> SpectraPerturbation:
    torch.manual_seed(0)
    return SpectraPerturbation(CENTRES)


def test_warps_move_a_band_by_their_factor() -> None:
    torch.testing.assert_close(warp(CENTRES, 1.0), torch.eye(64), atol=1e-5, rtol=0)
    peak = torch.zeros(64)
    peak[30] = 1.0
    assert (warp(CENTRES, 1.1) @ peak).argmax() < 30 < (warp(CENTRES, 0.9) @ peak).argmax()
    torch.testing.assert_close(warp(CENTRES, 1.07).sum(1), torch.ones(64), atol=1e-5, rtol=0)


def test_warps_and_slopes_follow_the_limits_of_the_bands() -> None:
    narrow = band_centres(64, 300.0, 3400.0)
    peak = torch.zeros(64)
    peak[30] = 1.0
    for centres in (CENTRES, narrow):
        (moved,) = to_hertz(centres[(warp(centres, 1 / 1.1) @ peak).argmax(0, keepdim=True)])
        assert moved == pytest.approx(1.1 * float(to_hertz(centres[30])), rel=0.03)
    octaves = SpectraPerturbation(narrow).octaves
    assert (float(octaves[0]), float(octaves[-1])) == pytest.approx((math.log2(0.32), math.log2(3.3)), abs=0.06)


@pytest.mark.parametrize("floor", [FLOOR, 0.05])
def test_silence_stays_finite_and_above_the_floor(floor: float) -> None:
    silence = math.log(floor) / SCALE
    changed = SpectraPerturbation(CENTRES, 60.0, floor)(torch.full((64, 30, 64), silence))
    assert changed.min() >= silence
    assert torch.isfinite(changed).all()


def test_a_seed_gives_the_same_change() -> None:
    spectra, made = torch.randn(4, 20, 64), []
    for seed in (3, 3, 4):
        torch.manual_seed(seed)
        made.append(SpectraPerturbation(CENTRES)(spectra))
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])


def test_rooms_decay_exponentially_and_keep_the_past(perturbation: SpectraPerturbation) -> None:
    clap = torch.zeros(256, 120, 64)
    clap[:, 40] = 1.0
    heard = perturbation._room(clap)
    assert (heard[:, :40] == 0).all()
    torch.testing.assert_close(heard[:, 40], clap[:, 40])
    wet = heard[heard[:, 41, 0] > 0, 41:, 0]
    assert 0.35 * 256 < len(wet) < 0.65 * 256
    falls = -10 * torch.log10(wet[:, 1:12] / wet[:, :11])
    torch.testing.assert_close(falls, falls[:, :1].expand_as(falls), atol=1e-2, rtol=1e-2)
    # 60 dB in 0.12 to 0.9 s, at 60 spectra a second.
    assert falls.min() > 60 / (0.9 * 60) - 0.02
    assert falls.max() < 60 / (0.12 * 60) + 0.02


def test_noise_has_the_level_that_an_encoder_gives_noise(perturbation: SpectraPerturbation) -> None:
    sound = torch.randn(1, 16_000, generator=torch.Generator().manual_seed(0))
    power = ((SCALE * LogMelEncoder().spectra(sound)).exp() - FLOOR).mean((0, 2))
    decibels = 10 * torch.log10(power / UNIT)
    assert -2 < decibels[:6].mean() < 4
    rise = (decibels[-6:].mean() - decibels[:6].mean()) / (perturbation.octaves[-6:].mean() + 3)
    assert SLOPES[0] < -rise < 0
    added = perturbation._noise(torch.zeros(512, 10, 64))
    present = added.amax((1, 2)) > 0
    assert 0.5 < present.float().mean() < 0.7
    # At 1 kHz colours do not count: 5 to 60 dB under sound of unit variance.
    middle = int(perturbation.octaves.abs().argmin())
    level = 10 * torch.log10(added[present, :, middle].mean(1) / UNIT)
    assert -61 < level.min() < -50
    assert -15 < level.max() < -3


def test_microphones_add_the_same_to_every_frame(perturbation: SpectraPerturbation) -> None:
    response = perturbation._microphone(torch.zeros(512, 10, 64))
    assert response.shape == (512, 1, 64)
    decibels = response * SCALE * 10 / math.log(10)
    assert 3 < decibels.std(0).mean() < 15
    # Responses are smooth: neighbouring bands differ by little.
    assert decibels.diff(dim=-1).abs().mean() < 0.2 * decibels.std()

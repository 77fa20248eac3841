"""The learned part of the embedded encoder: what is cached of it, its reach, how it is perturbed and stored."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")

import torch

from said_model.audio_encoder import build, normalise
from said_model.audio_encoder.features import Shifts, encoder_key
from said_model.audio_encoder.speech import features_of
from said_model.audio_encoder.stack import StackSettings
from said_model.checkpoints import folder as checkpoint
from said_model.config import DenoiserConfig, EncoderConfig, ModelConfig
from said_model.network.said import SaidNetwork

CONFIG = EncoderConfig("log-mel", {"stack": {"width": 32, "features": 16}}, stored=True)


def waveform(seconds: float, seed: int = 0) -> torch.Tensor:
    return normalise(torch.randn(1, round(seconds * 16_000), generator=torch.Generator().manual_seed(seed)))


def test_features_are_the_learned_part_of_the_cached_one() -> None:
    encoder = build(CONFIG).eval()
    sound = waveform(1.0)
    kept = encoder.frozen(sound, 60)
    assert kept.shape == (1, 60, encoder.cached_dim) == (1, 60, 64)
    torch.testing.assert_close(encoder.learned(kept), encoder(sound, 60))
    assert encoder(sound, 60).shape == (1, 60, 16)
    assert encoder.learns_on_cache
    assert not build(EncoderConfig()).learns_on_cache


def test_the_cache_does_not_depend_on_what_is_learned() -> None:
    keys = []
    for seed in range(2):
        torch.manual_seed(seed)
        keys.append(encoder_key(build(CONFIG), "log-mel", 60.0, Shifts(1)))
    assert keys[0] == keys[1] != encoder_key(build(EncoderConfig()), "log-mel", 60.0, Shifts(1))


def test_a_feature_depends_on_its_reach_and_no_further() -> None:
    encoder = build(CONFIG).eval()
    spectra = torch.zeros(1, 81, 64, requires_grad=True)
    encoder.learned(spectra)[0, 40].sum().backward()
    (moved,) = torch.nonzero(spectra.grad[0].abs().sum(-1), as_tuple=True)
    reach = StackSettings().reach
    assert (int(moved.min()), int(moved.max())) == (40 - reach, 40 + reach)


def test_long_sound_in_pieces_gives_the_same_features() -> None:
    encoder = build(CONFIG).eval()
    sound = waveform(5.0)
    with torch.no_grad():
        parts, whole = features_of(encoder, sound[0], 300, chunk=60), encoder(sound, 300)
    torch.testing.assert_close(parts, whole, atol=2e-5, rtol=0)


def test_perturbation_acts_while_training_only() -> None:
    encoder = build(CONFIG)
    spectra = encoder.frozen(waveform(1.0), 60)
    torch.testing.assert_close(encoder.eval().learned(spectra), encoder.learned(spectra))
    assert not torch.allclose(encoder.train().learned(spectra), encoder.learned(spectra))


def test_checkpoints_hold_the_stack(tmp_path: Path) -> None:
    model = ModelConfig(encoder=CONFIG, denoiser=DenoiserConfig(32, 1, 16))
    network = SaidNetwork(model).eval()
    checkpoint.save(tmp_path, network)
    again = checkpoint.load(tmp_path)
    sound = waveform(0.5)
    torch.testing.assert_close(again.encode(sound, 30), network.encode(sound, 30))

"""The encoder's learned part is trained first, by itself, and tells coefficients and contact."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")

import torch

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.errors import ConfigurationError
from said_model.audio_encoder.mel import band_centres
from said_model.audio_encoder.stack import Stack, StackSettings
from said_model.training.loop import run
from said_model.training.settings import AugmentConfig, LoopConfig
from said_model.training.tasks.stack import StackLoss, StackTask, read_stack
from said_model.training.windows import UNKNOWN, TrainingClip

JAW, CLOSE = BLENDVOCA_NAMES.index("jawOpen"), BLENDVOCA_NAMES.index("mouthClose")
CENTRES = band_centres(64)


def clips(count: int = 4, frames: int = 60) -> list[TrainingClip]:
    """Clips whose jaw opens with one band and whose lips meet with another."""
    made = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        spectra = rng.uniform(-1, 1, (1, frames, 64)).astype(np.float16)
        values = np.zeros((frames, 32), np.float32)
        values[:, JAW] = 0.25 + 0.2 * spectra[0, :, 10]
        values[:, CLOSE] = values[:, JAW] * (spectra[0, :, 30] > 0)
        made.append(TrainingClip(values, spectra, None, 0))
    return made


def test_loss_is_that_of_the_definition_and_counts_masked_frames_not() -> None:
    torch.manual_seed(0)
    data, stack = clips(1), Stack(CENTRES, StackSettings(32, 8)).eval()
    loss = StackLoss(data, BLENDVOCA_NAMES)
    features = torch.rand(1, 60, 8)
    wanted = torch.from_numpy(data[0].values)[None]
    predicted = stack.predict(features)
    spread = torch.from_numpy(data[0].values.std(axis=0)).clamp(min=0.03)
    contact = (wanted[..., CLOSE] > 0.6 * wanted[..., JAW].clamp(min=0.02)).float()
    chance = predicted.contact.sigmoid()
    doubt = -(contact * chance.log() + (1 - contact) * (1 - chance).log())
    by_hand = ((predicted.coefficients - wanted).abs() / spread).mean(-1) + 1.5 * doubt
    half = torch.arange(60)[None] < 30
    torch.testing.assert_close(loss(stack, features, wanted, half), by_hand[:, :30].mean())
    torch.testing.assert_close(loss(stack, features, wanted, torch.ones(1, 60, dtype=torch.bool)), by_hand.mean())


def test_other_shapes_have_no_contact() -> None:
    names = tuple(f"shape{k}" for k in range(32))
    stack, features = Stack(CENTRES, StackSettings(32, 8)).eval(), torch.rand(1, 60, 8)
    plain, lips = (StackLoss(clips(1), chosen) for chosen in (names, BLENDVOCA_NAMES))
    wanted, mask = torch.from_numpy(clips(1)[0].values)[None], torch.ones(1, 60, dtype=torch.bool)
    assert plain(stack, features, wanted, mask) < lips(stack, features, wanted, mask)


def test_kinds_of_sound_are_predicted_and_their_probabilities_are_features() -> None:
    torch.manual_seed(0)
    stack = Stack(CENTRES, StackSettings(32, 12, kinds=3)).eval()
    features = stack(torch.rand(2, 60, 64))
    assert features.shape == (2, 60, 12)
    predicted = stack.predict(features)
    assert predicted.coefficients.shape == (2, 60, 32)
    torch.testing.assert_close(features[..., 8], predicted.contact.sigmoid())
    torch.testing.assert_close(features[..., 9:], predicted.kinds.softmax(-1))
    loss, wanted = StackLoss(clips(1), BLENDVOCA_NAMES), torch.zeros(2, 60, 32)
    mask, kinds = torch.ones(2, 60, dtype=torch.bool), torch.randint(3, (2, 60))
    kinds[1] = UNKNOWN
    chance = predicted.kinds.log_softmax(-1)
    told = chance.gather(-1, kinds.clamp(min=0)[..., None])[..., 0]
    doubt = -(0.95 * told + 0.05 * chance.mean(-1)) * (kinds >= 0)
    more = loss(stack, features, wanted, mask, kinds) - loss(stack, features, wanted, mask)
    torch.testing.assert_close(more, doubt.mean())
    with pytest.raises(ConfigurationError, match="more than 24"):
        StackSettings(32, 24, kinds=23)


def test_training_learns_and_its_weights_are_read_back(tmp_path: Path) -> None:
    torch.manual_seed(0)
    stack = Stack(CENTRES, StackSettings(32, 8))
    loop = LoopConfig(steps=60, batch=4, learning_rate=5e-3, warmup=5, ema_decay=0.5, evaluate_every=20)
    augment = AugmentConfig(frames=40, mirror_probability=0.0)
    task = StackTask(stack, loop, augment, clips(), clips(), BLENDVOCA_NAMES, 60.0)
    before = task.validate()
    outcome = run(task, tmp_path / "run", loop, {}, device="cpu")
    assert outcome.best_validation < 0.8 * before
    other = Stack(CENTRES, StackSettings(32, 8))
    read_stack(other, tmp_path / "run")
    predicted, wanted = (one.eval()(torch.zeros(1, 5, 64)) for one in (other, stack))
    assert predicted.shape == wanted.shape == (1, 5, 8)
    assert task.validate() == pytest.approx(outcome.best_validation, rel=0.2)

"""The level of sound: the same whether it comes whole, in pieces or in a batch."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")

from said_model.audio_encoder import level  # noqa: E402
from said_model.audio_encoder.level import Level, normalise  # noqa: E402


def test_it_is_zero_mean_and_unit_variance_as_numpy_has_it():
    sound = torch.randn(5000, generator=torch.Generator().manual_seed(0)) * 0.1 + 0.3
    wide = sound.double().numpy()
    expected = (wide - wide.mean()) / np.sqrt(wide.var() + level.VARIANCE_FLOOR)
    np.testing.assert_allclose(normalise(sound).numpy(), expected, atol=1e-6)


def test_pieces_and_batches_give_what_the_whole_does(monkeypatch):
    sound = torch.randn(2, 900, generator=torch.Generator().manual_seed(1))
    whole = normalise(sound)
    pieces = Level()
    for part in sound[0].split(70):
        pieces.update(part)
    assert torch.allclose(pieces.normalise(sound[0]), whole[0], atol=1e-6)
    assert torch.equal(normalise(sound[1]), whole[1])
    monkeypatch.setattr(level, "_BLOCK", 64)
    assert torch.allclose(normalise(sound), whole, atol=1e-6)


def test_silence_stays_silence():
    assert not normalise(torch.zeros(10)).any()
    assert not normalise(torch.full((10,), 0.25)).any()

"""SyncNet: shapes of both towers, the published names, scoring, refusal of other weights."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from reference.plain_cepstra import plain_cepstra  # noqa: E402

from blendvoca.audio import Waveform  # noqa: E402
from blendvoca.errors import FormatError, InputError, MissingInputError  # noqa: E402
from said_model.evaluation.syncnet import SyncNet, cepstra, load_syncnet, score  # noqa: E402


def test_towers_end_in_as_many_numbers():
    torch.manual_seed(0)
    model = SyncNet().eval()
    with torch.no_grad():
        assert model.encode_audio(torch.zeros(2, 1, 13, 20)).shape == (2, 1024)
        assert model.encode_pictures(torch.zeros(1, 3, 5, 224, 224)).shape == (1, 1024)


def test_other_weights_are_refused(tmp_path):
    state, file = SyncNet().state_dict(), tmp_path / "syncnet_v2.model"
    for change, words in (({}, r"missing.*netfcaud\.3\.bias"), ({"netfcaud.3.bias": torch.zeros(7)}, "another shape")):
        torch.save({name: value for name, value in state.items() if name != "netfcaud.3.bias"} | change, file)
        with pytest.raises(FormatError, match=words):
            load_syncnet(file)
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.model")
    with pytest.raises(FormatError, match="SyncNet"):
        load_syncnet(tmp_path / "other.model")
    (tmp_path / "page.model").write_bytes(b"weights")
    with pytest.raises(FormatError, match="plain tensors") as caught:
        load_syncnet(tmp_path / "page.model")
    assert "weights_only" not in str(caught.value)  # no advice to unpickle anything
    with pytest.raises(MissingInputError, match="authors publish"):
        load_syncnet(tmp_path / "none.model")


def test_cepstra_of_a_louder_sound_differ_in_energy_alone(babble):
    quiet = cepstra(babble)
    loud = cepstra(Waveform(babble.samples * 2, babble.rate))
    assert quiet.shape == (299, 13)
    assert np.allclose(loud[:, 0] - quiet[:, 0], np.log(4), atol=1e-3)
    assert np.allclose(loud[:, 1:], quiet[:, 1:], atol=1e-2)


def test_cepstra_are_those_that_syncnet_was_trained_on(babble):
    expected = plain_cepstra(babble.samples.astype(np.float64) * 32768, babble.rate)
    found = cepstra(babble)
    assert found.shape == expected.shape
    assert np.allclose(found, expected, rtol=1e-5, atol=1e-4)


class _Echo(SyncNet):
    """Embeds the red of the first picture and of the first cepstra."""

    def encode_pictures(self, pictures):
        return pictures[:, 2:, 0, 0, 0]

    def encode_audio(self, cepstra):
        return cepstra[:, 0, 0, :1].round()


@pytest.mark.parametrize("late", [-2, 0, 3])
def test_late_pictures_are_found_late(monkeypatch, late):
    levels = np.random.default_rng(0).integers(0, 255, 60)
    sound = np.zeros((4 * 60, 13), np.float32)
    sound[:, 0] = np.repeat(levels, 4)
    monkeypatch.setattr("said_model.evaluation.syncnet.cepstra", lambda waveform: sound)
    pictures = np.zeros((60, 224, 224, 3), np.uint8)
    pictures[..., 0] = np.roll(levels, late)[:, None, None]  # red, the network's last channel
    waveform = Waveform(np.zeros(60 * 640, np.float32), 16_000)
    assert score(_Echo(), pictures, waveform, 5).offset == late
    with pytest.raises(InputError, match="pictures"):
        score(_Echo(), pictures[:, :100], waveform)


@pytest.mark.parametrize("pictures", [29, 57, 60])
def test_every_picture_that_has_sound_is_looked_at(monkeypatch, pictures):
    """Chung's code: whole pictures of 640 samples, less the five of one look; 29 / 25 s times 25 is 28.999…"""
    seen = []
    model = _Echo()
    monkeypatch.setattr(model, "encode_pictures", lambda images: seen.append(1) or images[:, 2:, 0, 0, 0])
    silence = np.zeros((4 * pictures, 13), np.float32)
    monkeypatch.setattr("said_model.evaluation.syncnet.cepstra", lambda waveform: silence)
    images = np.zeros((pictures, 224, 224, 3), np.uint8)
    score(model, images, Waveform(np.zeros(pictures * 640, np.float32), 16_000), 5)
    assert len(seen) == pictures - 5

"""Whisper as a speech encoder: its own spectra, the right time, windows of its length, caches and checkpoints."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

import shard_builders  # noqa: E402

from blendvoca.dataset import BlendVOCA  # noqa: E402
from said_model import audio_encoder  # noqa: E402
from said_model.audio_encoder.features import FeatureCache, Shifts, encode  # noqa: E402
from said_model.audio_encoder.pretrained import build_pretrained, load_pretrained  # noqa: E402
from said_model.audio_encoder.sampling import for_sampling  # noqa: E402
from said_model.audio_encoder.speech import features_of, to_length  # noqa: E402
from said_model.audio_encoder.whisper import LEVEL, WhisperEncoder  # noqa: E402
from said_model.checkpoints import folder as checkpoint  # noqa: E402
from said_model.config import SAMPLE_RATE, DenoiserConfig, EncoderConfig, ModelConfig  # noqa: E402
from said_model.network.said import SaidNetwork  # noqa: E402
from said_model.training.recipes import said_recipe  # noqa: E402
from said_model.training.tasks.said import train  # noqa: E402

#: A window of 2.4 s instead of 30.
SMALL = {"d_model": 32, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 48, "decoder_layers": 1,
         "decoder_attention_heads": 2, "decoder_ffn_dim": 32, "max_source_positions": 120, "num_mel_bins": 80,
         "vocab_size": 64, "pad_token_id": 1, "bos_token_id": 1, "eos_token_id": 1,
         "decoder_start_token_id": 1, "suppress_tokens": None, "begin_suppress_tokens": None}  # fmt: skip
WINDOW = 120 * 320


def built(**changes: object) -> WhisperEncoder:
    torch.manual_seed(0)
    settings = {"model_type": "whisper", **SMALL, **changes}
    return build_pretrained(EncoderConfig("small", settings, stored=True)).eval()


def noise(samples: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(1, samples, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def test_spectra_and_features_are_whisper_s_own():
    """A whole window gives what transformers' feature extractor and encoder give for the same recording."""
    encoder, sound = built(), noise(WINDOW)
    extractor = transformers.WhisperFeatureExtractor(feature_size=80, chunk_length=2)
    extractor.n_samples, extractor.nb_max_frames = WINDOW, WINDOW // 160
    theirs = extractor((sound[0] * LEVEL).numpy(), sampling_rate=SAMPLE_RATE, return_tensors="pt").input_features
    ours = encoder.spectra(sound * LEVEL)
    torch.testing.assert_close(ours, theirs[..., : ours.shape[-1]], rtol=0, atol=2e-4)
    # A frame every 320 samples: each feature as it is.
    expected = encoder.encoder(ours).last_hidden_state
    torch.testing.assert_close(encoder(sound, 120), expected, rtol=0, atol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("seconds", [1.1, 2.4, 9.0])
def test_features_stand_at_the_time_of_their_sound(seconds):
    """A click changes features at its own frame most, in sound shorter and longer than a window."""
    encoder = built(encoder_layers=0)
    quiet = 0.02 * noise(round(seconds * SAMPLE_RATE))
    frames = round(60 * seconds)
    for share in (0.2, 0.55, 0.9):
        loud, place = quiet.clone(), round(share * quiet.shape[-1])
        loud[:, place : place + 200] += 3 * noise(200, 2)
        # The loudest band of a window sets its floor: compare below it.
        moved = (encoder(loud, frames) - encoder(quiet, frames)).norm(dim=-1)[0]
        middle = float((moved**4 * torch.arange(frames)).sum() / (moved**4).sum())
        assert middle == pytest.approx(60 * (place + 100) / SAMPLE_RATE, abs=2.0)


@torch.no_grad()
def test_long_sound_is_encoded_in_windows_that_blend():
    encoder = built()
    sound = noise(round(2.6 * WINDOW))
    whole = encoder(sound, 312)
    assert whole.shape == (1, 312, 32)
    # Away from the seams the features are those of the window alone; a frame lasts 320 samples here.
    first = encoder(sound[:, :WINDOW], 120)
    torch.testing.assert_close(whole[:, :100], first[:, :100], rtol=0, atol=1e-5)
    second = encoder(sound[:, 100 * 320 : 100 * 320 + WINDOW], 120)
    torch.testing.assert_close(whole[:, 120:200], second[:, 20:100], rtol=0, atol=1e-5)
    # In between they go over from one to the other without a step.
    blend = whole[:, 100:120]
    share = torch.arange(1, 21)[:, None] / 21
    torch.testing.assert_close(blend, (1 - share) * first[:, 100:] + share * second[:, :20], rtol=0, atol=1e-5)
    assert encoder(sound[:, : WINDOW + 5], 121).isfinite().all()
    assert encoder(sound[:, :7], 1).shape == (1, 1, 32)
    # In chunks, as sampling encodes minutes of sound: of the same size, and close where contexts differ.
    chunks = features_of(encoder, sound[0], 312, chunk=80)
    assert chunks.shape == whole.shape and chunks.isfinite().all()


@torch.no_grad()
def test_laid_out_for_sampling_it_is_the_same():
    encoder, sound = built(encoder_layers=2), noise(WINDOW // 2)
    expected = encoder(sound, 72)
    torch.testing.assert_close(for_sampling(encoder)(sound, 72), expected, rtol=0, atol=1e-4)
    reduced = for_sampling(encoder, torch.bfloat16)(sound, 72)
    assert reduced.dtype is torch.float32
    assert float((reduced - expected).norm() / expected.norm()) < 0.05


@pytest.fixture
def saved(tmp_path):
    torch.manual_seed(0)
    transformers.WhisperModel(transformers.WhisperConfig(**SMALL)).save_pretrained(tmp_path / "whisper")
    return str(tmp_path / "whisper")


def test_loaded_by_name_it_is_cached_and_belongs_to_no_checkpoint(saved, tmp_path):
    encoder, config = load_pretrained(saved)
    assert isinstance(encoder, WhisperEncoder) and config.settings["model_type"] == "whisper"
    shard_builders.dataset(tmp_path / "shards", frames=40, sentences=1)
    data = BlendVOCA(tmp_path / "shards", "test", audio_rate=SAMPLE_RATE)
    cache = FeatureCache(tmp_path / "shards", encoder, config.name, shifts=Shifts(3))
    cache.fill(data)
    features, frames = cache.read(data, 0), data.entry(0).frames
    assert features.shape == (3, frames, 32)
    sound = to_length(data[0].waveform.samples, frames, 60.0)
    np.testing.assert_allclose(features[1], encode(encoder, sound, frames), atol=5e-3)
    network = SaidNetwork(ModelConfig(encoder=config, denoiser=DenoiserConfig(32, 2, 32)), encoder)
    checkpoint.save(tmp_path / "run", network)
    assert not any(key.startswith("audio_encoder.") for key in checkpoint.read_network_weights(tmp_path / "run"))
    with torch.no_grad():
        assert torch.equal(checkpoint.load(tmp_path / "run").encode(noise(6000), 22), network.encode(noise(6000), 22))


def test_a_training_takes_it_by_name(saved, tmp_path):
    shard_builders.dataset(tmp_path / "shards", frames=40, sentences=1)
    recipe = said_recipe(tmp_path / "shards", saved, steps=2, width=32, frames=24, batch=2, evaluate_every=2)
    train(tmp_path / "shards", tmp_path / "run", recipe.config, network=recipe.network, device="cpu")
    loaded = checkpoint.load(tmp_path / "run")
    assert isinstance(loaded.audio_encoder, WhisperEncoder) and loaded.config.denoiser.feature_dim == 32


def test_stored_in_a_checkpoint_it_is_built_without_its_decoder(tmp_path):
    """As fine-tuned encoders are: the weights of the encoder alone, built from the configuration."""
    encoder = built()
    config = EncoderConfig("openai/whisper-tiny", encoder.settings, stored=True)
    network = SaidNetwork(ModelConfig(encoder=config, denoiser=DenoiserConfig(32, 2, 32)), encoder)
    checkpoint.save(tmp_path / "run", network)
    loaded = checkpoint.load(tmp_path / "run")
    assert not any("decoder" in name for name in loaded.state_dict())
    with torch.no_grad():
        assert torch.equal(loaded.encode(noise(6000), 22), network.eval().encode(noise(6000), 22))
    assert audio_encoder.build(config).feature_dim == 32

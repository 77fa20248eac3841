"""The encoder laid out for sampling gives the features of the trained one, and leaves that one as it was."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from said_model import audio_encoder  # noqa: E402
from said_model.audio_encoder.sampling import for_sampling  # noqa: E402
from said_model.config import LOG_MEL, EncoderConfig  # noqa: E402

SMALL = {"hidden_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 64,
         "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2, "conv_dim": [16] * 7}  # fmt: skip


def built(family: str, **changes: object) -> audio_encoder.AudioEncoder:
    settings = transformers.AutoConfig.for_model(family, **SMALL, **changes).to_dict()
    torch.manual_seed(0)
    return audio_encoder.build(EncoderConfig("small", settings, stored=True)).eval()


@pytest.mark.parametrize("family", ["wav2vec2", "hubert", "wavlm"])
@pytest.mark.parametrize("norm", ["group", "layer"])
@pytest.mark.parametrize("clips", [1, 2])
def test_features_are_the_same(family, norm, clips):
    encoder = built(family, feat_extract_norm=norm, do_stable_layer_norm=norm == "layer", conv_bias=norm == "layer")
    sound = torch.randn(clips, 12_000, generator=torch.Generator().manual_seed(1))
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    with torch.inference_mode():
        expected = encoder(sound, 45)
        fast = for_sampling(encoder)
        found = fast(sound, 45)
        assert float((found - expected).abs().max() / expected.abs().max()) < 1e-5
        torch.testing.assert_close(encoder(sound, 45), expected, rtol=0, atol=0)
        reduced = for_sampling(encoder, torch.bfloat16)(sound, 45)
    assert reduced.dtype is torch.float32
    assert float((reduced - expected).norm() / expected.norm()) < 0.05
    after = encoder.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_an_encoder_without_weights_is_left_alone():
    encoder = audio_encoder.build(EncoderConfig(LOG_MEL))
    assert for_sampling(encoder) is encoder

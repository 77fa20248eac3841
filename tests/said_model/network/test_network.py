"""The denoiser, its alignment window, and the layout for sampling."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")

from reference.said_plain import alignment_mask  # noqa: E402
from reference.said_tiny import filled, tiny_config  # noqa: E402

from blendvoca.errors import ConfigurationError  # noqa: E402
from said_model.config import Alignment, DenoiserConfig, DiffusionConfig, ModelConfig, SamplerConfig  # noqa: E402
from said_model.network.attention import (  # noqa: E402
    alignment_band,
    banded_attention,
    full_attention,
    gather_band,
    masked_attention,
)
from said_model.network.denoiser import Denoiser  # noqa: E402
from said_model.network.guided import GuidedDenoiser  # noqa: E402
from said_model.network.kernels import product_attention  # noqa: E402
from said_model.network.said import SaidNetwork  # noqa: E402


def test_full_size_has_the_published_number_of_parameters():
    assert sum(p.numel() for p in Denoiser(32, DenoiserConfig()).parameters()) == 6_992_672


def test_new_network_starts_its_output_convolutions_at_zero():
    network = SaidNetwork(tiny_config())
    block = network.denoiser.model.middle_block
    assert not block[0].out_layers[3].weight.any()
    assert not block[1].proj_out.weight.any()


@pytest.mark.parametrize(("frames", "features"), [(9, 9), (12, 8), (10, 5), (7, 20), (5, 6), (1, 1), (1, 4), (30, 1)])
def test_band_is_the_window_of_the_mask(frames, features):
    band = alignment_band(frames, features, 1)
    found = torch.full((frames, features), float("-inf"))
    for i in range(frames):
        found[i, band.index[i][band.inside[i]]] = 0.0
    assert torch.equal(found, alignment_mask(frames, features))


@pytest.mark.parametrize(("frames", "features", "bandwidth"), [(9, 9, 1), (9, 9, 3), (12, 8, 1), (7, 20, 2)])
def test_banded_attention_is_masked_attention(frames, features, bandwidth):
    g = torch.Generator().manual_seed(1)
    q, k, v = (torch.randn(2, n, 8, generator=g, dtype=torch.float64) for n in (frames, features, features))
    band = alignment_band(frames, features, bandwidth)
    found = banded_attention(q, gather_band(k, band), gather_band(v, band), band, heads=2)
    mask = torch.zeros(frames, features, dtype=torch.bool)
    for i in range(frames):
        mask[i, band.index[i][band.inside[i]]] = True
    parts = (x.view(2, -1, 2, 4).transpose(1, 2) for x in (q, k, v))
    expected = torch.nn.functional.scaled_dot_product_attention(*parts, attn_mask=mask)
    assert torch.allclose(found, expected.transpose(1, 2).reshape(2, frames, 8), atol=1e-12)
    dense = band.dense(features)
    assert torch.equal(dense.mask == 0, mask) and torch.equal(dense.mask == float("-inf"), ~mask)
    assert torch.allclose(masked_attention(q, k, v, 2, dense.mask.double()), found, atol=1e-12)


@pytest.mark.parametrize("features", [1, 5, 24])
def test_a_frame_always_attends_to_something(features):
    """With bandwidth 0 and fewer features than frames, rounding leaves some windows empty: softmax over nothing."""
    band = alignment_band(24, features, 0)
    assert band.inside.any(dim=1).all()
    centres = torch.arange(24) * features // 24
    assert (band.index[torch.arange(24), band.inside.int().argmax(dim=1)] - centres).abs().max() <= 1


def test_alignment_text():
    assert Alignment.parse("none") == Alignment(None)
    schedule = Alignment.parse("1,8@400,none@800")
    assert [schedule.at(t) for t in (0, 399, 400, 799.5, 800, 999)] == [1, 1, 8, 8, None, None]
    for text in ("wide", "1,8", "-1", "1,2@5,3@4"):
        with pytest.raises(ConfigurationError):
            Alignment.parse(text)


@pytest.mark.parametrize("alignment", ["1", "none", "1,4@300,none@700"])
@pytest.mark.parametrize("features", [20, 13])
def test_prepared_audio_and_guided_pairs_are_the_network_itself(alignment, features):
    network = filled(SaidNetwork(tiny_config(alignment=Alignment.parse(alignment))))
    g = torch.Generator().manual_seed(0)
    noisy, audio = torch.randn(2, 20, 32, generator=g), torch.randn(2, features, 16, generator=g)
    clip = GuidedDenoiser(network).condition(audio, 20)
    for timestep in (0.0, 411.5, 999.0):
        steps = torch.full((2,), timestep)
        with torch.no_grad():
            expected = network(noisy, steps, audio), network(noisy, steps, network.null_features(2, features))
        for found, right in zip(clip.pair(noisy, timestep), expected, strict=True):
            assert float((found - right).abs().max()) < 1e-5 * float(right.abs().max())
        assert torch.allclose(clip.conditional(noisy, timestep), expected[0], atol=1e-5)
    assert float((expected[0] - expected[1]).abs().max()) > 0.01


def test_bands_of_one_width_that_look_elsewhere_are_kept_apart():
    """With three features, windows of bandwidth 2 and 8 are both three wide but begin at different places."""
    network = filled(SaidNetwork(tiny_config(alignment=Alignment.parse("2,8@500"))))
    g = torch.Generator().manual_seed(0)
    noisy, audio = torch.randn(1, 20, 32, generator=g), torch.randn(1, 3, 16, generator=g)
    clip = GuidedDenoiser(network).condition(audio, 20)
    for timestep in (900.0, 100.0):
        with torch.no_grad():
            expected = network(noisy, torch.full((1,), timestep), audio)
        assert torch.allclose(clip.conditional(noisy, timestep), expected, atol=1e-5)


def test_items_of_a_batch_may_have_timesteps_of_different_bandwidth():
    network = filled(SaidNetwork(tiny_config(alignment=Alignment.parse("1,none@500"))))
    g = torch.Generator().manual_seed(0)
    noisy, audio = torch.randn(3, 11, 32, generator=g), torch.randn(3, 11, 16, generator=g)
    steps = torch.tensor([100, 900, 20])
    with torch.no_grad():
        together = network(noisy, steps, audio)
        for row in range(3):
            alone = network(noisy[row : row + 1], steps[row : row + 1], audio[row : row + 1])
            assert torch.allclose(together[row], alone[0], atol=1e-5)


def test_gradients_reach_every_parameter_of_the_denoiser():
    network = filled(SaidNetwork(tiny_config()))
    with torch.inference_mode():
        network(torch.randn(1, 8, 32), torch.tensor([3]), torch.randn(1, 8, 16))
    network(torch.randn(2, 8, 32), torch.tensor([3, 700]), torch.randn(2, 8, 16)).square().sum().backward()
    assert all(float(p.grad.abs().max()) > 0 for p in network.denoiser.parameters())


@pytest.mark.parametrize("frames", [30, 450])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attention_of_few_frames_and_of_many(frames, dtype, monkeypatch):
    monkeypatch.setattr("said_model.network.kernels.SCORES_AT_ONCE", 200 * 512)
    monkeypatch.setattr("said_model.network.kernels.BATCHED_ATTENTION_FRAMES", 40)
    g = torch.Generator().manual_seed(0)
    parts = [torch.randn(2, count, 32, generator=g).to(dtype) for count in (frames, 70, 70)]
    expected = full_attention(*(part.double() for part in parts), heads=2)
    found = product_attention(*parts, heads=2)
    assert float((found.double() - expected).abs().max()) < (1e-5 if dtype is torch.float32 else 0.1)


def test_bfloat16_is_near(tiny_network):
    g = torch.Generator().manual_seed(0)
    noisy, audio = torch.randn(1, 30, 32, generator=g), torch.randn(1, 30, 16, generator=g)
    found, right = (GuidedDenoiser(tiny_network, d).condition(audio, 30).conditional(noisy, 300.0)
                    for d in (torch.bfloat16, torch.float32))  # fmt: skip
    assert 0 < float((found - right).abs().max()) < 0.1 * float(right.abs().max())


@pytest.mark.parametrize(
    ("kind", "settings"),
    [(DenoiserConfig, {"width": 100}), (DenoiserConfig, {"heads": 5}), (DiffusionConfig, {"prediction": "epsilom"}),
     (SamplerConfig, {"name": "dmp"}), (SamplerConfig, {"steps": 0}), (SamplerConfig, {"guidance_scale": -1.0}),
     (ModelConfig, {"fps": 0.0}), (ModelConfig, {"names": ("jawOpen", "jawOpen")})],
)  # fmt: skip
def test_wrong_settings_are_refused(kind, settings):
    with pytest.raises(ConfigurationError):
        kind(**settings)


def test_configuration_travels_as_json():
    config = tiny_config(alignment=Alignment.parse("1,none@500"))
    assert ModelConfig.from_dict(config.to_dict()) == config
    with pytest.raises(ConfigurationError, match=r"unknown setting 'widht'.*width"):
        ModelConfig.from_dict({"denoiser": {"widht": 3}})


def test_frozen_encoder_stays_in_evaluation_mode(conformance):
    import json

    from said_model.config import EncoderConfig

    settings = json.loads((conformance / "wav2vec2_tiny_config.json").read_text())
    config = ModelConfig(encoder=EncoderConfig("tiny", settings, True), denoiser=DenoiserConfig(
        width=32, heads=2, feature_dim=settings["hidden_size"]))  # fmt: skip
    network = SaidNetwork(config).freeze_encoder().train()
    assert network.denoiser.training
    assert not network.audio_encoder.encoder.training
    heard = [network.encode(torch.from_numpy(np.random.default_rng(0).standard_normal((1, 9000), np.float32)), 30)
             for _ in range(2)]  # fmt: skip
    assert torch.equal(*heard)
    assert not heard[0].requires_grad


@pytest.mark.parametrize("alignment", ["1", "1,4@300,none@700"])
def test_a_training_step_is_one_graph(alignment):
    """Nothing in the forward pass depends on a tensor's values, so that a step can be compiled and captured."""
    denoiser = filled(SaidNetwork(tiny_config(alignment=Alignment.parse(alignment)))).denoiser.train()
    inputs = torch.randn(2, 12, 32), torch.tensor([3, 700]), torch.randn(2, 12, 16)
    assert torch._dynamo.explain(denoiser)(*inputs).graph_break_count == 0
    assert torch._dynamo.explain(denoiser)(*inputs, denoiser.bands(12, 12)).graph_break_count == 0


def test_the_denoiser_exports_at_a_fixed_length():
    denoiser = filled(SaidNetwork(tiny_config())).denoiser
    inputs = torch.randn(1, 12, 32), torch.tensor([3.0]), torch.randn(1, 12, 16)
    with torch.no_grad():
        exported = torch.export.export(denoiser, inputs).module()
        assert torch.allclose(exported(*inputs), denoiser(*inputs), atol=1e-5)

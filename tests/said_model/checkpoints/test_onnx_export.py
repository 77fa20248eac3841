"""A model as ONNX: the example, which knows onnxruntime and NumPy alone, draws the library's samples."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("diffusers", reason="pip install 'blendvoca[said]' to run this test")

from click.testing import CliRunner  # noqa: E402
from reference.said_tiny import filled  # noqa: E402

from blendvoca.errors import ConfigurationError  # noqa: E402
from said_model.audio_encoder.speech import Speech  # noqa: E402
from said_model.checkpoints import folder as checkpoint  # noqa: E402
from said_model.checkpoints.onnx_export import describe, export_onnx, steps_of  # noqa: E402
from said_model.cli import main  # noqa: E402
from said_model.config import (  # noqa: E402
    DEFAULT_STEPS,
    PREDICTIONS,
    DenoiserConfig,
    DiffusionConfig,
    EncoderConfig,
    ModelConfig,
    SamplerConfig,
)
from said_model.diffusion.schedule import make_schedule  # noqa: E402
from said_model.diffusion.sections import WindowConfig  # noqa: E402
from said_model.model import SAiD  # noqa: E402
from said_model.network.said import SaidNetwork  # noqa: E402

EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "onnx" / "sample.py"


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize(
    "sampler",
    [SamplerConfig("dpm", 1), *(SamplerConfig(name, min(steps, 20)) for name, steps in DEFAULT_STEPS.items())],
)
def test_the_table_of_steps_is_the_solver(prediction, sampler):
    """A made-up nonlinear function stands for the network."""
    diffusion = DiffusionConfig(prediction=prediction, scale=2.0)
    plan, schedule = steps_of(diffusion, sampler), make_schedule(diffusion, sampler)
    wanted = found = torch.randn(40, generator=torch.Generator().manual_seed(1)).double()
    previous = torch.zeros(40)

    def predicted(x, timestep):
        return torch.sin(3 * x + timestep / 500)

    for number, (timestep, step) in enumerate(zip(schedule.timesteps, plan["steps"], strict=True)):
        assert step["timestep"] == timestep
        # The same point for both: what is compared is the step.
        raw, signal, noise = predicted(wanted, timestep), step["signal"], step["noise"]
        found = wanted
        answer = schedule.thresholded(raw, wanted, timestep)
        wanted = schedule.advance(answer, number, wanted).double()
        x0 = {"sample": raw, "epsilon": (found - noise * raw) / signal, "v_prediction": signal * found - noise * raw}
        clean = x0[prediction].clamp(0, 2) if plan["threshold"] else x0[prediction]
        clipped = clean if plan["clip"] is None else clean.clamp(-plan["clip"], plan["clip"])
        found = step["keep"] * found + step["clean"] * clipped + step["raw"] * clean + step["before"] * previous
        previous = clipped
        assert torch.allclose(found, wanted, atol=2e-4)


def test_only_log_mel_is_exported(tmp_path):
    other = {"model_type": "wav2vec2", "hidden_size": 64, "num_attention_heads": 1, "num_hidden_layers": 1,
             "intermediate_size": 64, "conv_dim": [16] * 7, "num_conv_pos_embeddings": 16,
             "num_conv_pos_embedding_groups": 4}  # fmt: skip
    pytest.importorskip("transformers", reason="pip install 'blendvoca[said]' to run this test")
    network = SaidNetwork(ModelConfig(encoder=EncoderConfig("x", other, True), denoiser=DenoiserConfig(96, 3, 64)))
    with pytest.raises(ConfigurationError, match="expected log-mel, found x"):
        export_onnx(tmp_path / "m.onnx", network, SamplerConfig())
    with pytest.raises(ConfigurationError, match=r"ends in \.onnx"):
        export_onnx(tmp_path / "m.pt", network, SamplerConfig())


def test_what_is_described_is_plain_data():
    network = SaidNetwork(log_mel_model())
    described = json.loads(json.dumps(describe(network, SamplerConfig("dpm", 3, 0.0))))
    assert described["front_end"]["bands"] * described["front_end"]["orders"] == 512
    assert described["encoder"] is None
    assert describe(SaidNetwork(log_mel_model(True)), SamplerConfig())["encoder"] == {"context": 9}
    assert len(described["sampler"]["steps"]) == 3
    assert described["names"] == list(network.config.names)


@pytest.mark.slow
@pytest.mark.parametrize(("guidance", "stack"), [(0.0, True), (2.0, False)])
def test_the_example_draws_the_librarys_samples(tmp_path, guidance, stack, babble):
    for package in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(package, reason="pip install 'blendvoca[onnx]' to run this test")
    network = filled(SaidNetwork(log_mel_model(stack)))
    checkpoint.save(tmp_path / "run", network, sampler=SamplerConfig("dpm", 4, guidance))
    answer = CliRunner().invoke(main, ["export-onnx", str(tmp_path / "run"), "--out", str(tmp_path / "m.onnx"),
                                       "--window", "40"])  # fmt: skip
    assert answer.exit_code == 0, answer.output
    description = json.loads((tmp_path / "m.json").read_text())
    assert (tmp_path / "m-encoder.onnx").is_file() == stack == (description["encoder"] is not None)
    assert [window["frames"] for window in description["windows"]] == [300, 40]
    said, sample = SAiD.load(tmp_path / "run", "cpu"), runpy.run_path(str(EXAMPLE))["sample"]
    for number, seconds in ((0, 0.05), (0, 0.4), (0, 5.5), (1, 0.4), (1, 2.0), (1, 3.0)):
        samples = np.tile(babble.samples, 3)[: round(16_000 * seconds)]
        window = description["windows"][number]
        wanted, noise = drawn(said, samples, WindowConfig(window["frames"], window["overlap"]), window["least"])
        found = sample(description, tmp_path, samples, noise, window=number)
        assert wanted.std() > 0.01
        assert np.abs(found - wanted).max() < 1e-4


def drawn(said, samples, windows, least):
    """What the library draws for sound that is filled up to ``least`` frames, and the noise it started from."""
    speech = Speech.of(torch.from_numpy(samples.copy()))
    kept = speech.frames(60)
    n_frames = max(kept, least)
    drawing = said._drawing(None, windows)
    noise = drawing.noise([3], n_frames)
    speech = speech if n_frames == kept else speech.lasting(n_frames, 60)
    return drawing.draw(said.features(speech, n_frames), noise)[0, :kept].numpy(), noise[0].numpy()


def log_mel_model(stack=False):
    """A small network on the real front end, with learned convolutions or without.

    It predicts the coefficients, as the demo model does. A noise prediction's error counts up to 164 times at the noisy
    end: with random weights the library itself moves by 3e-4 where its start noise moves by 1e-7.
    """
    diffusion = DiffusionConfig(prediction="sample", scale=8.0)
    if not stack:
        return ModelConfig(denoiser=DenoiserConfig(32, 1, 512), diffusion=diffusion)
    settings = {"stack": {"width": 16, "features": 24, "dilations": [1, 3]}}
    return ModelConfig(encoder=EncoderConfig("log-mel", settings, True), denoiser=DenoiserConfig(32, 1, 24),
                       diffusion=diffusion)  # fmt: skip

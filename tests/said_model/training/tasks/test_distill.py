"""Distillation: targets lead along the teacher's path, a student learns them, is drawn from in two passes, resumes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("accelerate")
pytest.importorskip("diffusers")

import shard_builders  # noqa: E402
from click.testing import CliRunner  # noqa: E402

from blendvoca.audio import Waveform  # noqa: E402
from blendvoca.errors import ConfigurationError  # noqa: E402
from said_model import SAiD  # noqa: E402
from said_model.checkpoints import folder as checkpoint  # noqa: E402
from said_model.cli import main  # noqa: E402
from said_model.config import DenoiserConfig, DiffusionConfig, ModelConfig, SamplerConfig, default_sampler  # noqa: E402
from said_model.diffusion.sampler import sample  # noqa: E402
from said_model.diffusion.schedule import make_schedule, pointing_factors, teaching_schedule  # noqa: E402
from said_model.network.said import SaidNetwork  # noqa: E402
from said_model.training.recipes import distill_recipe  # noqa: E402
from said_model.training.settings import AugmentConfig, DistillConfig, LoopConfig  # noqa: E402
from said_model.training.tasks.distill import DistillTask, distill, path, pointed, student_of  # noqa: E402
from said_model.training.windows import TrainingClip  # noqa: E402

PREDICTIONS = ("sample", "epsilon", "v_prediction")
LOOP = LoopConfig(steps=60, batch=8, learning_rate=4e-3, warmup=5, decay="cosine", ema_decay=0.9, evaluate_every=30,
                  engine="eager")  # fmt: skip
CONFIG = DistillConfig(LOOP, guidance=1.0, student_steps=2, within=2, round_windows=32, round_steps=40, frames=24)


def teacher_of(prediction: str, seed: int = 0) -> SaidNetwork:
    """A small network whose last layers do not start at zero."""
    torch.manual_seed(seed)
    config = ModelConfig(
        denoiser=DenoiserConfig(width=32, heads=1, feature_dim=512),
        diffusion=DiffusionConfig(prediction=prediction, scale=8.0),
    )
    network = SaidNetwork(config)
    for parameter in network.denoiser.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.1)
    return network.eval()


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    shard_builders.dataset(folder, ("alice", "bob", "carol", "dave"), frames=40)
    return folder


def clips(count: int = 4, frames: int = 40) -> list[TrainingClip]:
    made = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        features = rng.standard_normal((1, frames, 512)).astype(np.float16)
        made.append(TrainingClip(rng.uniform(0, 1, (frames, 32)).astype(np.float32), features, None, 0))
    return made


@pytest.mark.parametrize("prediction", PREDICTIONS)
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_a_student_that_hits_its_targets_goes_where_the_teacher_went(prediction: str, steps: int) -> None:
    """Stepping by the targets must lead through every place of the teacher's path, to its end."""
    diffusion = DiffusionConfig(prediction=prediction, scale=8.0)  # type: ignore[arg-type]
    torch.manual_seed(1)
    centre = torch.rand(2, 10, 32)

    def denoise(x: torch.Tensor, timestep: float) -> torch.Tensor:
        return (0.3 * x + centre).tanh()

    schedule = teaching_schedule(diffusion, steps, 3)
    assert len(schedule) == 3 * steps
    noise = torch.randn(2, 10, 32)
    stood = path(denoise, schedule, noise, 3)
    student = dataclasses.replace(diffusion, prediction="sample", guided=2.0, distilled_steps=steps)
    own = make_schedule(student, SamplerConfig("distilled", steps, 2.0))
    np.testing.assert_allclose(own.timesteps, schedule.timesteps[::3], rtol=1e-6)
    targets = dict(zip(own.timesteps, pointed(own, stood), strict=True))
    drawn = sample(lambda x, timestep: targets[timestep], own, noise)
    torch.testing.assert_close(drawn, (stood[-1] / 8.0).clamp(0, 1), rtol=1e-3, atol=1e-4)


def test_with_an_exact_denoiser_many_distilled_steps_end_where_dpm_ends() -> None:
    """For coefficients that are normal, N(m, s²), the clean mean given x is known, and so is the path's end."""
    diffusion = DiffusionConfig(prediction="sample", scale=8.0)
    mean, spread = 0.4 * 8, 0.1 * 8
    noise = torch.randn(1, 50, 32, generator=torch.Generator().manual_seed(3))

    def draw(name: str, steps: int) -> torch.Tensor:
        schedule = make_schedule(diffusion, SamplerConfig(name, steps, 0.0))

        def denoise(x: torch.Tensor, timestep: float) -> torch.Tensor:
            step = schedule.timesteps.index(timestep)
            signal, level = float(schedule.signal[step]), float(schedule.noise[step])
            share = signal * spread**2 / (signal**2 * spread**2 + level**2)
            return mean + share * (x - signal * mean)

        return sample(denoise, schedule, noise)

    exact = (0.4 + 0.1 * noise).clamp(0, 1)
    assert (draw("distilled", 400) - exact).abs().mean() < 0.004
    assert (draw("distilled", 400) - draw("dpm", 50)).abs().mean() < 0.004


@pytest.mark.slow
@pytest.mark.parametrize(("prediction", "share"), [("sample", 0.8), ("epsilon", 0.96)])
def test_a_student_learns_what_its_teacher_draws(prediction: str, share: float) -> None:
    from said_model.training.engine import Engine

    teacher = teacher_of(prediction)
    task = DistillTask(teacher, CONFIG, AugmentConfig(24, 0.0, 0.0), clips(), clips(2))
    with torch.inference_mode():
        before = task.validate()
    engine = Engine(task, LOOP, torch.device("cpu"))
    for first in range(0, LOOP.steps, 20):
        engine.advance(first, 20)
    with torch.inference_mode():
        after = task.validate()
    print(prediction, after / before)
    assert after < share * before
    assert not any(p.requires_grad for p in task.student.audio_encoder.parameters())


def test_steps_draw_the_same_in_any_blocks() -> None:
    task = DistillTask(teacher_of("sample"), CONFIG, AugmentConfig(24), clips(), clips(2))
    whole = task.draw(36, 8)
    again = DistillTask(teacher_of("sample"), CONFIG, AugmentConfig(24), clips(), clips(2))
    parts = [again.draw(36, 5), again.draw(41, 3)]
    for name, value in whole.items():
        torch.testing.assert_close(value, torch.cat([part[name] for part in parts]))
    assert set(whole["level"].flatten().tolist()) == {0, 1}


def test_student_is_a_checkpoint_that_is_drawn_from_in_two_passes(shards: Path, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "teacher", teacher_of("epsilon"), sampler=SamplerConfig("dpm", 10, 1.5))
    recipe = distill_recipe(tmp_path / "teacher", steps=2, frames=24, round_windows=16, teacher_steps=4,
                            evaluate_every=2, batch=4)  # fmt: skip
    assert (recipe.config.guidance, recipe.config.within) == (1.5, 2)
    distill(shards, tmp_path / "teacher", tmp_path / "fast", recipe.config, device="cpu")
    model = SAiD.load(tmp_path / "fast", "cpu")
    assert model.sampler == SamplerConfig("distilled", 2, 1.5)
    assert model.config.diffusion == DiffusionConfig(prediction="sample", scale=8.0, guided=1.5, distilled_steps=2)
    passes = []
    model._guided.denoiser.model.register_forward_hook(lambda *_: passes.append(1))
    sound = Waveform(np.random.default_rng(0).standard_normal(16_000).astype(np.float32) * 0.1, 16_000)
    first, other = model.samples(sound, 2)
    assert len(passes) == 2
    assert np.abs(first.values - other.values).mean() > 1e-4
    kept = model.edit(first, sound, np.r_[np.ones((30, 32)), np.zeros((len(first) - 30, 32))])[0].track
    np.testing.assert_array_equal(kept.values[:30], first.values[:30])
    assert model.sample(sound, sampler=SamplerConfig("dpm", 4, 1.5)).values.shape == first.values.shape
    with pytest.raises(ConfigurationError, match="guidance is part of a distilled model"):
        model.sample(sound, sampler=SamplerConfig("dpm", 4, 2.0))
    with pytest.raises(ConfigurationError, match="distilled model itself"):
        distill(shards, tmp_path / "fast", tmp_path / "faster", recipe.config, device="cpu")


def test_teacher_and_student_share_all_but_dropout_and_what_they_predict() -> None:
    teacher = teacher_of("v_prediction")
    student = student_of(teacher, 3.0, 2)
    assert student.config.denoiser == dataclasses.replace(teacher.config.denoiser, dropout=0.0)
    for name, value in teacher.state_dict().items():
        torch.testing.assert_close(student.state_dict()[name], value, rtol=0, atol=0)


def test_a_distilled_model_knows_its_own_steps_alone() -> None:
    own = DiffusionConfig(prediction="sample", guided=2.0, distilled_steps=2)
    assert default_sampler(own) == SamplerConfig("distilled", 2, 2.0)
    assert default_sampler(own).suits(own) and SamplerConfig("distilled").suits(own)
    assert not SamplerConfig("distilled", 4).suits(own) and not SamplerConfig("dpm", 2).suits(own)
    assert SamplerConfig("dpm", 7).suits(DiffusionConfig())
    assert own.added_guidance(2.0) == 0.0 and DiffusionConfig().added_guidance(2.0) == 2.0
    with pytest.raises(ConfigurationError, match="both or none"):
        DiffusionConfig(guided=2.0)


def test_steps_that_do_not_divide_are_refused(tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "teacher", teacher_of("sample"))
    with pytest.raises(ConfigurationError, match="multiple of 4"):
        distill_recipe(tmp_path / "teacher", student_steps=4)


@pytest.mark.slow
def test_command(shards: Path, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "teacher", teacher_of("sample"))
    arguments = ["distill", str(tmp_path / "teacher"), str(shards), "--out", str(tmp_path / "fast"), "--steps", "2",
                 "--frames", "24", "--round-windows", "16", "--device", "cpu"]  # fmt: skip
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    assert "said sample SPEECH.wav --model" in done.output
    assert SAiD.load(tmp_path / "fast", "cpu").sampler == SamplerConfig("distilled", 2, 2.0)


def test_the_sampler_is_a_table_of_linear_steps_for_other_languages() -> None:
    from said_model.checkpoints.onnx_export import steps_of

    diffusion = DiffusionConfig(prediction="sample", scale=8.0, guided=2.0, distilled_steps=2)
    sampler = SamplerConfig("distilled", 2, 2.0)
    schedule, table = make_schedule(diffusion, sampler), steps_of(diffusion, sampler)
    assert not table["threshold"] and table["clip"] is None
    for step, row in enumerate(table["steps"]):
        kept, added = pointing_factors(schedule.signal, schedule.noise, step)
        found = [row["keep"], row["clean"], row["raw"], row["before"]]
        np.testing.assert_allclose(found, [kept, added, 0.0, 0.0], atol=1e-6)

"""The metric VAE: losses by hand, annealing, training that reconstructs, refusal of other weights."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

import shard_builders  # noqa: E402

from blendvoca.arkit import BLENDVOCA_NAMES  # noqa: E402
from blendvoca.dataset import BlendVOCA  # noqa: E402
from blendvoca.errors import (  # noqa: E402
    ConfigurationError,
    FormatError,
    InputError,
    MissingDependencyError,
    MissingInputError,
)
from said_model.evaluation.vae import CoefficientVAE, Reconstruction, latent_features, load_vae  # noqa: E402
from said_model.training.loop import LoopConfig  # noqa: E402
from said_model.training.tasks.vae import VaeConfig, VaeTask, train_vae  # noqa: E402
from said_model.training.windows import TrainingClip  # noqa: E402


def test_annealing_rises_and_holds_in_every_cycle():
    config = VaeConfig(LoopConfig(steps=1000))
    assert [config.kl_weight(step) for step in (0, 25, 50, 75, 100, 950)] == pytest.approx([0, 0.5, 1, 1, 0, 1])


def test_losses_are_the_supplement_s():
    rng = torch.Generator().manual_seed(0)
    values = np.random.default_rng(0).uniform(size=(130, 32)).astype(np.float32)
    clip = TrainingClip(values, None, None, 0)
    task = VaeTask(VaeConfig(), [clip], [clip], tuple("abcdefghijklmnopqrstuvwxyzABCDEF"))
    windows, decoded = torch.rand(2, 120, 32, generator=rng), torch.rand(2, 120, 32, generator=rng)
    mean, log_variance = torch.randn(2, 64, generator=rng), torch.randn(2, 64, generator=rng)
    losses = task._losses(Reconstruction(decoded, mean, log_variance), windows, 0.25)
    spread = clip.values.std(axis=0)
    miss = (windows - decoded).numpy() / spread
    assert float(losses["reconstruction"]) == pytest.approx((miss**2).sum() / 2, rel=1e-5)
    assert float(losses["velocity"]) == pytest.approx((np.diff(miss, axis=1) ** 2).sum() / 2, rel=1e-5)
    normal = torch.distributions.Normal(mean, (log_variance / 2).exp())
    unit = torch.distributions.Normal(torch.zeros(2, 64), torch.ones(2, 64))
    divergence = torch.distributions.kl_divergence(normal, unit).sum(1).mean()
    assert float(losses["divergence"]) == pytest.approx(float(divergence), rel=1e-5)
    expected = losses["reconstruction"] + losses["velocity"] + 0.25 * losses["divergence"]
    assert float(losses["loss"]) == pytest.approx(float(expected))


def test_training_brings_the_error_down_and_its_weights_load(tmp_path):
    shard_builders.dataset(tmp_path / "shards", frames=130, sentences=2)
    reports = []
    loop = LoopConfig(steps=60, evaluate_every=30, log_every=10, learning_rate=1e-3, ema_decay=0.9, batch=4)
    config = VaeConfig(loop)
    train_vae(tmp_path / "shards", tmp_path / "run", config, reports.append, "cpu")
    assert reports[-1].losses["reconstruction"] < 0.9 * reports[0].losses["reconstruction"]
    model = load_vae(tmp_path / "run" / "vae.safetensors")
    windows = np.random.default_rng(0).uniform(size=(5, 120, 32))
    features = latent_features(model, windows)
    assert features.shape == (5, 64)
    np.testing.assert_allclose(features[3:], latent_features(model, windows[3:]), atol=1e-5)


def test_training_takes_its_columns_by_name(tmp_path, monkeypatch):
    shard_builders.dataset(tmp_path / "shards", frames=130, sentences=1)
    seen = []
    monkeypatch.setattr("said_model.training.tasks.vae.run", lambda task, *rest: seen.append(task))
    train_vae(tmp_path / "shards", tmp_path / "run")
    names = (*reversed(BLENDVOCA_NAMES), "tongueOut")
    clips = [
        replace(clip, values=np.c_[clip.values[:, ::-1], clip.values[:, :1]]) for clip in seen[0].train.clips
    ]  # fmt: skip
    monkeypatch.setattr("said_model.training.tasks.vae.training_clips", lambda *given, **options: clips)
    monkeypatch.setattr(BlendVOCA, "names", property(lambda self: names))
    train_vae(tmp_path / "shards", tmp_path / "run")
    np.testing.assert_array_equal(seen[1].train.clips[0].values, seen[0].train.clips[0].values)
    monkeypatch.setattr(BlendVOCA, "names", property(lambda self: names[1:]))
    with pytest.raises(ConfigurationError, match="knows other blendshapes"):
        train_vae(tmp_path / "shards", tmp_path / "run")


def test_other_weights_are_refused(tmp_path, monkeypatch):
    torch.save({"a": torch.zeros(2)}, tmp_path / "other.pth")
    with pytest.raises(FormatError, match="another architecture"):
        load_vae(tmp_path / "other.pth")
    (tmp_path / "page.pth").write_bytes(b"weights")
    with pytest.raises(FormatError, match="plain tensors") as caught:
        load_vae(tmp_path / "page.pth")
    assert "weights_only" not in str(caught.value)  # no advice to unpickle anything
    (tmp_path / "plain.safetensors").write_bytes(b"")
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "safetensors.torch", None)
        with pytest.raises(MissingDependencyError, match="pip install"):  # not called a damaged file
            load_vae(tmp_path / "plain.safetensors")
    with pytest.raises(MissingInputError, match="download"):
        load_vae(tmp_path / "none.pth")
    with pytest.raises(InputError, match="120, 32"):
        latent_features(CoefficientVAE().eval(), np.zeros((2, 60, 32)))
    with pytest.raises(InputError, match="training mode"):
        latent_features(CoefficientVAE(), np.zeros((2, 120, 32)))

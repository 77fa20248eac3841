"""Training on a GPU: agreement with the CPU, resuming bit for bit through the graph, and too little memory."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

import shard_builders  # noqa: E402
from reference.said_tiny import filled, tiny_config  # noqa: E402

from blendvoca.errors import ConfigurationError  # noqa: E402
from said_model.network.said import SaidNetwork  # noqa: E402
from said_model.training.engine import Engine  # noqa: E402
from said_model.training.recipes import said_recipe  # noqa: E402
from said_model.training.settings import LoopConfig, TrainConfig  # noqa: E402
from said_model.training.tasks.said import SaidTask, train  # noqa: E402
from said_model.training.windows import TrainingClip  # noqa: E402

pytestmark = [pytest.mark.cuda, pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")]


def engine_on(device, engine="eager", precision="float32"):
    rng = np.random.default_rng(0)
    clips = [
        TrainingClip(rng.uniform(size=(130, 32)).astype(np.float32), rng.normal(size=(5, 130, 16)).astype(np.float16),
                     None, 0)
        for _ in range(3)
    ]  # fmt: skip
    loop = LoopConfig(steps=500, warmup=1, batch=2, learning_rate=1e-3, engine=engine, precision=precision)
    task = SaidTask(filled(SaidNetwork(tiny_config())), TrainConfig(tiny_config(), loop), clips, clips)
    task.place(torch.device(device), 0)
    return Engine(task, loop, torch.device(device))


@pytest.mark.parametrize(("engine", "precision", "bound"), [
    ("eager", "float32", 2e-3), ("compiled", "float32", 2e-3), ("graph", "float32", 2e-3), ("graph", "bfloat16", 3e-2),
])  # fmt: skip
def test_losses_are_those_of_the_cpu(engine, precision, bound):
    """TF32 keeps ten bits of a product's factors, bfloat16 seven."""
    means = {}
    for device, chosen, kind in (("cpu", "eager", "float32"), ("cuda", engine, precision)):
        made = engine_on(device, chosen, kind)
        for block in range(3):
            made.advance(50 * block, 50)
        means[device] = made.means()
    assert means["cuda"] == pytest.approx(means["cpu"], rel=bound)


@pytest.mark.parametrize("engine", ["eager", "graph"])
def test_a_resumed_run_ends_where_an_undisturbed_one_does(tmp_path, engine):
    shard_builders.dataset(tmp_path / "shards", frames=60, sentences=1)

    def state(name, *lengths):
        for steps in lengths:
            recipe = said_recipe(tmp_path / "shards", steps=steps, width=32, frames=40, warmup=5, evaluate_every=200,
                                 engine=engine)  # fmt: skip
            train(tmp_path / "shards", tmp_path / name, recipe.config, network=recipe.network, device="cuda")
        return torch.load(tmp_path / name / "state.pt", weights_only=True)

    whole, parts = state("whole", 400), state("parts", 200, 400)
    assert all(torch.equal(parts["module"][name], value) for name, value in whole["module"].items())


def test_nothing_waits_for_the_device_between_reports():
    made = engine_on("cuda", "eager")
    made.advance(0, 10)
    torch.cuda.set_sync_debug_mode("error")
    try:
        made.advance(10, 10)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_too_little_memory_is_said(tmp_path):
    shard_builders.dataset(tmp_path / "shards", frames=60, sentences=1)
    recipe = said_recipe(tmp_path / "shards", steps=2, width=192, frames=40, batch=8)
    large = replace(recipe.config, loop=replace(recipe.config.loop, batch=4_000_000, engine="eager"))
    with pytest.raises(ConfigurationError, match="smaller --batch"):
        train(tmp_path / "shards", tmp_path / "run", large, network=recipe.network, device="cuda")


def test_features_that_do_not_fit_come_from_the_host(monkeypatch):
    resident = engine_on("cuda")
    resident.advance(0, 20)
    monkeypatch.setattr("said_model.training.windows.LARGEST_SHARE", 0.0)
    streamed = engine_on("cuda")
    assert not streamed.task.train.resident
    streamed.advance(0, 10)
    streamed.advance(10, 10)
    assert resident.means() == streamed.means()

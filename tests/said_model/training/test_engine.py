"""The engine: schedules, averages, engines that are refused, and what a step asks of a device that is not there."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from reference.said_tiny import filled, tiny_config  # noqa: E402
from torch import nn  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

from blendvoca.errors import ConfigurationError  # noqa: E402
from said_model.network.said import SaidNetwork  # noqa: E402
from said_model.training.average import WeightAverage  # noqa: E402
from said_model.training.engine import Engine, average_decays, learning_rates  # noqa: E402
from said_model.training.settings import AugmentConfig, LoopConfig, LossConfig, TrainConfig  # noqa: E402
from said_model.training.tasks.said import SaidTask  # noqa: E402
from said_model.training.windows import TrainingClip  # noqa: E402

CPU = torch.device("cpu")
#: Forward and backward together, before anything is fused; see docs/training.md.
MOST_OPERATORS = 450
#: Operators that start no kernel: views, and memory that nothing is written to.
FREE = {
    "view", "_unsafe_view", "expand", "permute", "transpose", "t", "unsqueeze", "squeeze", "slice", "select", "detach",
    "alias", "as_strided", "unfold", "split", "split_with_sizes", "chunk", "unbind", "reshape", "diagonal", "empty",
    "empty_like", "empty_strided", "new_empty", "new_empty_strided", "_reshape_alias", "unsafe_split", "lift_fresh",
}  # fmt: skip


def task_of(loop=None, **settings):
    rng = np.random.default_rng(0)
    clips = [
        TrainingClip(rng.uniform(size=(130, 32)).astype(np.float32), rng.normal(size=(5, 130, 16)).astype(np.float16),
                     None, 0)
        for _ in range(3)
    ]  # fmt: skip
    config = TrainConfig(tiny_config(), loop or LoopConfig(batch=2, engine="eager", precision="float32"), **settings)
    return SaidTask(filled(SaidNetwork(tiny_config())), config, clips, clips)


@pytest.mark.parametrize("decay", ["constant", "cosine"])
def test_schedules_on_the_device_are_the_configuration_s(decay):
    loop = LoopConfig(steps=400, learning_rate=0.5, warmup=30, decay=decay, ema_decay=0.9)
    steps = torch.arange(400)
    rates, decays = learning_rates(loop, steps), average_decays(loop, steps)
    np.testing.assert_allclose(rates, [loop.rate_at(step) for step in range(400)], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(decays, [loop.ema_at(step) for step in range(400)], rtol=1e-6)


def test_averages_are_those_of_diffusers():
    from diffusers.training_utils import EMAModel

    weight = nn.Parameter(torch.zeros(4))
    mine, theirs, loop = WeightAverage([weight]), EMAModel([weight], decay=0.8), LoopConfig(ema_decay=0.8)
    for step in range(60):
        with torch.no_grad():
            weight += torch.randn(4, generator=torch.Generator().manual_seed(step))
        theirs.step([weight])
        mine.update(average_decays(loop, torch.tensor([step]))[0])
        torch.testing.assert_close(mine.values[0], theirs.shadow_params[0], rtol=1e-5, atol=1e-6)
    before = weight.detach().clone()
    with mine.applied():
        assert torch.equal(weight, mine.values[0])
    assert torch.equal(weight, before)


def test_weights_do_not_depend_on_the_size_of_blocks():
    def weights(*counts):
        engine, first = Engine(task_of(), LoopConfig(batch=2, warmup=1, learning_rate=1e-3), CPU), 0
        for count in counts:
            first += engine.advance(first, count)
        return [value.clone() for value in engine.parameters], engine.means()

    (whole, means), (parts, others) = weights(12), weights(1, 7, 4)
    assert all(map(torch.equal, whole, parts)) and means == others


def test_a_large_gradient_is_scaled_down():
    loop = LoopConfig(batch=2, warmup=1, clip_norm=0.01, engine="eager")
    task = task_of(loop)
    engine, norms = Engine(task, loop, CPU), []
    step = engine.optimizer.step
    engine.optimizer.step = lambda: (
        norms.append(float(torch.stack([p.grad.norm() for p in engine.parameters if p.grad is not None]).norm()))
        or step()
    )
    engine.advance(0, 2)
    assert norms == pytest.approx([0.01, 0.01], rel=1e-3)


def test_engines_that_cannot_be_are_refused():
    with pytest.raises(ConfigurationError, match="one GPU"):
        Engine(task_of(), LoopConfig(engine="graph"), CPU)
    lengths = task_of(augment=AugmentConfig(random_length=True))
    with pytest.raises(ConfigurationError, match="--engine compiled"):
        Engine(lengths, LoopConfig(engine="compiled"), CPU)
    assert Engine(lengths, LoopConfig(), CPU).mode == "eager" and Engine(lengths, LoopConfig(), CPU).block == 1


def test_weighed_shapes_divide_by_the_spread():
    task, plain = task_of(loss=LossConfig(weigh_shapes=True)), task_of()
    drawn = {name: value[0] for name, value in plain.draw(0, 1).items()}
    task.module.eval(), plain.module.eval()
    # The coefficients are uniform: all spreads are 0.29.
    assert float((task.loss(drawn)["loss"] / plain.loss(drawn)["loss"]).detach()) == pytest.approx(12**0.5, rel=0.05)


def test_whole_clips_are_validated_fifty_times_with_the_same_noise():
    task = task_of(validation="clips")
    task.module.eval()
    with torch.no_grad():
        batches = list(task._clips())
        first, again = task.validate(), task.validate()
    assert first == again and sum(len(batch[1]) for batch in batches) == 50 * 3
    assert all(batch[0].coefficients.shape[1] == 130 for batch in batches)
    share = torch.cat([batch[3] for batch in batches]).float().mean()
    assert 0.03 < share < 0.2


class Operators(TorchDispatchMode):
    """Counts what would start a kernel."""

    def __init__(self):
        super().__init__()
        self.counts = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = str(func.overloadpacket).removeprefix("aten.")
        if name not in FREE:
            self.counts[name] += 1
        return func(*args, **(kwargs or {}))


def test_a_step_is_few_operators(monkeypatch):
    monkeypatch.setattr("said_model.network.layers.packed_operators", lambda *anything: None)  # what a GPU runs
    task, operators = task_of(), Operators()
    drawn = {name: value[0] for name, value in task.draw(0, 1).items()}
    task.module.train()
    with operators:
        task.loss(drawn)["loss"].backward()
    assert sum(operators.counts.values()) < MOST_OPERATORS, operators.counts


def test_a_whole_step_waits_for_nothing(monkeypatch):
    """On the meta device values are not to be had: whatever asks for one raises, backward pass included."""
    known = torch.is_autocast_enabled
    monkeypatch.setattr(torch, "is_autocast_enabled", lambda *kind: kind != ("meta",) and known(*kind))
    task = task_of()
    task.place(torch.device("meta"), 0)
    engine, updates = Engine(task, LoopConfig(batch=2, engine="eager", precision="float32"), torch.device("meta")), []
    # PyTorch's fused update has no kernel for this device; on the spare device of on_accelerator.py it runs.
    engine.optimizer.step = lambda: updates.append([parameter.grad.shape for parameter in engine.parameters])
    assert engine.advance(0, 5) == 5 and len(updates) == 5
    with pytest.raises(RuntimeError, match="meta"):
        engine.means()


@pytest.mark.slow
def test_the_step_is_traced_whole():
    task = task_of()
    task.module.train()
    drawn = {name: value[0] for name, value in task.draw(0, 1).items()}
    found = torch._dynamo.explain(task.loss)(drawn)
    assert (found.graph_count, found.graph_break_count) == (1, 0), found.break_reasons
    traced = torch.compile(task.loss, backend="aot_eager", fullgraph=True)(drawn)
    torch.testing.assert_close(traced["loss"], task.loss(drawn)["loss"])
    traced["loss"].backward()

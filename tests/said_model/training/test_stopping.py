"""Signals, early states, and runs that go on from any step."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

import shard_builders  # noqa: E402

from said_model.training import loop as loops  # noqa: E402
from said_model.training.engine import Engine  # noqa: E402
from said_model.training.recipes import said_recipe  # noqa: E402
from said_model.training.tasks.said import train  # noqa: E402

SMALL = {"width": 32, "batch": 3, "frames": 24, "learning_rate": 2e-3, "warmup": 5, "evaluate_every": 20, "ema": 0.9}


@pytest.fixture(scope="module")
def shards(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    shard_builders.dataset(folder, ("alice", "bob", "carol"), frames=40, sentences=1)
    return folder


def state_of(shards, out, steps=24, **options):
    recipe = said_recipe(shards, steps=steps, **{**SMALL, **options})
    config = replace(recipe.config, loop=replace(recipe.config.loop, log_every=8))
    outcome = train(shards, out, config, network=recipe.network, device="cpu")
    return outcome, torch.load(out / "state.pt", weights_only=True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_after_its_step_and_the_run_goes_on_bit_for_bit(shards, tmp_path, monkeypatch, number):
    def step(self, drawn):
        before(self, drawn)
        if next(calls) == 11:
            os.kill(os.getpid(), number)

    before, calls, handlers = Engine.step, iter(range(99)), signal.getsignal(signal.SIGINT)
    with monkeypatch.context() as patch:
        patch.setattr(Engine, "step", step)
        outcome, state = state_of(shards, tmp_path / "parts")
    assert (outcome.signal, outcome.steps, state["step"]) == (number, 12, 12)
    assert signal.getsignal(signal.SIGINT) is handlers
    outcome, parts = state_of(shards, tmp_path / "parts")
    assert (outcome.signal, outcome.steps) == (None, 24)
    whole = state_of(shards, tmp_path / "whole")[1]
    assert all(torch.equal(parts["module"][name], value) for name, value in whole["module"].items())
    assert all(torch.equal(mine, other) for mine, other in zip(parts["average"], whole["average"]))

    def losses(name):
        return [(row["step"], row["loss"]) for row in csv.DictReader((tmp_path / name / "log.csv").open())]

    # The means over steps 9 to 16, half of them before the stop, are the same too.
    assert losses("parts") == losses("whole") and [step for step, _ in losses("whole")] == ["8", "16", "24"]


def test_a_state_is_written_after_the_first_minute(shards, tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(loops, "FIRST_STATE", 0.0)
    monkeypatch.setattr(loops._Loop, "_write_state", lambda self: written.append(self.step))
    recipe = said_recipe(shards, steps=12, **SMALL)
    train(shards, tmp_path / "run", replace(recipe.config, loop=replace(recipe.config.loop, log_every=4)), device="cpu")
    # The first block, then the last step; the next of the timed ones is ten minutes away.
    assert written == [4, 12]


@pytest.mark.parametrize("options", [{"random_length": True}, {"overhang": True, "replacement": True}])
def test_every_way_of_drawing_goes_on_where_it_was(shards, tmp_path, options):
    whole = state_of(shards, tmp_path / "whole", 6, **options)[1]
    state_of(shards, tmp_path / "parts", 3, **options)
    parts = state_of(shards, tmp_path / "parts", 6, **options)[1]
    assert all(torch.equal(parts["module"][name], value) for name, value in whole["module"].items())


@pytest.mark.slow
def test_the_command_says_where_it_stopped_and_how_to_go_on(shards, tmp_path):
    words = ["train", str(shards), "--out", str(tmp_path / "run"), "--width", "32", "--frames", "24", "--device", "cpu",
             "--steps", "100000"]  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "said_model", *words], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)  # fmt: skip
    for line in process.stderr:
        if line.startswith("step "):
            break
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert "Stopped at step" in out and f"said train {shards} --out {tmp_path / 'run'}" in out
    assert (tmp_path / "run" / "state.pt").is_file()

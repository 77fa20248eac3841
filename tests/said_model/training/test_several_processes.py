"""A training of two processes, as several GPUs would have it, on the CPU."""

from __future__ import annotations

import csv
import os
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

import shard_builders  # noqa: E402
from safetensors.torch import load_file  # noqa: E402

OPTIONS = ("--width", 32, "--batch", 2, "--frames", 24, "--evaluate-every", 5, "--learning-rate", 1e-3, "--warmup", 1)


def train(shards, out, steps, processes=2):
    words = [sys.executable, "-m", "torch.distributed.run", f"--nproc_per_node={processes}", "--standalone",
             "-m", "said_model", "train", shards, "--out", out, "--steps", steps, *OPTIONS]  # fmt: skip
    settings = {**os.environ, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, env=settings, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_two_processes_train_one_model_and_go_on_where_they_stopped(tmp_path):
    shards = tmp_path / "shards"
    shards.mkdir()
    shard_builders.dataset(shards, ("alice", "bob", "carol", "dave"), frames=40)
    said = train(shards, tmp_path / "whole", 10)
    assert said.count("Best validation loss") == 1
    with (tmp_path / "whole" / "log.csv").open() as file:
        assert [row["step"] for row in csv.DictReader(file)] == ["10"]
    train(shards, tmp_path / "halves", 5)
    train(shards, tmp_path / "halves", 10)
    train(shards, tmp_path / "alone", 10, processes=1)
    whole, halves, alone = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "halves", "alone"))
    assert all(torch.equal(whole[name], halves[name]) for name in whole)
    # The second process brought windows of its own.
    assert any(not torch.equal(whole[name], alone[name]) for name in whole)

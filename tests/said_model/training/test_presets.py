"""Recipes by name: the paper's numbers, contradictions, epochs, and that configurations need no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import fields

import pytest
import shard_builders
from click.testing import CliRunner

from blendvoca.errors import ConfigurationError
from said_model.training.presets import PRESETS, resolve
from said_model.training.settings import (
    LoopConfig,
    SaidSettings,
    SyncSettings,
    VaeConfig,
    VaeSettings,
    epoch_steps,
    loop_of,
)


def test_the_paper_s_training_has_two_million_steps():
    """Section 5.1: 50,000 epochs, batches of eight, on the eight training speakers of VOCASET, 319 sequences."""
    batches = -(-319 // 8)
    loop = loop_of(resolve(SaidSettings, "paper", {}))
    assert loop.steps == 50_000 * batches == 2_000_000
    assert loop.warmup_steps == 5_000 * batches == 200_000
    assert (loop.batch, loop.learning_rate, loop.weight_decay, loop.betas) == (8, 1e-5, 1e-2, (0.9, 0.999))
    assert (loop.clip_norm, loop.ema_decay, loop.decay) == (1.0, 0.9999, "constant")
    # A learning rate summed over the run of 19, not of 0.5.
    assert sum(loop.rate_at(step) for step in range(0, loop.steps, 1000)) * 1000 == pytest.approx(19, rel=0.01)
    # Supplement 11.2: 100,000 epochs.
    assert loop_of(resolve(VaeSettings, "paper", {})).steps == VaeConfig().loop.steps == 100_000 * batches
    assert LoopConfig().steps == 2_000_000


def test_an_epoch_is_one_pass_of_the_training_split():
    assert epoch_steps(319, 8) == 40 and epoch_steps(8, 8) == 1 and epoch_steps(9, 8) == 2
    assert loop_of(resolve(SaidSettings, None, {"epochs": 3}), 319).steps == 120
    assert loop_of(resolve(SaidSettings, None, {"epochs": 3, "batch": 16}), 319).steps == 60
    with pytest.raises(ConfigurationError, match="epochs"):
        loop_of(resolve(SaidSettings, None, {"epochs": 3}))


def test_contradictions_are_named():
    with pytest.raises(ConfigurationError, match=r"--preset short.*--width 64.*--width 128"):
        resolve(SaidSettings, "short", {"width": 128, "seed": 3})
    with pytest.raises(ConfigurationError, match="--loss absolute"):
        resolve(SaidSettings, "paper", {"error": "squared"})
    with pytest.raises(ConfigurationError, match="--steps and --epochs"):
        resolve(SaidSettings, None, {"steps": 3, "epochs": 1})
    with pytest.raises(ConfigurationError, match="short"):
        resolve(SaidSettings, "shrt", {})
    with pytest.raises(ConfigurationError, match="trains no such model"):
        resolve(SyncSettings, "paper", {})
    # What the preset says anyway is no contradiction; a shorter run of it is still one.
    assert resolve(SaidSettings, "short", {"width": 64, "steps": 10, "seed": 1}).steps == 10


def test_presets_name_settings_that_exist():
    for kind, named in PRESETS.items():
        known = {field.name for field in fields(kind)}
        for changes in named.values():
            assert changes.keys() <= known
            loop_of(kind(**changes))


def test_the_short_recipe_differs_from_the_paper_s_loss():
    paper, short = (resolve(SaidSettings, name, {}) for name in ("paper", "short"))
    assert (paper.error, paper.velocity_weight, paper.guidance) == ("absolute", 1.0, 2.0)
    # Squared velocities are small against squared positions: alike, they would hardly count.
    assert short.error == "squared" and short.velocity_weight > 1 and short.guidance < paper.guidance


def test_configurations_need_no_torch():
    code = "import sys, said_model.training.presets, said_model.cli.training.train; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_command_line(tmp_path):
    pytest.importorskip("accelerate")
    from said_model.cli import main

    shards, run = tmp_path / "shards", tmp_path / "run"
    shard_builders.dataset(shards, frames=130, sentences=1)
    words = ["train", str(shards), "--out", str(run), "--preset", "short", "--device", "cpu"]
    done = CliRunner().invoke(main, [*words, "--epochs", "2", "--evaluate-every", "1"])
    assert done.exit_code == 0, done.output
    # One speaker of one sentence: an epoch is one step. The first line says what is trained on, with what.
    first = done.stderr.splitlines()[0]
    for part in ("CPU", "1 clips, 0.0 minutes", "log-mel", "parameters", "2 steps of 8 windows"):
        assert part in first, first
    assert "step 2 of 2" in done.stderr and "Best validation loss" in done.stdout
    settings = json.loads((run / "training.json").read_text())
    assert settings["preset"] == "short" and settings["loop"]["steps"] == 2
    other = CliRunner().invoke(main, [*words[:4], "--preset", "demo", "--steps", "3"])
    assert other.exit_code == 1 and "other settings" in other.output and "short" in other.output
    both = CliRunner().invoke(main, [*words, "--width", "192"])
    assert both.exit_code == 1 and "--width 64" in both.output
    long = CliRunner().invoke(main, ["train", str(shards), "--out", str(tmp_path / "b"), "--frames", "400"])
    assert long.exit_code == 1 and "as long as a window" in long.output

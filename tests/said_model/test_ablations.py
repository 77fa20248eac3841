"""Ablations: each row changes what it says and nothing else; the command trains, samples and measures."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

import shard_builders  # noqa: E402
from click.testing import CliRunner  # noqa: E402

from blendvoca.errors import ConfigurationError  # noqa: E402
from said_model.ablations import ABLATIONS, chosen_rows  # noqa: E402
from said_model.recipes import said_recipe  # noqa: E402


def test_rows_change_one_thing(tmp_path):
    shard_builders.dataset(tmp_path, sentences=1)
    configs = {row.name: said_recipe(tmp_path, width=32, **row.changes).config for row in chosen_rows((), "log-mel")}
    base = configs.pop("said")
    assert configs["squared-error"].loss.error == "squared" and configs["squared-error"].model == base.model
    assert configs["no-velocity-loss"].loss.velocity_weight == 0 and configs["no-velocity-loss"].model == base.model
    assert configs["no-alignment-bias"].model.denoiser.alignment.at(0) is None
    widened = configs["widened-window"].model.denoiser.alignment
    assert [widened.at(step) for step in (0, 500, 900)] == [1, 8, None]
    assert all(config.loss == base.loss for name, config in configs.items() if "window" in name or "bias" in name)


def test_rows_that_cannot_be_are_refused():
    with pytest.raises(ConfigurationError, match="no-velocity-loss"):
        chosen_rows(("no-velocity-los",), "log-mel")
    with pytest.raises(ConfigurationError, match="no weights"):
        chosen_rows(("finetuned-encoder",), "log-mel")
    assert [row.name for row in chosen_rows((), "x")] == list(ABLATIONS)


@pytest.mark.slow
def test_command(tmp_path):
    from said_model.cli import main

    shards = tmp_path / "shards"
    shard_builders.dataset(shards, frames=40, sentences=1)
    options = ["--row", "said", "--row", "no-alignment-bias", "--width", "32", "--steps", "4", "--evaluate-every", "2",
               "--batch", "2", "--device", "cpu", "--samples", "2", "--json", str(tmp_path / "t.json")]  # fmt: skip
    done = CliRunner().invoke(main, ["ablate", "--data", str(shards), "--out", str(tmp_path / "runs"), *options])
    assert done.exit_code == 0, done.output
    table = json.loads((tmp_path / "t.json").read_text())
    assert [row["system"] for row in table] == ["SAiD", "no alignment bias"] and table[0]["clips_used"]["mae"] == 1

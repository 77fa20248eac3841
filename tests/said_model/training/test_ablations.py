"""Ablations: each row changes what it says and nothing else; the command trains, samples and measures."""

from __future__ import annotations

import json

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("accelerate")

import shard_builders  # noqa: E402
from click.testing import CliRunner  # noqa: E402

from blendvoca.errors import ConfigurationError, OutputError  # noqa: E402
from said_model import SamplerConfig  # noqa: E402
from said_model.checkpoints.folder import save  # noqa: E402
from said_model.evaluation.evaluate import Evaluation  # noqa: E402
from said_model.training.ablations import ABLATIONS, chosen_rows, markdown, table, write_tracks  # noqa: E402
from said_model.training.recipes import said_recipe  # noqa: E402


def test_rows_change_one_thing(tmp_path):
    shard_builders.dataset(tmp_path, sentences=1)
    configs = {row.name: said_recipe(tmp_path, width=32, **row.changes).config for row in chosen_rows((), "log-mel")[0]}
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
    rows, left_out = chosen_rows((), "x")
    assert [row.name for row in rows] == list(ABLATIONS) and not left_out
    rows, left_out = chosen_rows((), "log-mel")
    assert "finetuned-encoder" not in [row.name for row in rows]
    assert "no weights" in left_out["fine-tuned encoder"]


def test_table_names_the_clips_behind_each_figure():
    systems = [
        Evaluation(name, ("a/b",), (), (), (), figures, counts)
        for name, figures, counts in (
            ("A", {"mae": 0.12345, "sync_offset_abs": 1.0}, {"mae": 2, "sync_offset_abs": 1}),
            ("B", {"mae": 0.5}, {"mae": 3}),
        )
    ]
    lines = table(systems)
    assert lines[0] == ["Figure", "A", "B", "Clips"]
    assert lines[1] == ["|AV offset| (frames) ↓", "1.00", "–", "1/0"]
    assert lines[2] == ["Coefficient MAE ↓", "0.1235", "0.5000", "2/3"]
    assert markdown(lines).splitlines()[2] == "| \\|AV offset\\| (frames) ↓ | 1.00 | – | 1/0 |"


def test_tracks_are_kept_for_the_same_plan_and_drawn_anew_for_another(tmp_path, monkeypatch):
    """What was drawn stays, byte for byte; a lost file is drawn again; another plan removes the old files."""
    shards, out = tmp_path / "shards", tmp_path / "tracks"
    shard_builders.dataset(shards, frames=40, sentences=2)
    save(tmp_path / "model", said_recipe(shards, width=32).network)
    settings = SamplerConfig(steps=2)
    assert write_tracks(tmp_path / "model", shards, out, samples=2, settings=settings) == 4
    first = {path: path.read_bytes() for path in sorted(out.glob("*/*.csv"))}
    lost = next(iter(first))
    lost.unlink()
    write_tracks(tmp_path / "model", shards, out, samples=2, settings=settings)
    assert {path: path.read_bytes() for path in sorted(out.glob("*/*.csv"))} == first
    monkeypatch.setattr("said_model.training.ablations.SAiD.load", None)  # nothing is left to draw
    write_tracks(tmp_path / "model", shards, out, samples=2, settings=settings)
    monkeypatch.undo()
    assert write_tracks(tmp_path / "model", shards, out, samples=1, settings=settings) == 2
    assert len(list(out.glob("*/*.csv"))) == 2
    (out / "tracks.json").unlink()
    with pytest.raises(OutputError, match="drawn otherwise"):
        write_tracks(tmp_path / "model", shards, out, samples=1, settings=settings)


@pytest.mark.slow
def test_command(tmp_path):
    from said_model.cli import main

    shards = tmp_path / "shards"
    shard_builders.dataset(shards, frames=40, sentences=1)
    options = ["--row", "said", "--row", "no-alignment-bias", "--width", "32", "--steps", "4", "--evaluate-every", "2",
               "--batch", "2", "--frames", "30", "--device", "cpu", "--samples", "2",
               "--json", str(tmp_path / "t.json"), "--markdown", str(tmp_path / "t.md"),
               "--sampling-steps", "3", "--guidance", "1"]  # fmt: skip
    command = ["ablate", "--data", str(shards), "--out", str(tmp_path / "runs"), *options]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    written = (tmp_path / "t.md").read_text()
    assert written.startswith("| Figure | SAiD | no alignment bias | Clips |")
    weights = sorted((tmp_path / "runs").glob("*/model/model.safetensors"))
    before = [path.stat().st_mtime_ns for path in weights]
    assert CliRunner().invoke(main, command).exit_code == 0
    assert [path.stat().st_mtime_ns for path in weights] == before and len(before) == 2
    assert (tmp_path / "t.md").read_text() == written
    table = json.loads((tmp_path / "t.json").read_text())
    assert [row["system"] for row in table] == ["SAiD", "no alignment bias"] and table[0]["clips_used"]["mae"] == 1

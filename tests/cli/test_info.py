"""``blendvoca info`` and the table that it and the build show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import shard_builders as build
from click.testing import CliRunner

from blendvoca.cli import main
from blendvoca.shard.summary import summarise


def test_summary_weighs_by_frames(tmp_path: Path) -> None:
    manifest = build.dataset(tmp_path)
    rows = summarise(manifest)
    assert [(row.speaker, row.split, row.clips, row.frames) for row in rows] == [
        ("alice", "train", 3, 96), ("bob", "validation", 3, 96), ("carol", "test", 3, 96),
    ]  # fmt: skip
    assert rows[0].fit_error_mm == pytest.approx(0.25)
    assert rows[0].rate_limit_share == pytest.approx(0.125)


def test_info_shows_speakers_and_totals(tmp_path: Path) -> None:
    build.dataset(tmp_path)
    result = CliRunner(env={"COLUMNS": "120"}).invoke(main, ["info", str(tmp_path)])
    assert result.exit_code == 0
    for text in ("alice", "validation", "0.250", "12.5%", "3 speakers", "288"):
        assert text in result.output


def test_info_shows_clips(tmp_path: Path) -> None:
    build.dataset(tmp_path, sentences=2)
    result = CliRunner(env={"COLUMNS": "120"}).invoke(main, ["info", "--clips", str(tmp_path)])
    assert result.output.count("sentence02") == 3


def test_info_as_json(tmp_path: Path) -> None:
    build.dataset(tmp_path)
    result = CliRunner().invoke(main, ["info", "--json", str(tmp_path)])
    assert [row["clips"] for row in json.loads(result.output)] == [3, 3, 3]


def test_info_without_a_dataset(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["info", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "no such dataset folder" in result.output

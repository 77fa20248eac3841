"""Datasets that are ready to open: the sample of the wheel, and the authors' release in one step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from blendvoca import BlendVOCA
from blendvoca.cli import main
from blendvoca.errors import ConfigurationError, OutputError
from blendvoca.release import ready
from blendvoca.release.ready import READY, ready_dataset
from blendvoca.shard.verify import verify


def test_the_sample_opens_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLENDVOCA_CACHE", str(tmp_path / "cache"))
    dataset = BlendVOCA(ready_dataset("sample")[0])
    assert len(dataset) == 6 and {row["split"] for row in dataset.table()} == {"train", "validation", "test"}
    assert dataset[0].waveform is not None and dataset.rig(dataset.speakers[0]).neutral.n_vertices > 4000
    assert not list(verify(dataset.root))


def test_the_command_says_how_to_open_it_and_runs_twice(tmp_path: Path) -> None:
    for _ in range(2):
        done = CliRunner().invoke(main, ["download", "sample", "--out", str(tmp_path / "sample")])
        assert done.exit_code == 0 and f"blendvoca info {tmp_path / 'sample'}" in done.output
    assert set(READY) <= set(CliRunner().invoke(main, ["download", "--list"]).output.split())


def test_a_folder_that_holds_something_else_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"found mine\.txt"):
        ready_dataset("sample", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_release_ends_as_shards_and_is_completed(
    stand_in: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(ready, "download", lambda name, **_: (asked.append(name), stand_in.release)[1])
    folder, held = ready_dataset("blendvoca", tmp_path / "plain")
    assert asked == ["blendvoca-release"] and not held.missing and len(BlendVOCA(folder)) == 4
    assert BlendVOCA(folder)[0].waveform is None
    command = ["download", "blendvoca", "--out", str(tmp_path / "whole"), "--vocaset", str(stand_in.corpus)]
    done = CliRunner().invoke(main, command)
    assert BlendVOCA(tmp_path / "whole")[0].waveform is not None, done.output
    assert not list(verify(tmp_path / "whole"))


def test_vocaset_goes_with_blendvoca_only(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="the sample is complete"):
        ready_dataset("sample", tmp_path, tmp_path)
    done = CliRunner().invoke(main, ["download", "ict-facekit", "--vocaset", str(tmp_path)])
    assert done.exit_code == 2 and "--vocaset completes" in done.output
    with pytest.raises(ConfigurationError, match="expected one of"):
        ready_dataset("vocaset")

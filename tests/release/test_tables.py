"""Tables and Hugging Face datasets hold what the shards hold."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import shard_builders as build
from click.testing import CliRunner

from blendvoca.cli import main
from blendvoca.dataset import BlendVOCA
from blendvoca.errors import ConfigurationError, MissingDependencyError
from blendvoca.release.hub import load_hub_dataset
from blendvoca.release.tables import export_table


@pytest.fixture
def dataset(tmp_path: Path) -> BlendVOCA:
    build.dataset(tmp_path / "shards")
    return BlendVOCA(tmp_path / "shards")


def test_clips_as_csv(dataset: BlendVOCA, tmp_path: Path) -> None:
    with export_table(dataset, tmp_path / "clips.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [{key: str(value) for key, value in row.items()} for row in dataset.table()] == rows


def test_frames_as_csv(dataset: BlendVOCA, tmp_path: Path) -> None:
    with export_table(dataset, tmp_path / "frames.csv", frames=True).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == sum(row["frames"] for row in dataset.table())
    first = dataset[0].track
    assert [float(rows[5][name]) for name in first.names] == pytest.approx(first.values[5].tolist(), abs=1e-7)
    assert float(rows[5]["time"]) == pytest.approx(5 / 60)


def test_parquet(dataset: BlendVOCA, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow: pip install 'blendvoca[tables]'")
    clips = parquet.read_table(export_table(dataset, tmp_path / "clips.parquet"))
    assert clips.to_pylist() == dataset.table()
    frames = parquet.read_table(export_table(dataset, tmp_path / "frames.parquet", frames=True))
    values = np.concatenate([clip.track.values for clip in dataset]).astype(np.float32)
    np.testing.assert_array_equal(np.stack([frames[name].to_numpy() for name in dataset.names], axis=1), values)
    assert frames["frame"].to_pylist()[:3] == [0, 1, 2]
    before = (tmp_path / "frames.parquet").read_bytes()
    assert export_table(dataset, tmp_path / "frames.parquet", frames=True).read_bytes() == before


def test_unknown_values_stay_unknown(dataset: BlendVOCA, tmp_path: Path) -> None:
    from blendvoca.clip import Clip
    from blendvoca.shard.manifest import write_manifest
    from blendvoca.shard.writer import write_shard

    clip = Clip("zoe", "s1", build.track(np.random.default_rng(0), 9), provenance={"origin": "capture"})
    write_shard(tmp_path / "other" / "zoe.h5", "zoe", [clip])
    write_manifest(tmp_path / "other")
    lines = export_table(BlendVOCA(tmp_path / "other"), tmp_path / "t.csv").read_text().splitlines()
    assert lines[1].endswith(",0,0,,")


def test_command_and_wrong_names(dataset: BlendVOCA, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="kind of table"):
        export_table(dataset, tmp_path / "table.xlsx")
    out = tmp_path / "t.csv"
    result = CliRunner().invoke(main, ["export-table", str(dataset.root), "--out", str(out), "--split", "test"])
    assert (result.exit_code, result.output) == (0, f"{out}: 3 rows\n")


def test_missing_extras_are_named(dataset: BlendVOCA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    for package in ("pyarrow", "pyarrow.parquet", "datasets"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'blendvoca\[tables\]'"):
        export_table(dataset, tmp_path / "t.parquet")
    with pytest.raises(MissingDependencyError, match=r"pip install 'blendvoca\[hub\]'"):
        load_hub_dataset(dataset.root)


def test_hugging_face_datasets(dataset: BlendVOCA, tmp_path: Path) -> None:
    pytest.importorskip("datasets", reason="needs datasets: pip install 'blendvoca[hub]'")
    loaded = load_hub_dataset(dataset.root, cache_dir=tmp_path / "cache", audio_rate=16_000)
    assert set(loaded) == {"train", "validation", "test"}
    train = loaded["train"].with_format("numpy")
    own = BlendVOCA(dataset.root, "train", audio_rate=16_000)
    assert len(train) == len(own)
    for row, clip in zip(train, own, strict=True):
        assert (row["speaker"], row["sentence"], row["fps"]) == (clip.speaker, clip.sentence, 60)
        np.testing.assert_array_equal(row["coefficients"], clip.track.values.astype(np.float32))
        assert clip.waveform is not None
        np.testing.assert_array_equal(row["audio"], clip.waveform.samples)
        assert row["audio_rate"] == 16_000
    assert loaded["train"].info.description.split() == list(dataset.names)

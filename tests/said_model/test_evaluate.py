"""Evaluation: truth is perfect, gaps are named and dropped, wrong tracks are refused, intervals hold the value."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

import shard_builders  # noqa: E402
from click.testing import CliRunner  # noqa: E402

from blendvoca.dataset import BlendVOCA  # noqa: E402
from blendvoca.errors import InputError, MissingInputError, TrackError  # noqa: E402
from blendvoca.track import CoefficientTrack  # noqa: E402
from said_model.compare import compare  # noqa: E402
from said_model.config import SAMPLE_RATE  # noqa: E402
from said_model.evaluate import Instruments, averages, evaluate  # noqa: E402
from said_model.figures_page import page  # noqa: E402
from said_model.outputs import read_outputs  # noqa: E402
from said_model.sync_expert import Synchrony  # noqa: E402
from said_model.syncnet import SyncNet  # noqa: E402
from said_model.vae import CoefficientVAE  # noqa: E402


@pytest.fixture
def shards(tmp_path):
    shard_builders.dataset(tmp_path / "shards", frames=130, sentences=4)
    return tmp_path / "shards"


def _write(root, truth, noise, samples=1, keep=lambda row: True):
    rng = np.random.default_rng(0)
    for row, clip in enumerate(truth):
        for number in range(samples) if keep(row) else ():
            values = (clip.track.values + noise * rng.normal(size=clip.track.values.shape)).clip(0, 1)
            name = f"{clip.sentence}.csv" if samples == 1 else f"{clip.sentence}-{number + 1}.csv"
            (root / clip.speaker).mkdir(parents=True, exist_ok=True)
            CoefficientTrack(values, clip.track.names, 60.0).to_csv(root / clip.speaker / name)
    return root


def test_truth_is_perfect_and_noise_is_not(shards, tmp_path):
    truth = BlendVOCA(shards, "test")
    torch.manual_seed(0)
    instruments = Instruments(vae=CoefficientVAE().eval(), repeats=2)
    systems = []
    for name, noise, samples in (("truth", 0.0, 1), ("noisy", 0.05, 4)):
        outputs = read_outputs(_write(tmp_path / name, truth, noise, samples), truth)
        systems.append(evaluate(outputs, truth, instruments, name))
    perfect, noisy = (system.overall for system in systems)
    assert perfect["mae"] < 1e-6 and perfect["lve_mm"] < 1e-4 and perfect["fd"] < 1e-3 * noisy["fd"]
    assert noisy["mae"] == pytest.approx(0.05 * np.sqrt(2 / np.pi), rel=0.1)
    assert perfect["multimodality"] == 0 < noisy["multimodality"]
    assert noisy["jitter_share"] > 10 * perfect["jitter_share"]
    assert systems[1].counts["mae"] == len(truth)
    table = compare(systems, resamples=100)
    cell = table["mae"]["noisy"]
    assert cell.low <= cell.value <= cell.high and cell.low > table["mae"]["truth"].high
    assert "<svg" in page(systems[1]) and "http" not in page(systems[1])


def test_clips_without_truth_are_dropped_by_name_and_gaps_are_counted(shards, tmp_path):
    truth = BlendVOCA(shards, "test")
    root = _write(tmp_path / "some", truth, 0.0, keep=lambda row: row != 0)
    speaker = truth.keys()[0][0]
    truth[0].track.to_csv(root / speaker / "sentence99-1.csv")
    found = read_outputs(root, truth)
    assert found.dropped == (f"{speaker}/sentence99",) and len(found.missing) == 1
    notes = evaluate(found, truth, Instruments(rigs=False), "some").notes
    assert any("sentence99" in note for note in notes) and any("1 clips" in note for note in notes)
    with pytest.raises(MissingInputError, match="no tracks"):
        read_outputs(tmp_path / "shards" / "nothing", truth)


def test_shards_are_outputs_too(shards):
    truth = BlendVOCA(shards, "test")
    assert set(read_outputs(shards, truth).tracks) == set(truth.keys())


def test_wrong_tracks_are_refused(shards, tmp_path):
    truth = BlendVOCA(shards, "test")
    root = _write(tmp_path / "out", truth, 0.0)
    with pytest.raises(InputError, match="different rate"):
        evaluate(read_outputs(root, truth, 30.0), truth, Instruments(rigs=False), "out")
    speaker, sentence = truth.keys()[0]
    track = truth[0].track
    CoefficientTrack(track.values[:, :5], track.names[:5], 60.0).to_csv(root / speaker / f"{sentence}.csv")
    with pytest.raises(TrackError):
        read_outputs(root, truth)


def test_counts_leave_out_what_has_no_value():
    means, counts = averages([{"a": 1.0, "b": float("nan")}, {"a": 3.0}])
    assert means["a"] == 2 and counts == {"a": 2, "b": 0} and np.isnan(means["b"])


def test_commands(shards, tmp_path):
    from said_model.cli import main

    truth = BlendVOCA(shards, "test")
    folders = [str(_write(tmp_path / name, truth, noise)) for name, noise in (("one", 0.0), ("two", 0.02))]
    options = ["--data", str(shards), "--no-vertices"]
    done = CliRunner().invoke(main, ["evaluate", folders[0], *options, "--json", str(tmp_path / "one.json")])
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "one.json").read_text())["clips_used"]["mae"] == len(truth)
    done = CliRunner().invoke(main, ["compare", *folders, *options, "--resamples", "50"])
    assert done.exit_code == 0 and "two" in done.output


def test_syncnet_looks_at_rendered_faces(tmp_path, monkeypatch):
    """Every track is drawn at 25 pictures a second and scored with its own sound."""
    shard_builders.dataset(tmp_path / "shards", frames=130, sentences=1, landmarks=68)
    truth, seen = BlendVOCA(tmp_path / "shards", "test", audio_rate=SAMPLE_RATE), []

    def score(model, pictures, waveform):
        seen.append((pictures.shape, waveform.duration))
        return Synchrony(2, 0.5, ())

    monkeypatch.setattr("said_model.evaluate.score", score)
    outputs = read_outputs(_write(tmp_path / "out", truth, 0.02, keep=lambda row: row == 0), truth)
    found = evaluate(outputs, truth, Instruments(syncnet=SyncNet(), rigs=False), "out")
    assert found.overall["syncnet_offset"] == 2
    assert found.overall["syncnet_confidence"] == 0.5
    ((shape, seconds),) = seen
    assert shape[1:] == (224, 224, 3)
    assert shape[0] == pytest.approx(25 * seconds, abs=3)


def test_values_out_of_range_are_counted_not_refused(shards, tmp_path):
    truth = BlendVOCA(shards, "test")
    clip = truth[0]
    values = clip.track.values.copy()
    values[:13, 0] = 1.5
    folder = tmp_path / "out" / clip.speaker
    folder.mkdir(parents=True)
    lines = [",".join(clip.track.names), *(",".join(map(str, row)) for row in values)]
    (folder / f"{clip.sentence}.csv").write_text("\n".join(lines))
    found = evaluate(read_outputs(tmp_path / "out", truth), truth, Instruments(rigs=False), "out")
    assert found.overall["range_violations"] == pytest.approx(13 / values.size)


def test_systems_are_compared_on_the_clips_that_they_share(shards, tmp_path):
    truth = BlendVOCA(shards, "test")
    torch.manual_seed(0)
    instruments = Instruments(vae=CoefficientVAE().eval(), repeats=2, rigs=False)
    systems = []
    for name, samples, keep in (("all", 4, lambda row: True), ("some", 1, lambda row: row > 0)):
        outputs = read_outputs(_write(tmp_path / name, truth, 0.05, samples, keep), truth)
        systems.append(evaluate(outputs, truth, instruments, name))
    table = compare(systems, resamples=50)
    assert {cell.clips for row in table.values() for cell in row.values()} == {len(truth) - 1}
    assert table["multimodality"]["some"].value == 0 < table["multimodality"]["all"].value
    shared = [row["multimodality"] for row in systems[0].rows[1:]]
    assert table["multimodality"]["all"].value == pytest.approx(np.mean(shared))


def test_one_window_is_no_set(shards, tmp_path):
    truth = BlendVOCA(shards, "test")
    outputs = read_outputs(_write(tmp_path / "out", truth, 0.02, keep=lambda row: row == 0), truth)
    torch.manual_seed(0)
    found = evaluate(outputs, truth, Instruments(vae=CoefficientVAE().eval(), rigs=False), "out")
    assert "fd" not in found.overall
    assert any("FD and WInD left out" in note for note in found.notes)


def test_other_columns_are_refused_by_the_file_s_name(shards, tmp_path):
    truth = BlendVOCA(shards, "test")
    _write(tmp_path / "out", truth, 0.0)
    path = next((tmp_path / "out").glob("*/*.csv"))
    path.write_text(path.read_text().replace("jawOpen", "jawOpn", 1))
    with pytest.raises(TrackError, match=path.name):
        read_outputs(tmp_path / "out", truth)

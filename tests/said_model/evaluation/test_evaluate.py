"""Evaluation: truth is perfect, gaps are named and dropped, wrong tracks are refused, intervals hold the value."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")

import shard_builders  # noqa: E402
from click.testing import CliRunner  # noqa: E402

from blendvoca.arkit import BLENDVOCA_NAMES  # noqa: E402
from blendvoca.dataset import BlendVOCA  # noqa: E402
from blendvoca.errors import InputError, MissingInputError, TrackError  # noqa: E402
from blendvoca.track import CoefficientTrack  # noqa: E402
from blendvoca.vertex_sets import VertexSet  # noqa: E402
from said_model.audio_encoder.log_mel import LogMelEncoder  # noqa: E402
from said_model.config import SAMPLE_RATE  # noqa: E402
from said_model.evaluation.clip_figures import averages  # noqa: E402
from said_model.evaluation.compare import compare  # noqa: E402
from said_model.evaluation.evaluate import Instruments, _notes, evaluate  # noqa: E402
from said_model.evaluation.modes import for_vae  # noqa: E402
from said_model.evaluation.outputs import read_outputs  # noqa: E402
from said_model.evaluation.page import comparison_page, page, rows  # noqa: E402
from said_model.evaluation.sync_expert import SyncConfig, SyncExpert, Synchrony  # noqa: E402
from said_model.evaluation.syncnet import SyncNet  # noqa: E402
from said_model.evaluation.vae import CoefficientVAE  # noqa: E402


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
    # What is to be like the truth's says what the truth's is: that of the perfect system.
    way = next(line[1] for line in rows(systems[0]) if line[0].startswith("Jitter"))
    assert way == f"→ {systems[0].overall['jitter_share']:.5f} (truth)"
    both = comparison_page(table, systems[0].truth, "test: <b>")
    assert both.count("class=point") >= 2 * 5 and "&lt;b&gt;" in both and "http" not in both


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
    words = [*folders, *options, "--resamples", "50", "--page", str(tmp_path / "both.html")]
    done = CliRunner().invoke(main, ["compare", *words])
    assert done.exit_code == 0 and "two" in done.output
    assert "Systems compared" in (tmp_path / "both.html").read_text(encoding="utf-8")
    again = str(_write(tmp_path / "other" / "one", truth, 0.02))  # folders of one name are told apart by their paths
    done = CliRunner().invoke(main, ["compare", folders[0], again, *options, "--resamples", "50"])
    assert done.exit_code == 0, done.output


def test_syncnet_looks_at_rendered_faces(tmp_path, monkeypatch):
    """Every track is drawn at 25 pictures a second and scored with its own sound."""
    shard_builders.dataset(tmp_path / "shards", frames=130, sentences=1, landmarks=68)
    truth, seen = BlendVOCA(tmp_path / "shards", "test", audio_rate=SAMPLE_RATE), []

    def score(model, pictures, waveform):
        seen.append((pictures.shape, waveform.duration))
        return Synchrony(2, 0.5, ())

    monkeypatch.setattr("said_model.evaluation.clip_figures.score", score)
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


def test_steps_are_counted_before_clipping(shards, tmp_path):
    """A track that swings outside [0, 1] is still once it is clipped; the report tells of its steps nevertheless."""
    truth = BlendVOCA(shards, "test")
    clip = truth[0]
    values = np.full(clip.track.values.shape, 1.0)
    values[::2, 3] = 2.0
    folder = tmp_path / "out" / clip.speaker
    folder.mkdir(parents=True)
    names = (*clip.track.names, "tongueOut")  # a column that the truth lacks does not count
    rows = np.column_stack([values, np.arange(len(values)) * 5.0])
    lines = [",".join(names), *(",".join(map(str, row)) for row in rows)]
    (folder / f"{clip.sentence}.csv").write_text("\n".join(lines))
    found = evaluate(read_outputs(tmp_path / "out", truth), truth, Instruments(rigs=False), "out").overall
    assert found["rate_violations"] == pytest.approx(1 / 32)
    assert found["range_violations"] == pytest.approx((len(values) + 1) // 2 / values.size)


def test_distances_are_nothing_for_truth_and_grow_with_noise(shards, tmp_path):
    truth = BlendVOCA(shards, "test")
    torch.manual_seed(0)
    instruments = Instruments(vae=CoefficientVAE().eval(), repeats=2)
    found = []
    for noise in (0.0, 0.02, 0.1):
        outputs = read_outputs(_write(tmp_path / f"noise{noise}", truth, noise), truth)
        found.append(evaluate(outputs, truth, instruments, "x").overall)
    assert found[0]["fd"] < 1e-3 * found[1]["fd"]
    for figure in ("fd", "lve_mm", "lve_squared_mm2", "mve_mm"):
        assert found[0][figure] < found[1][figure] < found[2][figure], figure
    # Jensen: the mean of squares is at least the square of the mean, so the two protocols are told apart.
    assert found[2]["lve_squared_mm2"] >= found[2]["lve_mm"] ** 2 > 0


def test_figures_of_sets_are_taken_over_frames_and_clips_together(tmp_path):
    """Pooled LVE is that of all frames joined, SLCC one correlation; both are resampled by clips in comparisons."""
    shard_builders.dataset(tmp_path / "shards", frames=130, sentences=4, landmarks=68)
    truth = BlendVOCA(tmp_path / "shards", "test", audio_rate=SAMPLE_RATE)
    outputs = read_outputs(_write(tmp_path / "out", truth, 0.05), truth)
    short = {key: tuple(CoefficientTrack(track.values[:-3], track.names, track.fps) for track in tracks)
             if place == 0 else tracks for place, (key, tracks) in enumerate(outputs.tracks.items())}  # fmt: skip
    found = evaluate(replace(outputs, tracks=short), truth, Instruments(), "out")
    frames = [len(tracks[0]) for tracks in short.values()]
    weighted = np.average([row["lve_squared_mm2"] for row in found.rows], weights=frames)
    assert len(set(frames)) > 1 and weighted != pytest.approx(found.overall["lve_squared_mm2"], rel=1e-6)
    assert found.overall["lve_pooled_mm2"] == pytest.approx(weighted, rel=1e-9)
    assert found.overall["mtm_ms"] > 0 and found.counts["slcc"] == len(truth)
    assert -1 <= found.overall["slcc"] <= 1 and -1 <= found.truth["slcc"] <= 1
    perfect = evaluate(read_outputs(_write(tmp_path / "same", truth, 0.0), truth), truth, Instruments(), "same")
    assert perfect.overall["slcc"] == pytest.approx(perfect.truth["slcc"], abs=1e-3)
    table = compare([found, perfect], resamples=40)
    for figure in ("lve_pooled_mm2", "slcc"):
        assert table[figure]["out"].value == found.overall[figure]
        assert table[figure]["out"].low <= table[figure]["out"].high
    assert table["lve_pooled_mm2"]["out"].low <= weighted <= table["lve_pooled_mm2"]["out"].high


def test_lengths_and_counts_that_do_not_match_are_refused(shards, tmp_path):
    truth = BlendVOCA(shards, "test")
    root = _write(tmp_path / "out", truth, 0.0)
    speaker, sentence = truth.keys()[1]
    track = truth[1].track
    CoefficientTrack(track.values[:-4], track.names, 60.0).to_csv(root / speaker / f"{sentence}.csv")
    with pytest.raises(InputError, match=f"{speaker}/{sentence}: tracks of different length"):
        evaluate(read_outputs(root, truth), truth, Instruments(rigs=False), "out")


def test_columns_in_another_order_are_mapped_by_name(shards, tmp_path):
    truth = BlendVOCA(shards, "test")
    root = tmp_path / "out"
    for clip in truth:
        (root / clip.speaker).mkdir(parents=True, exist_ok=True)
        turned = CoefficientTrack(clip.track.values[:, ::-1], clip.track.names[::-1], 60.0)
        turned.to_csv(root / clip.speaker / f"{clip.sentence}.csv")
    found = evaluate(read_outputs(root, truth), truth, Instruments(rigs=False), "turned")
    assert found.overall["mae"] < 1e-6


def test_a_vertex_set_outside_the_mesh_is_refused(shards, tmp_path):
    truth = BlendVOCA(shards, "test")
    outputs = read_outputs(_write(tmp_path / "out", truth, 0.0), truth)
    with pytest.raises(InputError, match="outside the mesh"):
        evaluate(outputs, truth, Instruments(lips=VertexSet("lips", np.array([48]), "a list")), "out")
    with pytest.raises(InputError, match="holds no vertices"):
        evaluate(outputs, truth, Instruments(lips=VertexSet("lips", np.array([1, 3]), "a list")), "out")


def test_vertex_sets_are_of_the_whole_head(shards, tmp_path):
    """FLAME's masks and published index lists count the whole head's vertices; rigs are a crop of it."""
    truth = BlendVOCA(shards, "test")
    key = truth.keys()[0]
    outputs = read_outputs(_write(tmp_path / "out", truth, 0.05, keep=lambda row: row == 0), truth)
    rig, made = truth.rig(key[0]), outputs.tracks[key][0]
    crop = truth.parts(key[0]).crop
    assert crop.n_vertices == 48 and len(crop.kept) == 24
    whole = np.array([3, 10, 46])  # 3 is cropped away, the others stand at 5 and 23
    found = evaluate(outputs, truth, Instruments(lips=VertexSet("lips", whole, "masks.pkl")), "out")
    miss = np.einsum("tk,kvc->tvc", truth[key].track.values - made.values, rig.deltas)
    assert found.overall["lve_mm"] == pytest.approx(1000 * np.linalg.norm(miss[:, [5, 23]], axis=2).max(axis=1).mean())
    assert any("masks.pkl, 2 of 3 vertices" in note for note in found.notes)


def test_syncnet_from_its_weights_to_the_table(tmp_path):
    """With weights of the right shapes the command renders, scores and prints; others are refused."""
    from said_model.cli import main

    shard_builders.dataset(tmp_path / "shards", frames=40, sentences=1, landmarks=68)
    truth = BlendVOCA(tmp_path / "shards", "test")
    folder = _write(tmp_path / "out", truth, 0.02)
    torch.manual_seed(0)
    torch.save(SyncNet().state_dict(), tmp_path / "syncnet_v2.model")
    torch.save(CoefficientVAE().state_dict(), tmp_path / "other.model")
    options = ["--data", str(tmp_path / "shards"), "--no-vertices", "--syncnet"]
    done = CliRunner().invoke(main, ["evaluate", str(folder), *options, str(tmp_path / "syncnet_v2.model"),
                                     "--json", str(tmp_path / "found.json")])  # fmt: skip
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "found.json").read_text())
    assert abs(found["figures"]["syncnet_offset"]) <= 15 and found["figures"]["syncnet_confidence"] >= 0
    assert found["clips_used"]["syncnet_offset"] == 1
    done = CliRunner().invoke(main, ["evaluate", str(folder), *options, str(tmp_path / "other.model")])
    assert done.exit_code and "parameters of SyncNet" in f"{done.exception} {done.output}"


def test_systems_are_compared_on_the_clips_that_they_share(shards, tmp_path):
    truth = BlendVOCA(shards, "test")
    torch.manual_seed(0)
    instruments = Instruments(vae=CoefficientVAE().eval(), repeats=2, rigs=False)
    systems = []
    for name, samples, keep in (("all", 4, lambda row: True), ("some", 1, lambda row: row > 0)):
        outputs = read_outputs(_write(tmp_path / name, truth, 0.05, samples, keep), truth)
        systems.append(evaluate(outputs, truth, instruments, name))
    table = compare(systems, resamples=50)
    assert (table["fd"]["all"].windows, table["fd"]["some"].windows) == (4 * (len(truth) - 1), len(truth) - 1)
    assert {cell.clips for row in table.values() for cell in row.values()} == {len(truth) - 1}
    assert table["multimodality"]["some"].value == 0 < table["multimodality"]["all"].value
    for cell in table["fd"].values():
        assert cell.low <= cell.value <= cell.high
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


def test_the_vae_s_columns_are_taken_by_name():
    names = ("tongueOut", *reversed(BLENDVOCA_NAMES))
    values = np.random.default_rng(0).uniform(size=(130, 33))
    truth = CoefficientTrack(values, names, 60.0)
    made = truth.select((*BLENDVOCA_NAMES, "tongueOut"))
    np.testing.assert_array_equal(for_vae(truth, made), values[:, :0:-1])
    few = truth.select([name for name in names if name != "jawOpen"])
    with pytest.raises(InputError, match="jawOpen"):
        for_vae(few, few)


def test_short_clips_lack_some_figures_and_the_report_says_how_many(tmp_path):
    """A clip too short for jitter or synchrony does not stop the rest, nor count where it has no value."""
    shard_builders.dataset(tmp_path / "shards", frames=3, sentences=3)
    truth = BlendVOCA(tmp_path / "shards", "test", audio_rate=SAMPLE_RATE)
    encoder = LogMelEncoder()
    expert = SyncExpert(SyncConfig(truth.names, 60.0, encoder.feature_dim))
    outputs = read_outputs(_write(tmp_path / "out", truth, 0.0), truth)
    found = evaluate(outputs, truth, Instruments(sync=expert, encoder=encoder), "out")
    assert found.counts["mae"] == 3 and found.counts["jitter_share"] == 0 and "sync_offset" not in found.overall
    assert any("jitter_share (0)" in note for note in found.notes)
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["figures"]["jitter_share"] is None


def test_windows_of_another_rate_are_said(shards, tmp_path):
    """The VAE's windows are counted in frames: at 30 fps they last twice as long."""
    truth = BlendVOCA(shards, "test")
    outputs = read_outputs(_write(tmp_path / "out", truth, 0.0), truth)
    slow = {key: [CoefficientTrack(track.values, track.names, 30.0) for track in tracks]
            for key, tracks in outputs.tracks.items()}  # fmt: skip
    instruments = Instruments(vae=CoefficientVAE(), rigs=False)
    told = [" ".join(_notes(replace(outputs, tracks=each), instruments, truth)) for each in (outputs.tracks, slow)]
    assert ["at 30 fps, not to be compared" in notes for notes in told] == [False, True]


def test_a_sync_expert_of_another_rate_is_refused(shards, tmp_path):
    truth = BlendVOCA(shards, "test", audio_rate=SAMPLE_RATE)
    outputs = read_outputs(_write(tmp_path / "out", truth, 0.0), truth)
    expert = SyncExpert(SyncConfig(truth.names, 30.0, LogMelEncoder().feature_dim))
    with pytest.raises(InputError, match=r"sentence01.*expected 30 fps, found 60 fps"):
        evaluate(outputs, truth, Instruments(sync=expert, encoder=LogMelEncoder()), "out")

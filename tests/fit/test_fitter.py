"""The fit: recovered motion, figures that are right, memory that does not grow, topologies that do not match."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from reference.dense_qp import solve_dense

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.cli import main
from blendvoca.crop import Crop
from blendvoca.errors import ConfigurationError, InputError, MeshError
from blendvoca.fit.fitter import FitSettings, Fitter, alike, fit, lip_weights, match_topology
from blendvoca.io.track.csv import read_track
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.sequence import MeshSequence
from blendvoca.vertex_sets import LIPS

FACES = np.array([[0, 1, 2], [1, 2, 3]])


def small_rig(names=("jawOpen", "mouthPucker", "mouthLeft"), n_vertices=12, seed=0):
    rng = np.random.default_rng(seed)
    neutral = Mesh(0.1 * rng.standard_normal((n_vertices, 3)), FACES)
    return BlendshapeRig(neutral, 0.01 * rng.standard_normal((len(names), n_vertices, 3)), names)


def motion(frames, k, seed=0, step=0.08):
    rng = np.random.default_rng(seed)
    u = np.empty((frames, k))
    u[0] = rng.random(k)
    for n in range(1, frames):
        u[n] = np.clip(u[n - 1] + rng.uniform(-step, step, k), 0, 1)
    return u


def sequence(rig, u, fps=60.0, noise=0.0):
    frames = rig.pose(u) + noise * np.random.default_rng(1).standard_normal((len(u), rig.neutral.n_vertices, 3))
    return MeshSequence.from_array(frames, rig.neutral.faces, fps)


def test_a_posed_motion_comes_back():
    rig, u = small_rig(), motion(40, 3)
    result = fit(sequence(rig, u), rig)
    np.testing.assert_allclose(result.track.values, u, atol=1e-5)
    assert result.track.names == rig.names
    assert result.track.fps == 60
    assert result.certificate.problems() == []
    assert result.certificate.error_max_mm < 1e-2
    assert 0 <= result.certificate.objective < 1e-12


def test_it_is_the_papers_problem():
    rig, u = small_rig(), motion(8, 3, step=0.3)
    frames = sequence(rig, u, noise=0.005)
    basis = rig.basis()
    offsets = frames.frames().reshape(8, -1) - rig.neutral.vertices.reshape(-1)
    expected = solve_dense(basis.T @ basis, -offsets @ basis, 0.1)
    result = fit(frames, rig)
    np.testing.assert_allclose(result.track.values, expected, atol=1e-5)
    left = np.sum((offsets - expected @ basis.T) ** 2)
    assert result.certificate.objective == pytest.approx(left, rel=1e-6)
    assert result.certificate.rate_limit_share > 0
    assert not result.certificate.regularised


def test_figures_are_those_of_the_distances():
    rig, u = small_rig(n_vertices=40), motion(30, 3)
    frames = sequence(rig, u, noise=0.002)
    lips = np.array([1, 5, 7])
    result = fit(frames, rig, lips=lips)
    distance = 1000 * np.linalg.norm(frames.frames() - rig.pose(result.track.values), axis=2)
    c = result.certificate
    assert c.error_mean_mm == pytest.approx(distance.mean(), rel=1e-5)
    assert c.error_max_mm == pytest.approx(distance.max(), rel=1e-5)
    assert c.error_p95_mm == pytest.approx(np.percentile(distance, 95), rel=1e-2)
    assert c.lips_mean_mm == pytest.approx(distance[:, lips].mean(), rel=1e-5)
    assert c.lips_max_mm == pytest.approx(distance[:, lips].max(), rel=1e-5)
    np.testing.assert_allclose(result.frame_error_mm, distance.mean(axis=1), rtol=1e-5)


@pytest.mark.parametrize(("block", "keep"), [(1, 10**9), (7, 10**9), (100, 0), (7, 2000), (32, 0)])
def test_blocks_and_memory_do_not_change_the_answer(block, keep):
    rig, u = small_rig(), motion(25, 3)
    frames = sequence(rig, u, noise=0.003)
    whole, parts = fit(frames, rig), fit(frames, rig, FitSettings(block=block, keep_bytes=keep))
    np.testing.assert_allclose(parts.track.values, whole.track.values, atol=1e-9)
    assert parts.certificate.error_mean_mm == pytest.approx(whole.certificate.error_mean_mm, rel=1e-6)
    assert parts.certificate.error_p95_mm == pytest.approx(whole.certificate.error_p95_mm, rel=1e-6)


def test_frames_are_read_in_blocks_only():
    rig, u = small_rig(), motion(50, 3)
    data, asked = rig.pose(u), []

    class Source:
        def __len__(self):
            return len(data)

        def read(self, start, stop):
            asked.append((start, stop))
            return data[start:stop]

    frames = MeshSequence(Source(), rig.neutral.faces, 12, 60.0)
    fit(frames, rig, FitSettings(block=16))
    assert asked == [(0, 16), (16, 32), (32, 48), (48, 50)], "read once while the frames fit the budget"
    asked.clear()
    fit(frames, rig, FitSettings(block=16, keep_bytes=1000))
    assert len(asked) == 8


def test_rate_limit_and_ridge_are_honoured():
    rig, u = small_rig(), motion(30, 3, step=0.3)
    slow = fit(sequence(rig, u), rig, FitSettings(rate_limit=0.02))
    assert slow.track.max_step() <= 0.02 + 1e-9
    assert slow.certificate.rate_limit == 0.02
    free = fit(sequence(rig, u), rig, FitSettings(rate_limit=np.inf))
    np.testing.assert_allclose(free.track.values, u, atol=1e-5)
    pulled = fit(sequence(rig, u), rig, FitSettings(ridge=0.1))
    assert np.square(pulled.track.values).sum() < np.square(free.track.values).sum()
    assert pulled.certificate.regularised
    assert pulled.certificate.problems() == []


def test_weights_move_the_answer_towards_what_they_weigh():
    rig, u = small_rig(n_vertices=40), motion(30, 3)
    frames = sequence(rig, u, noise=0.01)
    lips = np.arange(6)
    even, heavy = fit(frames, rig, lips=lips), fit(frames, rig, lips=lips, weights=lip_weights(rig, lips, 50.0))
    assert heavy.certificate.lips_mean_mm < even.certificate.lips_mean_mm
    assert heavy.certificate.error_mean_mm > even.certificate.error_mean_mm
    same = fit(frames, rig, lips=lips, weights=np.full(40, 3.0))
    np.testing.assert_allclose(same.track.values, even.track.values, atol=1e-6)
    assert same.certificate.objective == pytest.approx(3 * even.certificate.objective, rel=1e-6)


@pytest.mark.parametrize("weights", [np.ones(3), -np.ones(12), np.zeros(12), np.full(12, np.nan)])
def test_wrong_weights(weights):
    with pytest.raises(InputError):
        Fitter(small_rig(), weights=weights)


@pytest.mark.parametrize("wrong", [{"rate_limit": 0.0}, {"rate_limit": np.nan}, {"ridge": -1.0}, {"block": 0}])
def test_wrong_settings(wrong):
    with pytest.raises(ConfigurationError):
        FitSettings(**wrong)


def test_topology_is_recognised_from_the_vertex_count():
    whole, u = small_rig(n_vertices=20), motion(10, 3)
    kept = np.array([0, 1, 2, 3, 5, 8, 13])
    crop = Crop.of(kept, 20)
    part = whole.cropped(crop)
    full_frames, part_frames = sequence(whole, u), sequence(part, u)
    for rig, frames in [(part, full_frames), (whole, part_frames), (part, part_frames), (whole, full_frames)]:
        matched, relation = match_topology(rig, frames.n_vertices, kept)
        result = fit(frames, matched, crop=relation)
        np.testing.assert_allclose(result.track.values, u, atol=1e-4)
    with pytest.raises(MeshError, match="20"):
        fit(full_frames, part)
    with pytest.raises(MeshError, match="crop"):
        match_topology(part, 20)
    with pytest.raises(MeshError):
        match_topology(part, 19, kept[:3])


def test_bad_frames_are_named():
    rig = small_rig()
    frames = rig.pose(motion(10, 3))
    frames[7, 2, 1] = np.nan
    with pytest.raises(MeshError, match="7"):
        fit(MeshSequence.from_array(frames, FACES, 60.0), rig)


@pytest.mark.parametrize("scale", [1000.0, 100.0, 0.01])
def test_frames_in_another_unit_are_refused(scale):
    rig = small_rig()
    with pytest.raises(MeshError, match="unit of length"):
        fit(MeshSequence.from_array(scale * rig.pose(motion(10, 3)), FACES, 60.0), rig)


def test_alike_shapes_are_named():
    rig = small_rig(("a", "b", "c", "d"))
    deltas = rig.deltas.copy()
    deltas[2] = 0.5 * deltas[0]
    deltas[3] = 0
    found = alike(BlendshapeRig(rig.neutral, deltas, rig.names))
    assert found[0] == ("d", "d", 1.0)
    assert found[1][:2] == ("a", "c")
    assert found[1][2] == pytest.approx(1)
    assert len(found) == 2


def test_equal_shapes_are_fitted_and_said():
    rig = small_rig(("a", "b"))
    twin = BlendshapeRig(rig.neutral, np.stack([rig.deltas[0], rig.deltas[0]]), rig.names)
    u = motion(20, 1, step=0.03) @ np.ones((1, 2))
    result = fit(sequence(twin, u), twin)
    assert result.certificate.regularised
    assert result.certificate.problems() == []
    np.testing.assert_allclose(result.track.values, u, atol=1e-3)


def test_lips_are_where_the_lip_shapes_move():
    rig = small_rig(("jawOpen", "mouthPucker"))
    deltas = np.zeros((2, 12, 3))
    deltas[0], deltas[1, 4, 2], deltas[1, 5, 2], deltas[1, 6, 2] = 1, 0.010, 0.006, 0.004
    np.testing.assert_array_equal(LIPS.vertices(BlendshapeRig(rig.neutral, deltas, rig.names)), [4, 5])
    nowhere = small_rig(("jawOpen",))
    assert len(LIPS.vertices(nowhere)) == 0
    assert np.isnan(fit(sequence(nowhere, motion(5, 1)), nowhere).certificate.lips_mean_mm)
    with pytest.raises(MeshError):
        Fitter(rig, lips=[12])


@pytest.fixture
def rig_folder(tmp_path):
    from blendvoca.io.mesh.obj import write_obj

    rig = small_rig(BLENDVOCA_NAMES, n_vertices=60)
    folder = tmp_path / "rig"
    folder.mkdir()
    write_obj(folder / "Neutral.obj", rig.neutral)
    for name, delta in zip(rig.names, rig.deltas, strict=True):
        write_obj(folder / f"{name}.obj", Mesh(rig.neutral.vertices + delta, rig.neutral.faces))
    return folder, rig


def run(*arguments):
    return CliRunner().invoke(main, ["fit", *map(str, arguments)])


@pytest.mark.parametrize("flat", [False, True])
def test_command_fits_an_array(tmp_path, rig_folder, flat):
    folder, rig = rig_folder
    u = motion(30, 32)
    frames = rig.pose(u).astype(np.float32)
    np.save(tmp_path / "s.npy", frames.reshape(30, -1) if flat else frames)
    out, report = tmp_path / "t.csv", tmp_path / "r.json"
    result = run(tmp_path / "s.npy", "--rig", folder, "--out", out, "--report", report)
    assert result.exit_code == 0, result.output
    np.testing.assert_allclose(read_track(out).values, u, atol=1e-3)
    facts = json.loads(report.read_text())
    assert facts["status"] == "optimal"
    assert facts["duality_gap"] <= 1e-9
    assert len(facts["frame_error_mm"]) == 30
    assert "optimal" in result.output


def test_command_reports_plain_json_and_says_when_frames_do_not_fit(tmp_path, rig_folder):
    folder, rig = rig_folder
    np.save(tmp_path / "s.npy", rig.pose(motion(3, 32))[:, ::-1])
    out, report = tmp_path / "t.csv", tmp_path / "r.json"
    result = run(tmp_path / "s.npy", "--rig", folder, "--out", out, "--report", report, "--delta", "inf")
    assert "does not follow these frames" in result.output
    text = report.read_text()
    assert json.loads(text)["rate_limit"] is None
    assert "NaN" not in text
    assert "Infinity" not in text


def test_command_interpolates_first(tmp_path, rig_folder):
    folder, rig = rig_folder
    np.save(tmp_path / "s.npy", rig.pose(motion(10, 32)).astype(np.float32))
    out = tmp_path / "t.csv"
    result = run(tmp_path / "s.npy", "--rig", folder, "--out", out, "--fps-in", 30, "--fps-out", 60, "--lip-weight", 4)
    assert result.exit_code == 0, result.output
    assert len(read_track(out)) == 20


def test_command_knows_flames_published_region(tmp_path, assets, monkeypatch):
    from blendvoca.shard.rig_file import write_rig
    from landmarks.schemes import head_indices

    monkeypatch.setenv("BLENDVOCA_ASSETS", str(assets))
    kept = head_indices("flame")
    rig = small_rig(BLENDVOCA_NAMES, n_vertices=5023)
    u = motion(3, 32)
    np.save(tmp_path / "s.npy", rig.pose(u).astype(np.float32))
    part = write_rig(tmp_path / "rig.h5", rig.cropped(Crop.of(kept, 5023)))
    out = tmp_path / "t.csv"
    result = run(tmp_path / "s.npy", "--rig", part, "--out", out)
    assert result.exit_code == 0, result.output
    np.testing.assert_allclose(read_track(out).values, u, atol=1e-3)


def test_command_takes_a_rig_file(tmp_path, rig_folder):
    from blendvoca.shard.rig_file import write_rig

    _, rig = rig_folder
    u = motion(5, 32)
    np.save(tmp_path / "s.npy", rig.pose(u).astype(np.float32))
    out = tmp_path / "t.csv"
    result = run(tmp_path / "s.npy", "--rig", write_rig(tmp_path / "rig.h5", rig), "--out", out)
    assert result.exit_code == 0, result.output
    np.testing.assert_allclose(read_track(out).values, u, atol=1e-3)


def test_command_reads_mesh_folders_and_crops(tmp_path, rig_folder):
    from blendvoca.io.mesh.obj import write_obj

    folder, rig = rig_folder
    u = motion(4, 32)
    frames, kept = rig.pose(u), np.arange(50)
    part = rig.cropped(Crop.of(kept, 60)).neutral.faces
    for n, frame in enumerate(frames):
        write_obj(tmp_path / f"s.{n:06d}.obj", Mesh(frame[kept], part))
    (tmp_path / "kept.txt").write_text("\n".join(map(str, kept)))
    out = tmp_path / "t.csv"
    result = run(tmp_path, "--rig", folder, "--out", out, "--crop", tmp_path / "kept.txt")
    assert result.exit_code == 0, result.output
    np.testing.assert_allclose(read_track(out).values, u, atol=1e-2)
    refused = run(tmp_path, "--rig", folder, "--out", out)
    assert refused.exit_code == 1
    assert "60 vertices" in refused.output

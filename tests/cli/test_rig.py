"""``blendvoca rig`` and ``blendvoca landmarks`` as a user calls them."""

import json

import numpy as np
import pytest
import trimesh
from click.testing import CliRunner

from blendvoca.cli import main
from blendvoca.crop import Crop
from blendvoca.ibug68 import INDEX, TEN_PICKS
from blendvoca.io.mesh.anymesh import read_mesh
from blendvoca.io.mesh.obj import write_obj
from blendvoca.mesh import Mesh
from blendvoca.shard.rig_file import read_rig
from blendvoca.synthetic.head import SyntheticHead
from blendvoca.transfer.region import completed_region
from landmarks.files import read_landmarks, write_landmarks, write_picks
from landmarks.schemes import topologies, topology_landmarks

SHAPES = "jawOpen,mouthClose,mouthSmileLeft,mouthSmileRight,eyeBlinkLeft,eyeBlinkRight"


def _run(*words: object):
    return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def head() -> tuple[Mesh, np.ndarray]:
    return SyntheticHead().head()


@pytest.fixture
def folder(tmp_path, head):
    """A head in centimetres and its landmarks."""
    mesh, landmarks = head
    write_obj(tmp_path / "head.obj", mesh.with_vertices(100.0 * mesh.vertices))
    write_landmarks(tmp_path / "head.json", landmarks, mesh.n_vertices)
    return tmp_path


def test_head_in_centimetres_gets_a_rig_and_a_report(folder, head) -> None:
    done = _run(
        "rig",
        folder / "head.obj",
        "--landmarks",
        folder / "head.json",
        "--source",
        "synthetic",
        "--shapes",
        SHAPES,
        "--out",
        folder / "rig.h5",
        "--glb",
        folder / "rig.glb",
    )
    assert done.exit_code == 0, done.output
    assert "unit        cm" in done.output
    rig = read_rig(folder / "rig.h5")
    assert rig.names == tuple(SHAPES.split(","))
    assert rig.landmarks.tolist() == head[1].tolist()
    mesh, truth = head[0], SyntheticHead().rig("head", rig.names)
    assert np.abs(rig.whole().neutral.vertices - mesh.vertices).max() < 1e-6
    for name in ("jawOpen", "mouthSmileLeft"):
        wanted = truth.delta(name)
        error = rig.whole().delta(name) - wanted
        assert np.linalg.norm(error[head[1]]) < 0.1 * np.linalg.norm(wanted[head[1]])
    report = json.loads((folder / "rig.report.json").read_text())
    assert report["unit"]["name"] == "cm"
    assert [shape["name"] for shape in report["quality"]["shapes"]] == list(rig.names)
    assert all(name in done.output for name in rig.names)
    assert report["quality"]["figures"]["markers_mm"] < 1e-6
    assert trimesh.load(folder / "rig.glb", force="mesh").faces.shape[1] == 3


@pytest.mark.parametrize("suffix", ["ply", "glb", "stl"])
def test_other_formats_are_read(folder, head, suffix) -> None:
    mesh, landmarks = head
    trimesh.Trimesh(mesh.vertices, mesh.faces, process=False).export(folder / f"head.{suffix}")
    found = read_mesh(folder / f"head.{suffix}")
    # The file's own order: the vertex at each landmark's place.
    apart = np.linalg.norm(found.vertices[:, None] - mesh.vertices[landmarks][None], axis=2)
    write_landmarks(folder / "own.txt", apart.argmin(axis=0))
    done = _run(
        "rig",
        folder / f"head.{suffix}",
        "--landmarks",
        folder / "own.txt",
        "--source",
        "synthetic",
        "--method",
        "sumner-popovic",
        "--shapes",
        "jawOpen",
        "--out",
        folder / "rig.h5",
    )
    assert done.exit_code == 0, done.output
    assert read_rig(folder / "rig.h5").whole().delta("jawOpen")[apart.argmin(axis=0)].any()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--landmarks", "none.txt"), "no landmark file"),
        (("--landmarks", "head.json", "--source", "arkitt"), "did you mean 'arkit'"),
        (("--landmarks", "head.json", "--shapes", "jawOpn"), "did you mean 'jawOpen'"),
        (("--landmarks", "head.json", "--method", "magic"), "is not one of"),
        (("--landmarks", "head.json", "--units", "furlong"), "unknown unit"),
        (("--landmarks", "mirrored.json"), "left and right are exchanged"),
        (("--landmarks", "head.json", "--report", "head.json"), "would be written over"),
    ],
)
def test_wrong_calls_are_answered_and_leave_nothing(folder, head, monkeypatch, words, said) -> None:
    from blendvoca.ibug68 import MIRROR

    monkeypatch.chdir(folder)
    write_landmarks("mirrored.json", head[1][MIRROR])
    source = () if "--source" in words else ("--source", "synthetic")
    done = _run("rig", "head.obj", *words, *source, "--out", "rig.h5")
    assert done.exit_code != 0
    assert said in done.output
    assert not (folder / "rig.h5").exists()


def test_landmarks_named_like_the_rig_survive(folder) -> None:
    before = (folder / "head.json").read_bytes()
    place = ("--source", "synthetic", "--shapes", "jawOpen", "--out", folder / "head.h5")
    done = _run("rig", folder / "head.obj", "--landmarks", folder / "head.json", *place)
    assert done.exit_code == 0, done.output
    assert (folder / "head.json").read_bytes() == before
    assert (folder / "head.report.json").exists()


def test_only_the_region_moves(folder, head) -> None:
    mesh, landmarks = head
    kept = np.flatnonzero(mesh.vertices[:, 2] > np.median(mesh.vertices[:, 2]))
    kept = np.union1d(kept, landmarks)
    (folder / "region.txt").write_text("\n".join(map(str, kept)))
    done = _run(
        "rig",
        folder / "head.obj",
        "--landmarks",
        folder / "head.json",
        "--source",
        "synthetic",
        "--shapes",
        "jawOpen",
        "--region",
        folder / "region.txt",
        "--out",
        folder / "rig.h5",
    )
    assert done.exit_code == 0, done.output
    moved = np.flatnonzero(read_rig(folder / "rig.h5").deltas[0].any(axis=1))
    assert len(moved)
    # The region, the inside of its openings, and where it ends at landmarks the strip that takes their fade.
    allowed, notes = completed_region(mesh, Crop.of(kept, mesh.n_vertices), landmarks)
    assert np.isin(moved, allowed.kept).all()
    assert notes


def test_check_says_yes_or_what_is_wrong(folder, head) -> None:
    done = _run("landmarks", "check", folder / "head.obj", folder / "head.json")
    assert done.exit_code == 0
    assert "68 landmarks in order" in done.output
    wrong = head[1].copy()
    wrong[36:48] = np.roll(wrong[36:48], 6)
    write_landmarks(folder / "wrong.txt", wrong)
    done = _run("landmarks", "check", folder / "head.obj", folder / "wrong.txt")
    assert done.exit_code != 0
    assert "eye_right and eye_left are exchanged" in done.output


def test_transfer_writes_a_list(folder, head) -> None:
    mesh, landmarks = head
    write_picks(folder / "ten.json", {name: int(landmarks[INDEX[name]]) for name in TEN_PICKS}, mesh.n_vertices)
    done = _run(
        "landmarks",
        "transfer",
        folder / "head.obj",
        "--source",
        "synthetic",
        "--picks",
        folder / "ten.json",
        "--out",
        folder / "found.txt",
    )
    assert done.exit_code == 0, done.output
    found = read_landmarks(folder / "found.txt", mesh.n_vertices)
    assert np.linalg.norm(mesh.vertices[found] - mesh.vertices[landmarks], axis=1).max() < 2e-3


@pytest.mark.slow
def test_arkit_onto_an_ict_head(assets, tmp_path, monkeypatch) -> None:
    """The whole model, eyeballs and teeth included, in its own centimetres."""
    from blendvoca.io.rig.ict import read_ict

    monkeypatch.setenv("BLENDVOCA_ASSETS", str(assets))
    model = read_ict(assets / "ict_facekit" / "ict_facekit.npz")
    head = model.head({"identity000": 1.0, "identity003": -1.0})
    write_obj(tmp_path / "ict.obj", head.with_vertices(100.0 * head.vertices))
    done = _run("rig", tmp_path / "ict.obj", "--shapes", SHAPES, "--out", tmp_path / "rig.h5")
    assert done.exit_code == 0, done.output
    assert "those of the ict topology" in done.output
    report = json.loads((tmp_path / "rig.report.json").read_text())
    assert report["unit"]["name"] == "cm"
    assert report["quality"]["failed_shapes"] == []
    rig = read_rig(tmp_path / "rig.h5").whole()
    # Behind the skin: lower teeth go with the jaw, by as much as the chin; everything else stays where it is.
    assert "lower teeth: with the jaw" in done.output and "upper teeth: still" in done.output
    behind = np.linalg.norm(rig.deltas[:, 17_000:], axis=2)
    jaw, chin = rig.names.index("jawOpen"), np.linalg.norm(rig.delta("jawOpen")[topology_landmarks("ict")[8]])
    assert 0.7 * chin < behind[jaw].max() < 1.3 * chin
    assert not np.delete(behind, jaw, axis=0).any()


def test_a_head_without_landmarks_is_rigged_in_one_step(folder, monkeypatch) -> None:
    """They are found with the source's face, written beside the rig, and said."""
    monkeypatch.chdir(folder)
    done = _run("rig", "head.obj", "--source", "synthetic", "--shapes", "jawOpen", "--out", "alone.h5")
    assert done.exit_code == 0, done.output
    assert "found by bending the source's face" in done.output
    found = read_rig("alone.h5").whole().neutral
    assert len(read_landmarks("alone.landmarks.json", found.n_vertices)) == 68


def test_a_known_topology_whose_landmarks_are_not_here_gets_them_found(folder, monkeypatch, tmp_path) -> None:
    """A FLAME head on a machine that downloaded nothing is the first thing that is tried."""
    monkeypatch.chdir(folder)
    for variable in ("BLENDVOCA_ASSETS", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    monkeypatch.setattr("landmarks.schemes.recognise", lambda *_: topologies()["flame"])
    done = _run("rig", "head.obj", "--shapes", "jawOpen", "--out", "unknown.h5")
    assert done.exit_code == 0, done.output
    assert "those of the flame topology are not here. Fetch it: blendvoca download arkit-reference" in done.output
    assert "found by bending the source's face" in done.output


def test_without_arkits_reference_the_embedded_source_is_taken_and_said(folder, monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("BLENDVOCA_ASSETS", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    words = ("--landmarks", "head.json", "--shapes", "jawOpen", "--method", "sumner-popovic", "--out", "alone.h5")
    done = _run("rig", "head.obj", *words)
    assert done.exit_code == 0, done.output
    assert "ARKit's reference is not here" in done.output
    asked = _run("rig", "head.obj", *words, "--source", "arkit")
    assert asked.exit_code == 1 and "no file ARKit" in asked.output

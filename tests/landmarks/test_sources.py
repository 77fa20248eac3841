"""Source rigs: each layout gives metres, ARKit's names and landmarks; wrong ones are refused by name."""

import shutil
import zipfile

import numpy as np
import pytest

from blendvoca.arkit import ARKIT_NAMES, BLENDVOCA_NAMES
from blendvoca.errors import (
    ConfigurationError,
    FormatError,
    LandmarkError,
    MeshError,
    MissingInputError,
    RigError,
    TrackError,
)
from blendvoca.io.mesh.obj import write_obj
from blendvoca.io.rig.ict import read_ict, split_polygons
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.shard.rig_file import write_rig
from landmarks.check import check_landmarks
from landmarks.prototype import PROTOTYPE
from landmarks.sources import SourceRig, load_source
from landmarks.units import guess_unit, unit_named


@pytest.fixture(scope="module")
def small() -> BlendshapeRig:
    """A fan through the prototype's points: 69 vertices, two shapes."""
    vertices = np.vstack([PROTOTYPE, [[0, 0, 0.2]]])
    faces = np.column_stack([np.arange(67), np.arange(1, 68), np.full(67, 68)])
    deltas = 0.001 * np.random.default_rng(0).normal(size=(2, 69, 3))
    return BlendshapeRig(Mesh(vertices, faces), deltas, ("jawOpen", "mouthSmileLeft"))


def _write(folder, rig: BlendshapeRig, scale: float = 1.0, landmarks: bool = True) -> None:
    write_obj(folder / "Neutral.obj", rig.neutral.with_vertices(scale * rig.neutral.vertices))
    for name, vertices in zip(("JawOpen", "mouthSmile_L"), rig.neutral.vertices + rig.deltas):
        write_obj(folder / f"{name}.obj", rig.neutral.with_vertices(scale * vertices))
    if landmarks:
        (folder / "landmarks.txt").write_text("\n".join(map(str, range(68))))


@pytest.mark.parametrize("scale", [1.0, 100.0, 1000.0, 7.3])
def test_folder_in_any_unit(tmp_path, small, scale) -> None:
    _write(tmp_path, small, scale)
    source = load_source(tmp_path)
    assert set(source.rig.names) == set(small.names)
    assert np.abs(source.rig.neutral.vertices - small.neutral.vertices).max() < 1e-6
    assert np.abs(source.rig.delta("mouthSmileLeft") - small.delta("mouthSmileLeft")).max() < 1e-6
    assert (source.landmarks == np.arange(68)).all()


def test_zip_needs_a_landmark_file_named(tmp_path, small) -> None:
    folder = tmp_path / "shapes"
    folder.mkdir()
    _write(folder, small)
    archive = shutil.make_archive(str(tmp_path / "rig"), "zip", folder)
    with pytest.raises(MissingInputError, match="has no landmarks"):
        load_source(archive)
    assert load_source(archive, landmarks=folder / "landmarks.txt").rig.names == load_source(folder).rig.names


def test_archive_of_arrays(tmp_path, small) -> None:
    path = tmp_path / "rig.npz"
    arrays = {"neutral": small.neutral.vertices, "faces": small.neutral.faces, "deltas": small.deltas}
    np.savez(path, **arrays, names=np.array(small.names), landmarks=np.arange(68))
    assert load_source(path).rig.names == small.names
    np.savez(path, **arrays)
    with pytest.raises(FormatError, match="no \\['names'\\]"):
        load_source(path)
    np.savez(path, **arrays, names=np.array(small.names, dtype=object), landmarks=np.arange(68))
    with pytest.raises(FormatError):
        load_source(path)


def test_wrong_folders_are_refused(tmp_path, small) -> None:
    _write(tmp_path, small, landmarks=False)
    with pytest.raises(MissingInputError, match="has no landmarks"):
        load_source(tmp_path)
    (tmp_path / "landmarks.txt").write_text("1 2 3")
    with pytest.raises(LandmarkError, match="found 3 points"):
        load_source(tmp_path)
    write_obj(tmp_path / "mouthFunnel.obj", Mesh(small.neutral.vertices, small.neutral.faces[1:]))
    with pytest.raises(MeshError, match=r"mouthFunnel\.obj: a shape has other faces"):
        load_source(tmp_path)
    write_obj(tmp_path / "mouthFunnel.obj", Mesh(small.neutral.vertices[:3], [[0, 1, 2]]))
    with pytest.raises(MeshError, match="another vertex count; expected 69, found 3"):
        load_source(tmp_path)
    (tmp_path / "Neutral.obj").unlink()
    with pytest.raises(MissingInputError, match="no neutral among the shapes"):
        load_source(tmp_path)


def test_damaged_and_missing_sources_are_named(tmp_path) -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'arkit'"):
        load_source("arkitt")
    with pytest.raises(MissingInputError, match=r"none\.npz"):
        load_source(tmp_path / "none.npz")
    (tmp_path / "rig.npz").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(FormatError, match=r"rig\.npz"):
        load_source(tmp_path / "rig.npz")
    with zipfile.ZipFile(tmp_path / "rig.zip", "w") as archive:
        archive.writestr("../../Neutral.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    with pytest.raises(FormatError, match="leads outside the archive"):
        load_source(tmp_path / "rig.zip")
    assert not (tmp_path.parent / "Neutral.obj").exists()


def test_not_fetched_says_where_it_was_looked_for(tmp_path, monkeypatch) -> None:
    monkeypatch.delenv("BLENDVOCA_ASSETS", raising=False)
    monkeypatch.setenv("BLENDVOCA_CACHE", str(tmp_path))
    for name in ("arkit", "ict"):
        with pytest.raises(MissingInputError, match="BLENDVOCA_ASSETS") as caught:
            load_source(name)
        assert str(tmp_path) in str(caught.value)


def test_unit_is_guessed_and_can_be_told() -> None:
    for scale, name in ((1.0, "m"), (100.0, "cm"), (1000.0, "mm"), (1.6, "m"), (6.0, "free")):
        unit = guess_unit(scale * PROTOTYPE)
        assert unit.name == name
    assert guess_unit(6.0 * PROTOTYPE).metres == pytest.approx(1 / 6)
    assert unit_named("in", PROTOTYPE).metres == 0.0254
    with pytest.raises(ConfigurationError):
        unit_named("furlong", PROTOTYPE)
    with pytest.raises(LandmarkError):
        guess_unit(np.zeros((68, 3)))


def test_arkit(assets) -> None:
    source = load_source("arkit", assets=assets)
    assert (source.rig.neutral.n_vertices, source.rig.neutral.n_faces, len(source.rig.names)) == (1220, 2304, 51)
    assert set(source.rig.names) == set(ARKIT_NAMES) - {"tongueOut"}
    assert np.allclose(np.ptp(source.rig.neutral.vertices, axis=0), [0.145, 0.182, 0.106], atol=1e-3)
    assert source.select("blendvoca").rig.names == BLENDVOCA_NAMES
    # Facts known of the 32 shapes: full rank, and the condition number of the basis.
    singular = np.linalg.svd(source.select("blendvoca").rig.basis(), compute_uv=False)
    assert singular[0] / singular[-1] == pytest.approx(61.5, abs=0.1)
    with pytest.raises(TrackError, match="tongueOut"):
        source.select(("tongueOut",))


def test_ict_archive_and_original_files_agree(assets, tmp_path) -> None:
    whole = read_ict(assets / "ict_facekit" / "ict_facekit.npz")
    original = read_ict(assets / "ict_facekit" / "objs.zip")
    assert np.array_equal(whole.mesh.faces, original.mesh.faces)
    assert np.abs(whole.mesh.vertices - original.mesh.vertices).max() < 1e-6
    assert (whole.landmarks == original.landmarks).all()
    assert original.arkit_names() == ("jawOpen",)
    opened = original.expressions["jawOpen"]
    assert np.abs(whole.expressions["jawOpen"] - opened[: len(whole.expressions["jawOpen"])]).max() < 1e-6
    assert np.abs(whole.identities["identity000"] - original.identities["identity000"]).max() < 1e-6


def test_ict_gives_arkits_shapes_in_metres(assets) -> None:
    source = load_source("ict", assets=assets)
    assert set(BLENDVOCA_NAMES) <= set(source.rig.names)
    assert 0.1 < np.ptp(source.rig.neutral.vertices[:, 0]) < 0.2
    model = read_ict(assets / "ict_facekit" / "ict_facekit.npz")
    both = model.expressions["cheekPuff_L"] + model.expressions["cheekPuff_R"]
    assert np.abs(source.rig.delta("cheekPuff") - both[:6706]).max() == 0
    head = model.rig({"identity001": 1.0}, region="head")
    assert head.neutral.n_vertices == 11248
    assert model.rig(region="whole").neutral.n_vertices == 26719
    for wrong in ({"weights": {"identity999": 1.0}}, {"region": "nose"}):
        with pytest.raises(RigError):
            model.rig(**wrong)


def test_quads_are_split_and_triangles_kept() -> None:
    split = split_polygons(np.array([[0, 1, 2, 3], [4, 5, 6, -1]]))
    assert split.tolist() == [[0, 1, 2], [0, 2, 3], [4, 5, 6]]


def test_landmarks_must_fit_the_rig(small) -> None:
    with pytest.raises(LandmarkError):
        SourceRig(small, np.arange(67), "small")
    with pytest.raises(LandmarkError):
        SourceRig(small, np.arange(2, 70), "small")


def test_synthetic_source() -> None:
    source = load_source("synthetic")
    assert set(BLENDVOCA_NAMES) <= set(source.rig.names)
    assert check_landmarks(source.rig.neutral, source.landmarks).ok


def test_rig_file_is_a_source(tmp_path, small) -> None:
    write_rig(tmp_path / "rig.h5", small, landmarks=np.arange(68))
    source = load_source(tmp_path / "rig.h5")
    assert source.rig.names == small.names
    assert np.abs(source.rig.deltas - small.deltas).max() < 1e-9
    write_rig(tmp_path / "rig.h5", small)
    with pytest.raises(MissingInputError, match="has no landmarks"):
        load_source(tmp_path / "rig.h5")

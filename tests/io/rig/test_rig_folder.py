"""Rigs in folders and zips of OBJ files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from blendvoca.errors import FormatError, MeshError, MissingInputError
from blendvoca.internal.limits import Limit
from blendvoca.io.mesh.obj import write_obj
from blendvoca.io.rig import obj_folder
from blendvoca.io.rig.obj_folder import read_rig_folder
from blendvoca.mesh import Mesh

FACES = np.array([[0, 1, 2], [1, 3, 2]])
NEUTRAL = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32).astype(float)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A rig as a Mac leaves it: capitals, hidden companions, a subfolder."""
    root = tmp_path / "my rig"
    for number, name in enumerate(("Neutral.OBJ", "shapes/jawOpen.obj", "shapes/MouthSmile_L.obj")):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_obj(path, Mesh(NEUTRAL + number, FACES))
        (path.parent / f"._{path.name}").write_bytes(b"\0\5\26\7")
    return root


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_folder_and_zip_give_the_same(folder: Path, form: str) -> None:
    place = folder
    if form == "zip":
        place = folder.parent / "rig.zip"
        with zipfile.ZipFile(place, "w") as archive:
            for path in folder.rglob("*"):
                archive.write(path, path.relative_to(folder))
    rig = read_rig_folder(place)
    assert set(rig.names) == {"jawOpen", "mouthSmileLeft"}
    np.testing.assert_allclose(rig.delta("jawOpen"), 1, atol=1e-6)
    np.testing.assert_allclose(rig.delta("mouthSmileLeft"), 2, atol=1e-6)


def test_what_is_no_rig(folder: Path, tmp_path: Path) -> None:
    write_obj(folder / "jawLeft.obj", Mesh(NEUTRAL, FACES[:1]))
    with pytest.raises(MeshError, match=r"jawLeft\.obj"):
        read_rig_folder(folder)
    (folder / "jawLeft.obj").unlink()
    (folder / "Neutral.OBJ").unlink()
    with pytest.raises(MissingInputError, match="no neutral"):
        read_rig_folder(folder)
    with pytest.raises(MissingInputError, match="no blendshape rig"):
        read_rig_folder(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("neutral", "shape"),
    [
        ("_neutral", "jawOpen"),
        ("Head_neutral", "Head_jawOpen"),
        ("neutral_pose_v2", "JawOpen"),
        ("FaceNeutral", "Face.jaw_open"),
        ("00_Base", "01_jawOpen"),
        ("basis", "bs_jawOpen"),
        ("DEFAULT", "CTRL_expressions_jawOpen"),
        ("Rest Pose", "jawOpen"),
    ],
)
def test_the_neutral_goes_by_its_usual_names(tmp_path: Path, neutral: str, shape: str) -> None:
    write_obj(tmp_path / f"{neutral}.obj", Mesh(NEUTRAL, FACES))
    write_obj(tmp_path / f"{shape}.obj", Mesh(NEUTRAL + 1, FACES))
    rig = read_rig_folder(tmp_path)
    assert rig.names == ("jawOpen",)
    np.testing.assert_allclose(rig.neutral.vertices, NEUTRAL)


def test_the_neutral_may_be_named(tmp_path: Path) -> None:
    for number, name in enumerate(("anna", "jawOpen", "jawLeft")):
        write_obj(tmp_path / f"{name}.obj", Mesh(NEUTRAL + number, FACES))
    with pytest.raises(MissingInputError, match=r"no neutral.*--neutral FILE, found anna\.obj, jawLeft\.obj"):
        read_rig_folder(tmp_path)
    for name in ("anna", "anna.obj", "ANNA.OBJ"):
        assert set(read_rig_folder(tmp_path, name).names) == {"jawOpen", "jawLeft"}
    with pytest.raises(MissingInputError, match=r"did you mean 'anna\.obj'"):
        read_rig_folder(tmp_path, "ana.obj")
    write_obj(tmp_path / "base.obj", Mesh(NEUTRAL, FACES))
    write_obj(tmp_path / "neutral.obj", Mesh(NEUTRAL, FACES))
    with pytest.raises(MissingInputError, match=r"several neutrals.*base\.obj, neutral\.obj"):
        read_rig_folder(tmp_path)


def test_the_same_faces_in_another_order_are_the_same(tmp_path: Path) -> None:
    vertices = "".join(f"v {x} {y} {z}\n" for x, y, z in np.random.default_rng(1).uniform(size=(6, 3)))
    orders = {"neutral": "f 1 2 3 4\nf 1 4 5\nf 4 5 6\n", "jawOpen": "f 6 4 5\nf 3 4 1 2\nf 4 1 5\n",
              "jawLeft": "f 1 2 3 4\nf 1 4 5\nf 4 5 6\n"}  # fmt: skip
    for name, faces in orders.items():
        (tmp_path / f"{name}.obj").write_text(vertices + faces)
    notes: list[str] = []
    rig = read_rig_folder(tmp_path, on_report=notes.append)
    assert (rig.neutral.n_faces, rig.neutral.n_vertices) == (4, 6)
    assert len(notes) == 1
    assert "1 shapes have their faces in another order" in notes[0]
    # Another face is another mesh, whatever their number.
    (tmp_path / "jawLeft.obj").write_text(vertices + "f 1 2 3 4\nf 1 4 6\nf 4 5 6\n")
    with pytest.raises(MeshError, match="other faces than the neutral"):
        read_rig_folder(tmp_path)


def test_no_shape_of_two_folders_is_dropped(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "rig.zip", "w") as archive:
        for name in ("a/Neutral.obj", "a/shapes/jawOpen.obj", "b/shapes/jawOpen.obj"):
            write_obj(tmp_path / "one.obj", Mesh(NEUTRAL, FACES))
            archive.write(tmp_path / "one.obj", name)
    with pytest.raises(FormatError, match=r"two files for jawOpen.*a/shapes/jawOpen\.obj and b/shapes/jawOpen\.obj"):
        read_rig_folder(tmp_path / "rig.zip")


def test_a_zip_that_unpacks_to_too_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(obj_folder, "ARCHIVE_UNPACKED", Limit("the unpacked archive", 10_000_000, 20, 100_000, ""))
    with zipfile.ZipFile(tmp_path / "rig.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("Neutral", *(f"shape{n}" for n in range(60))):
            archive.writestr(f"{name}.obj", "v 0 0 0\n" * 1_000 + "f 1 2 3\n")
    with pytest.raises(FormatError, match="the unpacked archive is too large"):
        read_rig_folder(tmp_path / "rig.zip")

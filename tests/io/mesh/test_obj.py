"""OBJ: what files of the wild contain, trimesh as the other reader, real meshes, and files that are wrong."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import trimesh

from blendvoca.errors import BlendvocaError, FormatError, MeshError
from blendvoca.io.mesh.obj import decode_obj, decode_obj_polygons, read_obj, write_obj
from blendvoca.mesh import Mesh

SQUARE = b"v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"


@pytest.mark.parametrize(
    ("face", "expected"),
    [
        (b"f 1 2 3 4", [[0, 1, 2], [0, 2, 3]]),
        (b"f 1/1 2/2 3/3", [[0, 1, 2]]),
        (b"f 1//1 2//2 3//3", [[0, 1, 2]]),
        (b"f 1/9/1 2/9/2 3/9/3 4/9/4", [[0, 1, 2], [0, 2, 3]]),
        (b"f -4 -3 -2", [[0, 1, 2]]),
        (b"f -4/-4/-4 -3/-1/-1 -2//-3", [[0, 1, 2]]),
        (b"\tf   1\t2  3  # the first", [[0, 1, 2]]),
        (b"f 1 2 \\\n 3", [[0, 1, 2]]),
        (b"f 1 2 3\r", [[0, 1, 2]]),
    ],
)
def test_spellings_of_faces(face: bytes, expected: list[list[int]]) -> None:
    text = (
        b"# head\nmtllib a.mtl\no head\n"
        + SQUARE
        + b"vt 0 0\nvn 0 0 1\nusemtl skin\ns 1\ng lips\n"
        + face
        + b"\nl 1 2\n"
    )
    assert decode_obj(text).faces.tolist() == expected


def test_negative_indices_count_back_from_their_own_line() -> None:
    text = b"v 0 0 0\nv 1 0 0\nv 1 1 0\nf -3 -2 -1\nv 0 0 1\nv 1 0 1\nv 1 1 1\nf -3 -2 -1\nf 1 2 -1\n"
    assert decode_obj(text).faces.tolist() == [[0, 1, 2], [3, 4, 5], [0, 1, 5]]


def test_colours_and_weights_are_passed_over() -> None:
    coloured = SQUARE.replace(b" 0\n", b" 0 0.5 0.5 0.5\n")
    assert np.array_equal(decode_obj(coloured + b"f 1 2 3\n").vertices, decode_obj(SQUARE + b"f 1 2 3\n").vertices)


def test_polygons_as_they_stand(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_bytes(SQUARE + b"v 2 2 2\nf 1 2 3 4\nf 3 4 5\nf 1 2 3 4 5\n")
    polygons = decode_obj_polygons((tmp_path / "a.obj").read_bytes())
    assert [face.tolist() for face in polygons.polygons()] == [[0, 1, 2, 3], [2, 3, 4], [0, 1, 2, 3, 4]]
    assert polygons.triangulated().n_faces == 2 + 1 + 3


def test_write_and_read(tmp_path: Path) -> None:
    generator = np.random.default_rng(4)
    mesh = Mesh(generator.normal(size=(30, 3)).astype(np.float32), generator.integers(0, 30, (50, 3), dtype=np.int32))
    write_obj(tmp_path / "a.obj", mesh)
    back = read_obj(tmp_path / "a.obj")
    assert np.array_equal(back.vertices.astype(np.float32), mesh.vertices)
    assert np.array_equal(back.faces, mesh.faces)
    other = trimesh.load(tmp_path / "a.obj", process=False, maintain_order=True)
    assert np.allclose(other.vertices, mesh.vertices)


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        (b"", FormatError, "no vertices"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", FormatError, "no vertices"),
        (b"v 0 0\nv 1 0 0\nv 1 1 0\nv 1\n", FormatError, "differ"),
        (b"v 0 0\nv 1 1\nv 1 0\n", FormatError, "differ"),
        (b"v 0 0 zero\n", FormatError, "'zero'"),
        (b"v 0 0 nan\n", MeshError, "not finite"),
        (SQUARE + b"f 1 2\n", MeshError, "corners"),
        (SQUARE + b"f\n", MeshError, "corners"),
        (SQUARE + b"f 0 1 2\n", MeshError, "does not exist"),
        (SQUARE + b"f 1 2 5\n", MeshError, "does not exist"),
        (SQUARE + b"f -5 1 2\n", MeshError, "does not exist"),
        (SQUARE + b"f 1 2 99999999999999999999999\n", BlendvocaError, ""),
        (SQUARE + b"f 1 2 c\n", FormatError, "'c'"),
        (SQUARE + b"f 1 2 3.5\n", FormatError, ""),
    ],
)
def test_wrong_files_say_what_is_wrong(text: bytes, kind: type[BlendvocaError], says: str) -> None:
    with pytest.raises(kind) as caught:
        decode_obj(text, "wrong.obj")
    assert says in str(caught.value)
    assert "wrong.obj" in str(caught.value)


def test_arkit_reference_meshes(assets: Path) -> None:
    with zipfile.ZipFile(assets / "said" / "ARKit_reference_blendshapes.zip") as archive:
        meshes = [decode_obj(archive.read(name)) for name in archive.namelist() if name.endswith(".obj")]
    assert len(meshes) == 52
    assert {(mesh.n_vertices, mesh.n_faces) for mesh in meshes} == {(1220, 2304)}
    assert all(np.array_equal(mesh.faces, meshes[0].faces) for mesh in meshes)


def test_ict_polygons_are_those_of_its_archive(assets: Path) -> None:
    with zipfile.ZipFile(assets / "ict_facekit" / "objs.zip") as archive:
        polygons = decode_obj_polygons(archive.read("FaceXModel/generic_neutral_mesh.obj"))
    with np.load(assets / "ict_facekit" / "ict_facekit.npz") as truth:
        assert np.allclose(polygons.vertices, truth["neutral"], atol=1e-5)
        expected = [row[row >= 0] for row in truth["polygons"]]
    assert all(np.array_equal(a, b) for a, b in zip(polygons.polygons(), expected, strict=True))

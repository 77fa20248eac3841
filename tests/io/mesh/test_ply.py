"""PLY: every form against the same mesh, trimesh as the other reader, and files that are wrong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from blendvoca.errors import BlendvocaError, FormatError, MeshError, MissingInputError
from blendvoca.io.mesh.ply import decode_ply, decode_ply_polygons, read_ply
from blendvoca.io.mesh.ply_write import write_ply
from blendvoca.mesh import Mesh

QUAD = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0.5, 2, 0]], np.float32)


@pytest.fixture
def mesh() -> Mesh:
    generator = np.random.default_rng(3)
    return Mesh(generator.normal(size=(40, 3)).astype(np.float32), generator.integers(0, 40, (70, 3), dtype=np.int32))


def header(form: str, vertices: str, faces: str, extra: str = "") -> bytes:
    return f"ply\nformat {form} 1.0\ncomment made by hand\n{vertices}{faces}{extra}end_header\n".encode()


XYZ = "element vertex 5\nproperty float x\nproperty float y\nproperty float z\n"


@pytest.mark.parametrize("binary", [True, False])
def test_written_meshes_come_back_to_the_last_bit(tmp_path: Path, mesh: Mesh, binary: bool) -> None:
    write_ply(tmp_path / "a.ply", mesh, binary)
    back = read_ply(tmp_path / "a.ply")
    assert np.array_equal(back.vertices, mesh.vertices)
    assert np.array_equal(back.faces, mesh.faces)


@pytest.mark.parametrize("binary", [True, False])
def test_trimesh_reads_the_same(tmp_path: Path, mesh: Mesh, binary: bool) -> None:
    write_ply(tmp_path / "a.ply", mesh, binary)
    other = trimesh.load(tmp_path / "a.ply", process=False)
    assert np.allclose(other.vertices, mesh.vertices, atol=0, rtol=1e-7)
    assert np.array_equal(other.faces, mesh.faces)


@pytest.mark.parametrize("encoding", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_what_trimesh_writes_is_read(mesh: Mesh, encoding: str) -> None:
    if encoding == "binary_big_endian":
        order = ">"
        faces = np.empty(70, np.dtype([("n", "u1"), ("c", ">i4", (3,))]))
        faces["n"], faces["c"] = 3, mesh.faces
        head = XYZ.replace("5", "40") + "element face 70\nproperty list uchar int vertex_index\n"
        data = header(encoding, head, "") + mesh.vertices.astype(order + "f4").tobytes() + faces.tobytes()
    else:
        form = "ascii" if encoding == "ascii" else "binary"
        data = trimesh.exchange.ply.export_ply(trimesh.Trimesh(mesh.vertices, mesh.faces, process=False), form)
    back = decode_ply(data)
    assert np.allclose(back.vertices, mesh.vertices, atol=1e-7)
    assert np.array_equal(back.faces, mesh.faces)


def test_polygons_of_mixed_size_and_extra_properties_in_text() -> None:
    vertices = XYZ.replace("property float y", "property uchar red\nproperty float y")
    faces = "element face 2\nproperty float quality\nproperty list uchar int vertex_index\nproperty int flags\n"
    body = "".join(f"{x:g} 200 {y:g} {z:g}\n" for x, y, z in QUAD) + "0.5 4 0 1 2 3 7\n0.25 3 3 2 4 9\n"
    edges = "element edge 1\nproperty int vertex1\nproperty int vertex2\n"
    data = header("ascii", vertices, faces, edges) + body.encode() + b"0 1\n"
    polygons = decode_ply_polygons(data)
    assert [face.tolist() for face in polygons.polygons()] == [[0, 1, 2, 3], [3, 2, 4]]
    back = decode_ply(data)
    assert np.array_equal(back.vertices, QUAD)
    assert back.faces.tolist() == [[0, 1, 2], [0, 2, 3], [3, 2, 4]]


@pytest.mark.parametrize("order", ["<", ">"])
def test_polygons_of_mixed_size_and_extra_properties_in_binary(order: str) -> None:
    form = "binary_little_endian" if order == "<" else "binary_big_endian"
    vertices = "element vertex 5\nproperty double x\nproperty uchar red\nproperty double y\nproperty double z\n"
    faces = "element face 2\nproperty list int uint vertex_indices\nproperty list uchar float texcoord\n"
    rows = np.zeros(5, np.dtype([("x", order + "f8"), ("r", "u1"), ("y", order + "f8"), ("z", order + "f8")]))
    rows["x"], rows["y"], rows["z"] = QUAD.T
    body = rows.tobytes()
    for corners, texture in (([0, 1, 2, 3], [0.5, 0.25]), ([3, 2, 4], [])):
        body += np.array([len(corners)], order + "i4").tobytes() + np.array(corners, order + "u4").tobytes()
        body += bytes([len(texture)]) + np.array(texture, order + "f4").tobytes()
    back = decode_ply(header(form, vertices, faces) + body)
    assert np.array_equal(back.vertices, QUAD)
    assert back.faces.tolist() == [[0, 1, 2], [0, 2, 3], [3, 2, 4]]


def test_line_ends_of_windows_and_a_last_line_without_one() -> None:
    data = header("ascii", XYZ, "element face 1\nproperty list uchar int vertex_indices\n")
    data += "".join("{:g} {:g} {:g}\n".format(*row) for row in QUAD).encode() + b"3 0 1 2"
    assert decode_ply(data.replace(b"\n", b"\r\n")).faces.tolist() == [[0, 1, 2]]


def test_text_has_the_precision_its_header_declares() -> None:
    body = "0.1 0 0\n" * 5
    single = decode_ply(header("ascii", XYZ, "") + body.encode())
    double = decode_ply(header("ascii", XYZ.replace("float", "double"), "") + body.encode())
    assert single.vertices[0, 0] == np.float32(0.1)
    assert double.vertices[0, 0] == 0.1


FACES = "element face 1\nproperty list uchar int vertex_indices\n"
BODY = "".join("{:g} {:g} {:g}\n".format(*row) for row in QUAD)


@pytest.mark.parametrize(
    ("data", "kind", "says"),
    [
        (b"", FormatError, "not a PLY"),
        (b"solid cube\n", FormatError, "not a PLY"),
        (b"ply\nformat ascii 1.0\n", FormatError, "does not end"),
        (b"ply\nelement vertex 1\nproperty float x\nend_header\n1\n", FormatError, "no format"),
        (header("ascii", XYZ.replace("5", "1000000000"), ""), FormatError, "shorter"),
        (header("binary_little_endian", XYZ.replace("5", "1000000000"), ""), FormatError, "shorter"),
        (header("ascii", XYZ, FACES.replace("1\n", "99999999999999999\n", 1)) + BODY.encode(), FormatError, "shorter"),
        (header("ascii", XYZ, FACES) + BODY.encode() + b"3 0 1 x\n", FormatError, "'x'"),
        (header("ascii", XYZ, FACES) + BODY.encode() + b"3 0 1\n", FormatError, "count"),
        (header("ascii", XYZ, FACES.replace("int", "float")) + BODY.encode() + b"nan 0 1\n", FormatError, "count"),
        (header("ascii", XYZ, FACES.replace("int", "float")) + BODY.encode() + b"3 0 1 1.5\n", FormatError, "whole"),
        (header("ascii", XYZ, FACES) + BODY.encode() + b"3 0 1 9\n", MeshError, "does not exist"),
        (header("ascii", XYZ, FACES) + BODY.encode() + b"3 0 1 -1\n", MeshError, "does not exist"),
        (header("ascii", XYZ, FACES) + BODY.encode() + b"2 0 1\n", MeshError, "corners"),
        (header("ascii", XYZ, FACES) + BODY.replace("0.5", "nan").encode() + b"3 0 1 2\n", MeshError, "not finite"),
        (header("ascii", XYZ, FACES) + BODY.replace("0.5", "inf").encode() + b"3 0 1 2\n", MeshError, "not finite"),
        (header("ascii", XYZ.replace(" y", " why"), "") + BODY.encode(), FormatError, "coordinates"),
        (
            header("ascii", XYZ, FACES.replace("vertex_indices", "loop")) + BODY.encode() + b"3 0 1 2\n",
            FormatError,
            "corner",
        ),
        (header("ascii", XYZ.replace("float x", "quaternion x"), ""), FormatError, "property"),
        (header("ascii", FACES, "") + b"3 0 1 2\n", FormatError, "no vertices"),
    ],
)
def test_wrong_files_say_what_is_wrong(data: bytes, kind: type[BlendvocaError], says: str) -> None:
    with pytest.raises(kind) as caught:
        decode_ply(data, "folder/wrong.ply")
    assert says in str(caught.value)
    assert "folder/wrong.ply" in str(caught.value)


@pytest.mark.parametrize("binary", [True, False])
def test_a_file_cut_anywhere_is_an_error(tmp_path: Path, mesh: Mesh, binary: bool) -> None:
    write_ply(tmp_path / "a.ply", mesh, binary)
    data = (tmp_path / "a.ply").read_bytes()
    # Cutting digits off the very last number, or the last newline, leaves a proper text file.
    for size in range(0, len(data) - (0 if binary else 3), 7):
        with pytest.raises(BlendvocaError):
            decode_ply(data[:size])


def test_a_missing_file_and_a_folder() -> None:
    with pytest.raises(MissingInputError, match="nowhere"):
        read_ply("nowhere.ply")
    with pytest.raises(MissingInputError):
        read_ply(Path(__file__).parent)


@pytest.mark.parametrize("binary", [True, False])
def test_triangle_strips_are_read_as_trimesh_reads_them(binary: bool) -> None:
    """As Stanford's scans have them: one list, parted by -1, with repeated corners."""
    strips = [[0, 1, 2, 3, 4], [4, 3, 3, 2, 1, 0], [1, 2]]
    line = [corner for strip in strips for corner in [*strip, -1]][:-1]
    extra = "element tristrips 1\nproperty list int int vertex_indices\n"
    start = header("binary_little_endian" if binary else "ascii", XYZ, extra)
    if binary:
        body = QUAD.astype("<f4").tobytes() + np.array([len(line), *line], "<i4").tobytes()
    else:
        rows = [*(" ".join(map(str, row)) for row in QUAD.tolist()), " ".join(map(str, [len(line), *line]))]
        body = ("\n".join(rows) + "\n").encode()
    expected = trimesh.util.triangle_strips_to_faces([np.array(strip) for strip in strips])
    expected = expected[[len(set(face)) == 3 for face in expected.tolist()]]
    ours = decode_ply(start + body).faces
    # The same triangles the same way round; where one starts does not matter.
    first = [np.take_along_axis(f, (f.argmin(axis=1)[:, None] + [0, 1, 2]) % 3, axis=1) for f in (ours, expected)]
    assert np.array_equal(*first)

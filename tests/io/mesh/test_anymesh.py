"""Meshes of any format: the same surface comes back, and what is no mesh is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from blendvoca.errors import FormatError, MeshError, MissingInputError
from blendvoca.io.mesh.anymesh import MESH_SUFFIXES, read_mesh, welded
from blendvoca.mesh import Mesh


def triangles(mesh: Mesh) -> list[list[float]]:
    """Corner coordinates of all triangles, in an order that does not depend on the numbering."""
    corners = mesh.vertices[mesh.faces].astype(np.float32)
    rolled = [np.roll(face, -int(np.lexsort(face.T)[0]), axis=0).ravel().tolist() for face in corners]
    return sorted(rolled)


@pytest.mark.parametrize("suffix", MESH_SUFFIXES)
def test_every_format_gives_the_same_surface(suffix: str, tmp_path: Path) -> None:
    ball = trimesh.creation.icosphere(subdivisions=2)
    path = tmp_path / f"ball{suffix}"
    if suffix == ".gltf":
        files = trimesh.exchange.gltf.export_gltf(trimesh.Scene(ball), embed_buffers=True)
        path.write_bytes(files["model.gltf"])
    else:
        ball.export(path, file_type="glb" if suffix == ".vrm" else suffix[1:])
    mesh = read_mesh(path)
    assert (mesh.n_vertices, mesh.n_faces) == (len(ball.vertices), len(ball.faces))
    expected = triangles(Mesh(ball.vertices, ball.faces))
    assert np.allclose(triangles(mesh), expected, atol=1e-6)


def test_vertices_at_one_place_become_one_in_order() -> None:
    soup = np.array([[5, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 2, 0], [0, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 9]])
    mesh = welded(Mesh(soup, np.arange(9).reshape(3, 3)))
    assert mesh.vertices.tolist() == [[5, 0, 0], [1, 0, 0], [0, 1, 0], [0, 2, 0], [0, 0, 9]]
    assert mesh.faces.tolist() == [[0, 1, 2], [1, 3, 2]]


def test_what_is_no_mesh(tmp_path: Path) -> None:
    for suffix in MESH_SUFFIXES:
        with pytest.raises(MissingInputError):
            read_mesh(tmp_path / f"nothing{suffix}")
        path = tmp_path / f"junk{suffix}"
        for junk in (b"", b"glTF\x02\0\0\0\xff\xff\xff\xff", b"{}", bytes(200)):
            path.write_bytes(junk)
            with pytest.raises((FormatError, MeshError), match="junk"):
                read_mesh(path)
    with pytest.raises(FormatError, match=r"\.fbx"):
        read_mesh("head.fbx")


def test_a_gltf_opens_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    for name, data in trimesh.exchange.gltf.export_gltf(trimesh.Scene(trimesh.creation.box())).items():
        (tmp_path / ("inside" if name.endswith("gltf") else ".") / name).write_bytes(data)
    text = (tmp_path / "inside" / "model.gltf").read_text()
    (tmp_path / "inside" / "model.gltf").write_text(text.replace('"uri":"', '"uri":"../'))
    with pytest.raises(FormatError, match="outside its folder"):
        read_mesh(tmp_path / "inside" / "model.gltf")

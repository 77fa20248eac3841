"""A head for files with materials: every triangle once, eyes with irises, a dark mouth that follows the lips."""

from __future__ import annotations

import numpy as np
import pytest
from gltf_validator import problems

from blendvoca.geometry.boundary import boundary_loops
from blendvoca.io.rig.gltf_read import read_gltf
from blendvoca.io.rig.gltf_write import write_glb
from blendvoca.mesh import Mesh
from blendvoca.synthetic.head import SyntheticHead
from blendvoca.view.materials import materials_of, mouth_opening


@pytest.fixture(scope="module")
def head() -> tuple[Mesh, np.ndarray]:
    return SyntheticHead().head()


def test_every_triangle_belongs_to_one_part(head):
    mesh, landmarks = head
    parts = {surface.name: surface for surface in materials_of(mesh, landmarks)}
    assert {"skin", "eyes", "iris", "pupil", "teeth", "mouth cavity"} <= parts.keys()
    own = np.concatenate([surface.faces for name, surface in parts.items() if name != "mouth cavity"])
    assert sorted(map(tuple, own.tolist())) == sorted(map(tuple, mesh.faces.tolist()))
    assert max(parts["mouth cavity"].colour) < 0.05 < min(parts["eyes"].colour)
    # Lips are painted on the skin: redder than a cheek.
    painted = parts["skin"].painted
    assert painted.shape == (mesh.n_vertices, 3)
    lip, brow, cheek = painted[landmarks[51]], painted[landmarks[19]], painted[landmarks[3]]
    assert lip[0] / lip[1] > 1.2 * cheek[0] / cheek[1]
    assert brow.sum() < 0.8 * cheek.sum()
    # Irises are in front of the eyes' middles, a pupil in each.
    for name in ("iris", "pupil"):
        places = mesh.vertices[np.unique(parts[name].faces)]
        white = mesh.vertices[np.unique(parts["eyes"].faces)]
        assert places[:, 2].min() > white[:, 2].mean()
        assert (places[:, 0] > 0).any()
        assert (places[:, 0] < 0).any()


@pytest.mark.parametrize("topology", ["head", "mask"])
def test_the_mouth_is_closed_across_its_own_opening(topology):
    source = SyntheticHead()
    rig, landmarks = source.rig(topology, ["jawOpen"]), source.landmarks(topology)
    loop = mouth_opening(rig.neutral, landmarks)
    assert len(loop)
    parts = materials_of(rig.neutral, landmarks)
    assert set(np.unique(parts[-1].faces)) == set(loop)
    closed = np.concatenate([rig.neutral.faces, parts[-1].faces])
    # The opening is gone, and no other: every edge of its loop has two triangles now, turned alike.
    assert len(boundary_loops(closed)) == len(boundary_loops(rig.neutral.faces)) - 1


def test_heads_without_landmarks_or_with_a_closed_mouth(head):
    mesh, landmarks = head
    names = {surface.name for surface in materials_of(mesh)}
    assert {"skin", "eyes", "iris"} <= names
    assert "mouth cavity" not in names
    filled = Mesh(mesh.vertices, np.concatenate([mesh.faces, materials_of(mesh, landmarks)[-1].faces]))
    assert not len(mouth_opening(filled, landmarks))


def test_it_comes_back_and_is_valid(tmp_path, head):
    mesh, landmarks = head
    rig = SyntheticHead().rig("head", ["jawOpen", "mouthPucker"])
    write_glb(tmp_path / "a.glb", rig, surfaces=materials_of(mesh, landmarks))
    again, _ = read_gltf(tmp_path / "a.glb")
    np.testing.assert_allclose(again.neutral.vertices, rig.neutral.vertices, atol=1e-8)
    np.testing.assert_allclose(again.deltas, rig.deltas, atol=1e-8)
    assert not problems(tmp_path / "a.glb")

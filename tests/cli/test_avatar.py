"""A character as artists hand it over: its head is found, gets its shapes, speaks, and the rest stays as it was."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from gltf_builders import SQUARE, Gltf
from gltf_validator import new_problems

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.cli import main
from blendvoca.export.rigs import load_rig
from blendvoca.io.mesh.anymesh import read_mesh
from blendvoca.io.mesh.head import read_head
from blendvoca.io.mesh.obj import write_obj
from blendvoca.io.rig.gltf_read import read_gltf_rig, read_gltf_track
from blendvoca.mesh import Mesh
from blendvoca.shard.rig_file import read_rig
from blendvoca.synthetic.head import SyntheticHead
from blendvoca.track import CoefficientTrack
from landmarks.files import read_landmarks, write_landmarks

SHAPES = "jawOpen,mouthClose,mouthSmileLeft,mouthSmileRight"
#: The armature that Blender writes of a character in centimetres with z up.
ARMATURE = {"scale": [0.01] * 3, "rotation": [-np.sqrt(0.5), 0, 0, np.sqrt(0.5)]}


def run(*words: object) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output


def fails(*words: object) -> str:
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 1, result.output
    return result.output


@pytest.fixture(scope="module")
def head() -> tuple[Mesh, np.ndarray]:
    return SyntheticHead().head()


@pytest.fixture
def avatar(tmp_path: Path, head: tuple[Mesh, np.ndarray]) -> Path:
    """A head under an armature, with texture coordinates, above a body and a hat."""
    made = Gltf()
    turned = head[0].vertices[:, [0, 2, 1]] * [100, -100, 100]
    primitive = made.primitive(turned, head[0].faces) | {"material": 0}
    primitive["attributes"]["TEXCOORD_0"] = made.accessor(np.zeros((head[0].n_vertices, 2)))
    made.document["materials"] = [{"name": "Skin"}]
    parts = [("Hat", SQUARE * 100 + [0, 0, 30]), ("Body", SQUARE * [700, 10, 1600] - [0, 0, 180])]
    nodes = [made.node(root=False, name=name, mesh=made.mesh(made.primitive(square))) for name, square in parts]
    nodes.append(made.node(root=False, name="Wolf3D_Head", mesh=made.mesh(primitive)))
    made.node(name="Armature", children=nodes, **ARMATURE)
    return made.write(tmp_path / "avatar.glb")


def test_the_head_gets_its_shapes_and_speaks(avatar, head):
    folder, mesh = avatar.parent, read_mesh(avatar)
    # Landmarks count the vertices of the whole file.
    first = int(np.abs(mesh.vertices - head[0].vertices[0]).max(axis=1).argmin())
    write_landmarks(folder / "marks.json", head[1] + first, mesh.n_vertices)
    words = ["--landmarks", folder / "marks.json", "--source", "synthetic", "--shapes", SHAPES]
    said = run("rig", avatar, *words, "--out", folder / "a.h5", "--glb", folder / "b.glb", "--obj", folder / "obj")
    assert "shapes were added to Wolf3D_Head; as it was: Body, Hat" in said
    assert not new_problems(folder / "b.glb", avatar)
    found, stored = read_gltf_rig(folder / "b.glb"), read_rig(folder / "a.h5").whole()
    assert found.parts == ("Wolf3D_Head",)
    np.testing.assert_allclose(found.rig.neutral.vertices, head[0].vertices, atol=1e-6)
    np.testing.assert_allclose(found.rig.deltas, stored.deltas[:, first : first + head[0].n_vertices], atol=1e-6)
    np.testing.assert_allclose(load_rig(folder / "obj").select(SHAPES.split(",")).deltas, stored.deltas, atol=1e-7)
    track = CoefficientTrack(np.random.default_rng(0).uniform(size=(40, 32)), BLENDVOCA_NAMES, 30)
    track.to_csv(folder / "talk.csv")
    said = run("export", folder / "talk.csv", "--fps-in", 30, "--to", "glb", "--rig", folder / "b.glb", "--out",
               folder / "c.glb")  # fmt: skip
    assert "28 of 32 shapes are not in the file" in said
    motion = read_gltf_track(folder / "c.glb").track
    assert motion.fps == 30
    np.testing.assert_allclose(motion.values, track.select(motion.names).values, atol=2e-5)
    assert not new_problems(folder / "c.glb", avatar)
    # The artist's own bytes lie where they lay.
    before, after = _binary(avatar), _binary(folder / "c.glb")
    assert after.startswith(before[: len(before) // 4 * 4 - 4])


def _binary(path: Path) -> bytes:
    data = path.read_bytes()
    return data[28 + struct.unpack_from("<I", data, 12)[0] :]


def test_landmarks_are_looked_for_on_the_head(avatar, head):
    found = read_head(avatar)
    assert found.part == "Wolf3D_Head"
    np.testing.assert_allclose(found.mesh.vertices[found.crop.kept], head[0].vertices, atol=1e-6)
    folder = avatar.parent
    said = run("landmarks", "transfer", avatar, "--source", "synthetic", "--out", folder / "marks.json")
    assert "the head is Wolf3D_Head" in said
    marks = read_landmarks(folder / "marks.json", found.mesh.n_vertices)
    places = found.mesh.vertices[marks]
    assert np.linalg.norm(places - head[0].vertices[head[1]], axis=1).mean() < 0.004
    assert "no part 'Head'" in fails("landmarks", "transfer", avatar, "--part", "Head", "--out", folder / "x.json")


@pytest.mark.parametrize(
    ("parts", "head"),
    [
        ({"Body": 9, "Head": 4}, "Head"),
        ({"Head_Eyes": 9, "CC_Base_Head": 4, "HeadWear": 20}, "CC_Base_Head"),
        ({"mesh_0": 9, "mesh_1": 4}, None),
        ({"FaceMesh": 4, "HairMesh": 9}, "FaceMesh"),
        ({"Head": 9}, None),
    ],
)
def test_which_part_is_the_head(tmp_path, parts, head):
    made = Gltf()
    for place, (name, count) in enumerate(parts.items()):
        points = np.random.default_rng(place).uniform(size=(count, 3))
        made.node(name=name, mesh=made.mesh(made.primitive(points, [[0, 1, 2]])))
    assert read_head(made.write(tmp_path / "a.glb")).part == head


def test_of_parts_with_shapes_the_one_with_most_of_arkit_s_is_the_head(tmp_path):
    made = Gltf()
    made.node(name="mesh_0", mesh=made.mesh(made.primitive(np.ones((9, 3)) * np.arange(9)[:, None])))
    made.face("mesh_1")
    assert read_head(made.write(tmp_path / "a.glb")).part == "mesh_1"


def test_options_that_do_not_go_together(tmp_path, avatar, head):
    write_obj(tmp_path / "head.obj", head[0])
    assert "--part chooses from a glTF file" in fails("rig", tmp_path / "head.obj", "--part", "Head", "--out", "x.h5")
    said = fails("rig", avatar, "--part", "Heat", "--out", tmp_path / "x.h5")
    assert "no part 'Heat' (did you mean 'Hat'?)" in said
    assert "--part chooses" in fails("render", tmp_path / "head.obj", "--part", "Head", "--out", tmp_path / "x.png")
    assert not list(tmp_path.glob("x.*"))

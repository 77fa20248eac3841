"""glTF scenes: every mesh where a viewer shows it, however the file holds its numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from gltf_builders import OPEN, SMILE, SQUARE, TRIANGLES, Gltf

from blendvoca.errors import FormatError, InputError
from blendvoca.io.gltf.scene import read_scene
from blendvoca.io.mesh.anymesh import read_mesh
from blendvoca.io.rig.gltf_read import read_gltf_rig, read_gltf_source

#: A quarter turn about x and a hundredth: an armature in centimetres with z up.
ARMATURE = {"scale": [0.01] * 3, "rotation": [-np.sqrt(0.5), 0, 0, np.sqrt(0.5)]}


def test_meshes_stand_where_their_nodes_put_them(tmp_path):
    made = Gltf()
    child = made.face(root=False)
    made.node(name="Armature", children=[child], **ARMATURE)
    found = read_gltf_rig(made.write(tmp_path / "a.glb")).rig
    turned = SQUARE[:, [0, 2, 1]] * [0.01, 0.01, -0.01]
    np.testing.assert_allclose(found.neutral.vertices, turned, atol=1e-9)
    np.testing.assert_allclose(found.delta("jawOpen"), OPEN[:, [0, 2, 1]] * [0.01, 0.01, -0.01], atol=1e-9)
    np.testing.assert_allclose(read_mesh(tmp_path / "a.glb").vertices, turned, atol=1e-9)


def test_matrices_and_mirrors(tmp_path):
    made = Gltf()
    # Column after column: mirrored in x, moved by (1, 2, 3).
    made.face(matrix=[-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 2, 3, 1])
    mesh = read_mesh(made.write(tmp_path / "a.glb"))
    np.testing.assert_allclose(mesh.vertices, SQUARE * [-1, 1, 1] + [1, 2, 3], atol=1e-6)
    corners = mesh.vertices[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    # Mirrored triangles would look away.
    assert (normals[:, 2] > 0).all()


def test_all_meshes_with_shapes_are_one_rig_with_parts(tmp_path):
    made = Gltf()
    for name, shift in (("EyeLeft", 0.0), ("Hat", 1.0), ("Head", 2.0)):
        if name == "Hat":
            made.node(name=name, mesh=made.mesh(made.primitive()), translation=[shift, 0, 0])
        else:
            made.face(name, translation=[shift, 0, 0])
    found = read_gltf_rig(made.write(tmp_path / "a.glb"))
    assert (found.parts, found.starts) == (("Head", "EyeLeft"), (0, 4, 8))
    np.testing.assert_allclose(found.rig.delta("jawOpen"), np.concatenate([OPEN, OPEN]), atol=1e-9)
    assert found.rig.names == ("jawOpen", "mouthSmileLeft")
    assert any("mouthSmile_L" in note for note in found.notes)
    head = read_gltf_rig(tmp_path / "a.glb", "Head").rig
    np.testing.assert_allclose(head.neutral.vertices, SQUARE + np.array([2, 0, 0]), atol=1e-6)
    with pytest.raises(InputError, match=r"no part 'head' \(did you mean 'Head'\?\); expected one of Head, EyeLeft"):
        read_gltf_rig(tmp_path / "a.glb", "head")
    assert read_scene(tmp_path / "a.glb").parts == ("Head", "Hat", "EyeLeft")
    assert read_mesh(tmp_path / "a.glb").n_vertices == 12


def test_a_head_in_two_materials_is_one_surface(tmp_path):
    made = Gltf()
    halves = [made.primitive(SQUARE[:3], [[0, 1, 2]], [OPEN[:3]]),
              made.primitive(SQUARE[[0, 2, 3]], [[0, 1, 2]], [OPEN[[0, 2, 3]]])]  # fmt: skip
    made.node(name="Face", mesh=made.mesh(*halves, names=("jawOpen",)))
    rig = read_gltf_rig(made.write(tmp_path / "a.glb")).rig
    np.testing.assert_array_equal(rig.neutral.vertices.astype(np.float32), SQUARE)
    np.testing.assert_array_equal(rig.neutral.faces, TRIANGLES)
    # Lips that touch stay apart: they lie at one place, but move differently.
    halves[1]["targets"] = [{"POSITION": made.accessor(SMILE[[0, 2, 3]])}]
    apart = read_gltf_rig(made.write(tmp_path / "b.glb")).rig
    # Corner 0 rests in neither half's shape but moves in one; corner 2 rises in the second only.
    assert apart.neutral.n_vertices == 6


def test_primitives_that_share_their_vertices_stay_one(tmp_path):
    made = Gltf()
    first = made.primitive(faces=TRIANGLES[:1], shapes=[OPEN])
    second = first | {"indices": made.accessor(TRIANGLES[1], "H"), "material": 1}
    made.node(name="Face", mesh=made.mesh(first, second, names=("jawOpen",)))
    rig = read_gltf_rig(made.write(tmp_path / "a.glb")).rig
    np.testing.assert_array_equal(rig.neutral.faces, TRIANGLES)
    assert rig.neutral.n_vertices == 4


@pytest.mark.parametrize(("kind", "limit"), [("b", 127), ("h", 32767), ("H", 65535), ("B", 255)])
@pytest.mark.parametrize("stride", [0, 16])
def test_quantised_positions(tmp_path, kind, limit, stride):
    made = Gltf()
    positions = np.round(SQUARE / 0.1 * limit)
    primitive = made.primitive(shapes=[OPEN])
    primitive["attributes"]["POSITION"] = made.accessor(positions, kind, stride, normalized=True)
    made.node(name="Face", mesh=made.mesh(primitive, names=("jawOpen",)), scale=[0.1] * 3)
    made.document["extensionsRequired"] = ["KHR_mesh_quantization"]
    rig = read_gltf_rig(made.write(tmp_path / "a.glb")).rig
    np.testing.assert_allclose(rig.neutral.vertices, SQUARE, atol=0.1 / limit)
    np.testing.assert_allclose(rig.delta("jawOpen"), 0.1 * OPEN, atol=1e-8)


def test_sparse_targets_that_rest_on_nothing(tmp_path):
    made = Gltf()
    primitive = made.primitive()
    primitive["targets"] = [{"POSITION": made.sparse(4, [1, 3], [[0, 1, 0], [2, 0, 0]])}, {}]
    made.node(name="Face", mesh=made.mesh(primitive, names=("jawOpen", "still")))
    rig = read_gltf_rig(made.write(tmp_path / "a.glb")).rig
    assert rig.delta("jawOpen").tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0], [2, 0, 0]]
    assert not rig.delta("still").any()


@pytest.mark.parametrize(("mode", "corners"), [(4, [0, 1, 2, 0, 2, 3]), (5, [1, 2, 0, 3]), (6, [0, 1, 2, 3])])
def test_lists_strips_and_fans(tmp_path, mode, corners):
    made = Gltf()
    made.node(mesh=made.mesh(made.primitive(faces=[corners], mode=mode)))
    faces = read_mesh(made.write(tmp_path / "a.glb")).faces
    rolled = sorted(np.roll(face, -int(face.argmin())).tolist() for face in faces)
    assert rolled == TRIANGLES.tolist()


def skinned(made: Gltf, joints: list[dict], weights: np.ndarray, bind: np.ndarray | None = None) -> int:
    """Append the square on a skeleton; its own node stands elsewhere, which must not matter."""
    primitive = made.primitive(shapes=[OPEN])
    primitive["attributes"]["JOINTS_0"] = made.accessor([[0, 1, 0, 0]] * 4, "B")
    primitive["attributes"]["WEIGHTS_0"] = made.accessor(weights)
    nodes = [made.node(**joint) for joint in joints]
    skin = {"joints": nodes}
    if bind is not None:
        # Column-major in the file.
        skin["inverseBindMatrices"] = made.accessor(bind.transpose(0, 2, 1).reshape(-1, 16))
    made.document["skins"] = [skin]
    return made.node(name="Body", mesh=made.mesh(primitive, names=("jawOpen",)), skin=0, translation=[9, 9, 9])


def test_skins_hold_the_mesh_where_their_joints_stand(tmp_path):
    made = Gltf()
    bind = np.stack([np.eye(4)] * 2)
    bind[:, 1, 3] = -1.5
    # Both joints stand where they were bound, in a skeleton of centimetres.
    joints = [{"translation": [0, 0.015, 0], "scale": [0.01] * 3}] * 2
    skinned(made, joints, np.tile([0.25, 0.75, 0, 0], (4, 1)), bind)
    rig = read_gltf_rig(made.write(tmp_path / "a.glb")).rig
    np.testing.assert_allclose(rig.neutral.vertices, 0.01 * SQUARE, atol=1e-8)
    np.testing.assert_allclose(rig.delta("jawOpen"), 0.01 * OPEN, atol=1e-8)


def test_a_vertex_between_two_joints_lies_between_them(tmp_path):
    made = Gltf()
    # The second joint is turned a quarter about z; weights that do not add up to one are made to.
    joints = [{}, {"rotation": [0, 0, np.sqrt(0.5), np.sqrt(0.5)]}]
    weights = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0.5, 0.5, 0, 0], [0.2, 0.2, 0, 0]])
    skinned(made, joints, weights)
    rig = read_gltf_rig(made.write(tmp_path / "a.glb")).rig
    turned = SQUARE[:, [1, 0, 2]] * [-1, 1, 1]
    middle = (SQUARE + turned) / 2
    expected = np.stack([SQUARE[0], turned[1], middle[2], middle[3]])
    np.testing.assert_allclose(rig.neutral.vertices, expected, atol=1e-7)
    moved = OPEN[:, [1, 0, 2]] * [-1, 1, 1]
    np.testing.assert_allclose(rig.delta("jawOpen")[:2], [OPEN[0], moved[1]], atol=1e-8)


@pytest.mark.parametrize("form", ["glb", "beside", "inside"])
def test_every_container(tmp_path, form):
    made = Gltf()
    made.face()
    path = made.write(tmp_path / ("a.vrm" if form == "glb" else "a.gltf"), form)
    np.testing.assert_allclose(read_gltf_rig(path).rig.neutral.vertices, SQUARE)
    np.testing.assert_allclose(read_mesh(path).vertices, SQUARE)


def test_vrm_0_avatars_are_turned_to_look_along_z(tmp_path):
    made = Gltf()
    made.face()
    made.document["extensions"] = {"VRM": {"specVersion": "0.0"}}
    found = read_gltf_rig(made.write(tmp_path / "a.vrm"))
    np.testing.assert_allclose(found.rig.neutral.vertices, SQUARE * [-1, 1, -1], atol=1e-8)
    assert any("VRM 0" in note for note in found.notes)
    made.document["extensions"] = {"VRMC_vrm": {"specVersion": "1.0"}}
    made.document["extensionsRequired"] = ["VRMC_materials_mtoon", "KHR_texture_transform"]
    np.testing.assert_allclose(read_gltf_rig(made.write(tmp_path / "b.vrm")).rig.neutral.vertices, SQUARE)


def test_unknown_required_extensions_are_refused_by_name(tmp_path):
    made = Gltf()
    made.face()
    made.document["extensionsRequired"] = ["ACME_teeth", "KHR_mesh_quantization"]
    with pytest.raises(FormatError, match=r"requires ACME_teeth, which is not read here.*Blender"):
        read_gltf_rig(made.write(tmp_path / "a.glb"))


def test_draco_meshes_are_decoded(tmp_path):
    draco = pytest.importorskip("DracoPy", reason="pip install 'blendvoca[gltf]'")
    made = Gltf()
    stream = draco.encode(SQUARE, TRIANGLES, quantization_bits=16, compression_level=1, preserve_order=True)
    primitive = made.primitive(shapes=[OPEN])
    # The accessors state counts and bounds only.
    for index in (primitive["attributes"]["POSITION"], primitive["indices"]):
        del made.document["accessors"][index]["bufferView"]
    primitive["extensions"] = {
        "KHR_draco_mesh_compression": {"bufferView": made.view(stream), "attributes": {"POSITION": 0}}
    }
    made.node(name="Face", mesh=made.mesh(primitive, names=("jawOpen",)))
    made.document["extensionsRequired"] = ["KHR_draco_mesh_compression"]
    rig = read_gltf_rig(made.write(tmp_path / "a.glb")).rig
    np.testing.assert_allclose(rig.neutral.vertices, SQUARE, atol=1e-5)
    np.testing.assert_array_equal(np.sort(rig.neutral.faces, axis=1), TRIANGLES)
    np.testing.assert_allclose(rig.delta("jawOpen"), OPEN)
    view = made.document["bufferViews"][-1]
    made.data[view["byteOffset"] : view["byteOffset"] + 20] = bytes(20)
    with pytest.raises(FormatError, match="damaged Draco mesh"):
        read_gltf_rig(made.write(tmp_path / "b.glb"))


def damaged(change: str) -> Gltf:
    """A face with one thing wrong in it."""
    made = Gltf()
    made.face()
    document = made.document
    first, target = document["accessors"][0], document["accessors"][2]
    huge = {"count": 3_000_000_000, "indices": {"bufferView": 0, "componentType": 5123}, "values": {"bufferView": 0}}
    parts = {"first": first, "target": target, "document": document, "huge": huge, "mesh": document["meshes"][0],
             "node": document["nodes"][0], "view": document["bufferViews"][0]}  # fmt: skip
    exec(change, parts)
    return made


@pytest.mark.parametrize(
    "change",
    [
        "first.update(count=7222222222)",
        "first.update(count=-1)",
        "first.update(count=4.0)",
        "first.update(count=True)",
        "first.update(byteOffset=4)",
        "first.update(componentType=9)",
        "first.update(type='MAT9')",
        "first.pop('bufferView'); first.update(count=3_000_000_000)",
        "first.update(bufferView=99)",
        "first.update(bufferView=-1)",
        "view.update(byteStride=0)",
        "view.update(byteStride=1)",
        "view.update(byteOffset=10**9)",
        "view.update(buffer=4)",
        "target.pop('bufferView'); target.update(count=3_000_000_000)",
        "target.update(count=3)",
        "target.update(sparse=huge)",
        "target.update(sparse={'count': 1})",
        "node.update(children=[0])",
        "node.update(matrix=[0.0] * 15)",
        "node.update(rotation=[0, 0, 0, 0])",
        "node.update(scale='big')",
        "node.update(mesh=3)",
        "mesh.update(primitives={})",
        "mesh.update(primitives=[{}])",
        "mesh.update(extras={'targetNames': ['a']})",
        "document.update(nodes={})",
        "document.update(scene=5)",
        "document.update(meshes=[])",
        "document['accessors'][1].update(componentType=5126)",
    ],
)
def test_what_is_broken_is_refused_before_memory_is_taken(tmp_path, change):
    path = damaged(change).write(tmp_path / "a.glb")
    with pytest.raises(FormatError) as caught:
        read_gltf_rig(path)
    assert "a.glb" in str(caught.value)


def test_cycles_and_joined_branches(tmp_path):
    for links in ({1: [2], 2: [1]}, {1: [2, 2]}, {1: [2], 3: [2]}):
        made = Gltf()
        made.face()
        for index in (1, 2, 3):
            made.node(root=index != 2, children=links.get(index, []))
        with pytest.raises(FormatError, match="reached twice"):
            read_gltf_rig(made.write(tmp_path / "a.glb"))


def test_many_shapes_of_nothing_are_refused(tmp_path):
    made = Gltf()
    primitive = made.primitive()
    # A vertex count that costs the file nothing, and shapes that cost it fifteen bytes each.
    made.document["accessors"] += [{"componentType": 5126, "count": 100_000, "type": "VEC3"}]
    empty = len(made.document["accessors"]) - 1
    primitive["attributes"]["POSITION"] = empty
    primitive["targets"] = [{"POSITION": empty}] * 3000
    made.node(mesh=made.mesh(primitive))
    with pytest.raises(FormatError, match="is too large"):
        read_gltf_rig(made.write(tmp_path / "a.glb"))


def test_many_instances_of_one_mesh_are_refused(tmp_path):
    made = Gltf()
    mesh = made.mesh(made.primitive(np.zeros((20_000, 3)), [[0, 1, 2]]))
    for _ in range(10_000):
        made.node(mesh=mesh)
    with pytest.raises(FormatError, match="is too large"):
        read_mesh(made.write(tmp_path / "a.glb"))


@pytest.mark.parametrize("text", ["[" * 100_000, '{"asset": NaN}', "\xff", "[]", '{"asset": {"version": "1.0"}}'])
def test_what_is_no_document(tmp_path, text):
    path = tmp_path / "a.gltf"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(FormatError):
        read_scene(path)


def test_names_that_are_missing_or_doubled(tmp_path):
    made = Gltf()
    made.node(mesh=made.mesh(made.primitive(shapes=[OPEN, SMILE, OPEN])))
    assert read_gltf_rig(made.write(tmp_path / "a.glb")).rig.names == ("target 0", "target 1", "target 2")
    made.document["meshes"][0]["extras"] = {"targetNames": ["jawOpen", "JawOpen", "JawOpen"]}
    assert read_gltf_rig(made.write(tmp_path / "b.glb")).rig.names == ("jawOpen", "JawOpen", "JawOpen (2)")
    # Two meshes that spell one shape differently move together.
    made.document["meshes"][0]["extras"] = {"targetNames": ["jaw_open", "a", "b"]}
    made.face("Teeth")
    assert read_gltf_rig(made.write(tmp_path / "c.glb")).rig.names == ("jawOpen", "mouthSmileLeft", "a", "b")


def test_names_on_the_primitive_as_unity_writes_them(tmp_path):
    made = Gltf()
    primitive = made.primitive(shapes=[OPEN]) | {"extras": {"targetNames": ["Fcl_MTH_A"]}}
    made.node(mesh=made.mesh(primitive))
    path = made.write(tmp_path / "a.vrm")
    assert read_gltf_rig(path).rig.names == ("Fcl_MTH_A",)
    assert json.loads(json.dumps(made.document["meshes"][0]))["primitives"]


def test_a_source_has_the_vertices_that_landmarks_name(tmp_path):
    made = Gltf()
    made.node(name="Hat", mesh=made.mesh(made.primitive()), translation=[0, 1, 0])
    # Torn at a seam: two vertices at one place.
    torn = np.concatenate([SQUARE, SQUARE[2:3]])
    shape = np.concatenate([OPEN, OPEN[2:3]])
    made.node(name="Head", mesh=made.mesh(made.primitive(torn, [[0, 1, 2], [0, 4, 3]], [shape]), names=("jawOpen",)))
    path = made.write(tmp_path / "a.glb")
    rig, mesh = read_gltf_source(path), read_mesh(path)
    np.testing.assert_array_equal(rig.neutral.vertices, mesh.vertices)
    np.testing.assert_array_equal(rig.neutral.faces, mesh.faces)
    np.testing.assert_allclose(rig.delta("jawOpen"), np.concatenate([OPEN, np.zeros((4, 3))]), atol=1e-9)
    made.document["meshes"].pop()
    made.document["nodes"].pop()
    made.document["scenes"][0]["nodes"].pop()
    with pytest.raises(FormatError, match="no mesh with morph targets"):
        read_gltf_source(made.write(tmp_path / "b.glb"))


def test_meshes_that_no_node_shows_are_read_as_they_are(tmp_path):
    made = Gltf()
    made.face()
    made.document.update(nodes=[], scenes=[{"nodes": []}])
    np.testing.assert_allclose(read_gltf_rig(made.write(tmp_path / "a.glb")).rig.neutral.vertices, SQUARE)

"""Into the artist's file: what is added is right, and everything else stays byte for byte."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gltf_builders import OPEN, SMILE, SQUARE, TRIANGLES, Gltf
from gltf_validator import new_problems

from blendvoca.errors import MeshError, OutputError, RigError
from blendvoca.io.gltf.scene import read_scene
from blendvoca.io.mesh.anymesh import read_mesh
from blendvoca.io.rig.gltf_into import NewShapes, write_into
from blendvoca.io.rig.gltf_read import read_gltf_rig, read_gltf_track
from blendvoca.track import CoefficientTrack

PNG = b"\x89PNG\r\n\x1a\n" + b"not really a picture"


def parsed(path: Path) -> tuple[dict[str, Any], bytes]:
    data = path.read_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def character(head: dict[str, Any] | None = None, **node: Any) -> Gltf:
    """A head with texture coordinates, a texture and a material, and a hat that is no part of the face."""
    made = Gltf()
    primitive = made.primitive(**(head or {})) | {"material": 0}
    primitive["attributes"]["TEXCOORD_0"] = made.accessor(SQUARE[:, :2])
    made.document["images"] = [{"bufferView": made.view(PNG), "mimeType": "image/png"}]
    made.document["textures"] = [{"source": 0}]
    made.document["materials"] = [{"name": "Skin", "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]
    made.node(name="Hat", mesh=made.mesh(made.primitive(SQUARE + np.array([0, 0.5, 0]))))
    made.node(name="Head", mesh=made.mesh(primitive, extras={"age": 30}), **node)
    return made


def shapes_for(path: Path, **names: np.ndarray) -> NewShapes:
    """Return shapes that move the vertices of ``Head`` by (4, 3) displacements of the scene."""
    scene, mesh = read_scene(path), read_mesh(path)
    deltas = np.zeros((len(names), mesh.n_vertices, 3))
    for piece in scene.pieces:
        if piece.part == "Head":
            places = [int(np.abs(mesh.vertices - vertex).max(axis=1).argmin()) for vertex in piece.vertices]
            deltas[:, places] = np.stack(list(names.values()))
    return NewShapes(tuple(names), deltas)


def written(tmp_path: Path, made: Gltf, form: str = "glb", **names: np.ndarray) -> tuple[Path, Path, list[str]]:
    """Write the file, add the shapes, and return both files and what was reported."""
    source, out, notes = made.write(tmp_path / ("a.glb" if form == "glb" else "a.gltf"), form), tmp_path / "out.glb", []
    write_into(out, source, shapes=shapes_for(source, **names), on_report=notes.append)
    return source, out, notes


def test_everything_but_the_head_s_shapes_stays(tmp_path):
    source, out, notes = written(tmp_path, character(), jawOpen=OPEN, mouthPucker=SMILE)
    before, after = parsed(source), parsed(out)
    head = after[0]["meshes"][1]
    assert head["extras"] == {"age": 30, "targetNames": ["jawOpen", "mouthPucker"]}
    assert head["weights"] == [0, 0]
    targets = head["primitives"][0].pop("targets")
    assert len(targets) == 2
    del head["extras"]["targetNames"], head["weights"]
    # Whatever was there is there, at the same place.
    length = before[0]["buffers"][0]["byteLength"]
    assert after[1][:length] == before[1][:length]
    for kind, entries in before[0].items():
        if kind == "buffers":
            continue
        assert after[0][kind][: len(entries)] == entries if isinstance(entries, list) else after[0][kind] == entries
        if kind not in ("accessors", "bufferViews"):
            assert after[0][kind] == entries
    assert notes == ["shapes were added to Head; as it was: Hat"]
    rig = read_gltf_rig(out).rig
    np.testing.assert_allclose(rig.delta("jawOpen"), OPEN, atol=1e-9)
    np.testing.assert_allclose(rig.delta("mouthPucker"), SMILE, atol=1e-9)
    assert not new_problems(out, source)


def test_displacements_go_back_through_the_node(tmp_path):
    node = {"scale": [0.01] * 3, "rotation": [-np.sqrt(0.5), 0, 0, np.sqrt(0.5)], "translation": [1, 2, 3]}
    _, out, _ = written(tmp_path, character(**node), jawOpen=OPEN)
    np.testing.assert_allclose(read_gltf_rig(out).rig.delta("jawOpen"), OPEN, atol=1e-8)
    # In the mesh's own space: a hundred times as long, z where the scene has y.
    accessor = parsed(out)[0]["meshes"][1]["primitives"][0]["targets"][0]["POSITION"]
    own = read_scene(out).accessors.read(accessor)
    np.testing.assert_allclose(own, 100 * OPEN[:, [0, 2, 1]] * [1, -1, 1], atol=1e-6)


def test_displacements_go_back_through_a_skin(tmp_path):
    made = character()
    head = made.document["meshes"][1]["primitives"][0]
    head["attributes"]["JOINTS_0"] = made.accessor([[0, 1, 0, 0]] * 4, "B")
    head["attributes"]["WEIGHTS_0"] = made.accessor([[1, 0, 0, 0], [0, 1, 0, 0], [0.5, 0.5, 0, 0], [0.9, 0.1, 0, 0]])
    joints = [made.node(scale=[0.01] * 3), made.node(rotation=[0, 0, np.sqrt(0.5), np.sqrt(0.5)], scale=[0.02] * 3)]
    made.document["skins"] = [{"joints": joints}]
    made.document["nodes"][1]["skin"] = 0
    source, out, _ = written(tmp_path, made, jawOpen=OPEN, jawLeft=SMILE)
    rig = read_gltf_rig(out).rig
    np.testing.assert_allclose(rig.delta("jawOpen"), OPEN, atol=1e-7)
    np.testing.assert_allclose(rig.delta("jawLeft"), SMILE, atol=1e-7)
    assert not new_problems(out, source)


def test_shapes_that_a_mesh_has_are_replaced_in_their_place(tmp_path):
    made = character({"shapes": [SMILE, OPEN]})
    head = made.document["meshes"][1]
    head["extras"]["targetNames"] = ["mouthSmile_L", "Blink"]
    head["primitives"][0]["attributes"]["NORMAL"] = made.accessor([[0, 0, 1]] * 4)
    for target in head["primitives"][0]["targets"]:
        target["NORMAL"] = made.accessor(np.zeros((4, 3)))
    # One key more than a linear animation of two shapes, with the tangents of a cubic one.
    made.animation(1, [0, 1], np.arange(12).reshape(2, 3, 2) / 12, "CUBICSPLINE", name="idle")
    source, out, notes = written(tmp_path, made, jawOpen=OPEN, mouthSmileLeft=2 * SMILE)
    found = read_gltf_rig(out).rig
    assert found.names == ("mouthSmileLeft", "Blink", "jawOpen")
    np.testing.assert_allclose(found.delta("mouthSmileLeft"), 2 * SMILE, atol=1e-8)
    np.testing.assert_allclose(found.delta("Blink"), OPEN, atol=1e-8)
    document = parsed(out)[0]
    assert document["meshes"][1]["extras"]["targetNames"] == ["mouthSmile_L", "Blink", "jawOpen"]
    assert all("NORMAL" in target for target in document["meshes"][1]["primitives"][0]["targets"])
    assert any("1 shapes were replaced" in note for note in notes)
    # The file's own animation has a weight for the new shape too.
    idle = read_gltf_track(out, "idle").track
    np.testing.assert_allclose(idle.values[[0, -1]], [[2 / 12, 3 / 12, 0], [8 / 12, 9 / 12, 0]], atol=1e-6)
    assert not new_problems(out, source)


def test_normals_of_new_shapes_turn_with_the_surface(tmp_path):
    made = character({"shapes": [SMILE]})
    head = made.document["meshes"][1]
    head["extras"]["targetNames"] = ["other"]
    head["primitives"][0]["targets"][0]["NORMAL"] = made.accessor(np.zeros((4, 3)))
    head["primitives"][0]["attributes"]["NORMAL"] = made.accessor([[0, 0, 1]] * 4)
    flat = SQUARE * [1, 1, 0]
    head["primitives"][0]["attributes"]["POSITION"] = made.accessor(flat)
    # The upper edge comes forward by its own length: the surface turns by 45 degrees.
    tilt = np.array([[0, 0, 0], [0, 0, 0], [0, 0, 0.1], [0, 0, 0.1]])
    _, out, _ = written(tmp_path, made, jawOpen=tilt)
    scene = read_scene(out)
    target = parsed(out)[0]["meshes"][1]["primitives"][0]["targets"][1]
    turned = scene.accessors.read(target["NORMAL"]) + np.array([0, 0, 1])
    np.testing.assert_allclose(turned, np.tile([0, -np.sqrt(0.5), np.sqrt(0.5)], (4, 1)), atol=1e-6)


def test_all_primitives_of_a_mesh_have_as_many_shapes(tmp_path):
    made = character()
    mesh = made.document["meshes"][1]
    # A second material of the same vertices, a rest that never moves, and a wire.
    mesh["primitives"].append(mesh["primitives"][0] | {"indices": made.accessor(TRIANGLES[0], "H")})
    mesh["primitives"].append(made.primitive(SQUARE - 1))
    mesh["primitives"].append(made.primitive(SQUARE[:2] + 4, [[0, 1]], mode=1))
    scale = shapes_for(made.write(tmp_path / "x.glb"), jawOpen=OPEN)
    assert scale.deltas.any()
    source = made.write(tmp_path / "a.glb")
    mesh_vertices = read_mesh(source).vertices
    deltas = np.zeros((1, len(mesh_vertices), 3))
    for vertex, delta in zip(SQUARE, OPEN):
        deltas[0, np.abs(mesh_vertices - vertex).max(axis=1).argmin()] = delta
    write_into(tmp_path / "out.glb", source, shapes=NewShapes(("jawOpen",), deltas), on_report=str)
    primitives = parsed(tmp_path / "out.glb")[0]["meshes"][1]["primitives"]
    assert [len(primitive["targets"]) for primitive in primitives] == [1, 1, 1, 1]
    assert primitives[0]["targets"] == primitives[1]["targets"]
    assert not new_problems(tmp_path / "out.glb", source)


def test_a_mesh_that_two_nodes_show_becomes_two(tmp_path):
    made = character()
    made.node(name="Twin", mesh=1, translation=[3, 0, 0])
    _, out, _ = written(tmp_path, made, jawOpen=OPEN)
    document = parsed(out)[0]
    nodes = {node["name"]: node["mesh"] for node in document["nodes"]}
    assert nodes["Twin"] == 1
    assert nodes["Head"] == 2
    assert "targets" not in document["meshes"][1]["primitives"][0]
    assert read_gltf_rig(out).parts == ("Head",)


def test_a_document_with_its_data_beside_it_becomes_one_file(tmp_path):
    made = character()
    made.document["images"].append({"uri": "skin.png"})
    made.document["images"].append({"uri": "lost.png"})
    made.document["textures"].append({"source": 1})
    (tmp_path / "skin.png").write_bytes(PNG)
    _, out, notes = written(tmp_path, made, "beside", jawOpen=OPEN)
    document, binary = parsed(out)
    assert "uri" not in document["buffers"][0]
    image = document["images"][1]
    view = document["bufferViews"][image["bufferView"]]
    assert binary[view["byteOffset"] :][: view["byteLength"]] == PNG
    assert document["images"][2] == {"uri": "lost.png"}
    assert any("lost.png is not there" in note for note in notes)
    np.testing.assert_allclose(read_gltf_rig(out).rig.delta("jawOpen"), OPEN, atol=1e-9)


def test_shapes_of_another_mesh_or_of_nothing(tmp_path):
    source = character().write(tmp_path / "a.glb")
    with pytest.raises(MeshError, match="expected 8 vertices, found 5"):
        write_into(tmp_path / "b.glb", source, shapes=NewShapes(("a",), np.ones((1, 5, 3))), on_report=str)
    with pytest.raises(MeshError, match="move no part"):
        write_into(tmp_path / "b.glb", source, shapes=NewShapes(("a",), np.zeros((1, 8, 3))), on_report=str)
    assert not (tmp_path / "b.glb").exists()
    content = source.read_bytes()
    with pytest.raises(OutputError, match="written over"):
        write_into(source, source, shapes=shapes_for(source, jawOpen=OPEN), on_report=str)
    assert source.read_bytes() == content


def test_only_the_chosen_parts(tmp_path):
    source = character().write(tmp_path / "a.glb")
    everything = NewShapes(("jawOpen",), np.ones((1, 8, 3)), ("Head",))
    write_into(tmp_path / "b.glb", source, shapes=everything, on_report=str)
    assert read_gltf_rig(tmp_path / "b.glb").parts == ("Head",)


TRACK = CoefficientTrack(
    np.random.default_rng(0).uniform(size=(50, 3)), ("mouthSmileLeft", "tongueOut", "jawOpen"), 29.97
)


def test_a_track_becomes_an_animation_of_every_mesh_that_has_its_shapes(tmp_path):
    made = Gltf()
    made.face("Head")
    made.face("Teeth")
    # The teeth know one shape only, under another name, and rest at a weight of their own.
    made.document["meshes"][1]["extras"] = {"targetNames": ["CTRL_expressions_jawOpen", "wobble"]}
    made.document["meshes"][1]["weights"] = [0.0, 0.25]
    made.animation(0, [0, 1], [[0, 0], [0, 0]], name="speech")
    source, notes = made.write(tmp_path / "a.glb"), []
    write_into(tmp_path / "b.glb", source, track=TRACK, on_report=notes.append)
    before, after = parsed(source), parsed(tmp_path / "b.glb")
    for kind in ("meshes", "nodes", "scenes", "asset"):
        assert after[0][kind] == before[0][kind]
    assert [animation["name"] for animation in after[0]["animations"]] == ["speech", "speech (2)"]
    assert any("1 of 3 shapes are not in the file and left out: tongueOut" in note for note in notes)
    found = read_gltf_track(tmp_path / "b.glb")
    assert (found.clip, found.track.fps) == ("speech (2)", 29.97)
    own = found.track.select(["mouthSmileLeft", "jawOpen"])
    np.testing.assert_allclose(own.values, TRACK.values[:, [0, 2]], atol=2e-5)
    np.testing.assert_allclose(found.track.select(["wobble"]).values, 0.25)
    assert not new_problems(tmp_path / "b.glb", source)
    track = CoefficientTrack(np.zeros((2, 1)), ("pucker",), 30)
    with pytest.raises(RigError, match=r"no mesh of this file has.*expected pucker, found CTRL_expressions_jawOpen"):
        write_into(tmp_path / "c.glb", source, track=track, on_report=str)

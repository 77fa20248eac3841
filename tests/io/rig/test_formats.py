"""Exporters proven by re-import: names, weights and geometry come back within the stated error."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from gltf_validator import problems, validator

from blendvoca.arkit import ARKIT_NAMES, BLENDVOCA_NAMES
from blendvoca.errors import FormatError, MeshError, MissingInputError, RigError, TrackError
from blendvoca.export.convert import KINDS, load_track, save
from blendvoca.io.rig.gltf_read import read_gltf
from blendvoca.io.rig.gltf_write import Surface, write_glb
from blendvoca.io.track.json_write import write_json
from blendvoca.io.track.livelink import POSE_COLUMNS, write_livelink
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack


@pytest.fixture
def rig() -> BlendshapeRig:
    """A wavy sheet whose shapes are sparse, dense and zero."""
    rng = np.random.default_rng(0)
    x, y = (axis.ravel() for axis in np.meshgrid(np.linspace(-0.1, 0.1, 9), np.linspace(-0.1, 0.1, 8)))
    index = np.arange(72).reshape(8, 9)
    corners = [index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]]
    a, b, c, d = (corner.ravel() for corner in corners)
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    mesh = Mesh(np.stack([x, y, 0.01 * np.sin(30 * x)], 1), faces)
    deltas = rng.normal(size=(32, 72, 3)) * 0.01
    deltas[::2, 10:] = 0
    deltas[4] = 0
    return BlendshapeRig(mesh, deltas, BLENDVOCA_NAMES)


@pytest.fixture
def track() -> CoefficientTrack:
    return CoefficientTrack(np.random.default_rng(1).uniform(size=(50, 30)), BLENDVOCA_NAMES[:30], 60)


def test_glb_comes_back(tmp_path, rig, track):
    write_glb(tmp_path / "face.glb", rig, track)
    again, motion = read_gltf(tmp_path / "face.glb")
    assert again.names == rig.names
    np.testing.assert_array_equal(again.neutral.faces, rig.neutral.faces)
    np.testing.assert_allclose(again.neutral.vertices, rig.neutral.vertices, atol=1e-8)
    np.testing.assert_allclose(again.deltas, rig.deltas, atol=1e-8)
    assert motion is not None
    assert motion.fps == 60
    # Key times are float32, and the even grid lies between them: a thousandth of a step of the steepest change.
    np.testing.assert_allclose(motion.select(track.names).values, track.values, atol=2e-5)
    assert not motion.values[:, 30:].any()


def test_glb_stores_resting_vertices_once(tmp_path, rig):
    write_glb(tmp_path / "sparse.glb", rig)
    content = (tmp_path / "sparse.glb").read_bytes()
    document = json.loads(content[20 : 20 + struct.unpack_from("<I", content, 12)[0]])
    sparse = [accessor["sparse"]["count"] for accessor in document["accessors"] if "sparse" in accessor]
    assert sparse == [10] * 2 + [1] + [10] * 13


def test_glb_is_valid(tmp_path, rig, track):
    if validator() is None:
        pytest.skip("no glTF validator: npm install gltf-validator, and point GLTF_VALIDATOR at the module's folder")
    write_glb(tmp_path / "face.glb", rig, track)
    assert problems(tmp_path / "face.glb") == []
    faces = rig.neutral.faces
    parts = [Surface("skin", faces[10:]), Surface("eyes", faces[:10], (1, 1, 1), 0.1), Surface("teeth", faces[:0])]
    write_glb(tmp_path / "parts.glb", rig, track, surfaces=parts)
    assert problems(tmp_path / "parts.glb") == []


def test_glb_of_parts_is_one_mesh(tmp_path, rig, track):
    faces = rig.neutral.faces
    parts = [Surface("skin", faces[10:]), Surface("eyes", faces[:10], (1, 1, 1), 0.1), Surface("teeth", faces[:0])]
    write_glb(tmp_path / "parts.glb", rig, track, surfaces=parts)
    again, _ = read_gltf(tmp_path / "parts.glb")
    np.testing.assert_allclose(again.neutral.vertices, rig.neutral.vertices, atol=1e-8)
    np.testing.assert_allclose(again.deltas, rig.deltas, atol=1e-8)
    np.testing.assert_array_equal(again.neutral.faces, np.concatenate([faces[10:], faces[:10]]))
    content = (tmp_path / "parts.glb").read_bytes()
    document = json.loads(content[20 : 20 + struct.unpack_from("<I", content, 12)[0]])
    assert [material["name"] for material in document["materials"]] == ["skin", "eyes"]
    assert document["materials"][1]["pbrMetallicRoughness"]["baseColorFactor"] == [1, 1, 1, 1]


def test_glb_needs_faces_and_known_shapes(tmp_path, rig, track):
    bare = Mesh(rig.neutral.vertices, rig.neutral.faces[:0])
    with pytest.raises(MeshError, match="without faces"):
        write_glb(tmp_path / "x.glb", BlendshapeRig(bare, rig.deltas, rig.names))
    with pytest.raises(RigError, match="lacks"):
        write_glb(tmp_path / "x.glb", rig.select(["jawOpen"]), track)
    assert list(tmp_path.iterdir()) == []


def test_broken_gltf_is_refused(tmp_path, rig, track):
    good = tmp_path / "good.glb"
    write_glb(good, rig, track)
    content = good.read_bytes()
    past_its_end = content.replace(b'"count":72', b'"count":99')
    grown = content.replace(b'"count":72,', b'"count":7222222222,')
    length = struct.unpack_from("<I", content, 12)[0] + len(grown) - len(content)
    huge = struct.pack("<III", 0x46546C67, 2, len(grown)) + struct.pack("<I", length) + grown[16:]
    for number, bad in enumerate([b"", b"glTF", content[:200], b"{}", b"[1]", past_its_end, huge]):
        path = tmp_path / f"bad{number}.glb"
        path.write_bytes(bad)
        with pytest.raises(FormatError):
            read_gltf(path)
    with pytest.raises(MissingInputError):
        read_gltf(tmp_path / "none.glb")


def test_livelink_has_the_app_s_columns(tmp_path, track, assets):
    write_livelink(tmp_path / "a.csv", track, start_seconds=3 * 3600 + 59.5)
    lines = (tmp_path / "a.csv").read_text().splitlines()
    capture = next((assets / "livelink").glob("*.csv"))
    assert lines[0] == capture.open().readline().strip()
    row = lines[31].split(",")
    assert row[:2] == ["03:01:00:00.000", "61"]
    values = dict(zip(lines[0].split(","), row))
    assert float(values["JawOpen"]) == pytest.approx(track.values[30, 3], abs=1e-10)
    assert all(float(values[name]) == 0 for name in (*POSE_COLUMNS, "TongueOut", "EyeBlinkLeft"))


def test_livelink_refuses_what_it_cannot_say(tmp_path, track):
    with pytest.raises(TrackError, match="whole frame rate"):
        write_livelink(tmp_path / "a.csv", CoefficientTrack(track.values, track.names, 29.97))
    with pytest.raises(TrackError, match="no ARKit blendshape"):
        write_livelink(tmp_path / "a.csv", CoefficientTrack(track.values[:, :1], ("MouthOpen2",), 30))


@pytest.mark.parametrize(("kind", "bound"), [("livelink", 1e-10), ("csv", 6e-8), ("json", 1e-9)])
def test_text_keeps_its_digits(tmp_path, kind, bound):
    values = np.random.default_rng(2).uniform(size=(200, 32))
    values[0, :4] = [0, 1, 1e-12, 1 - 1e-12]
    track = CoefficientTrack(values, BLENDVOCA_NAMES, 60)
    save(tmp_path / f"a{KINDS[kind]}", kind, track)
    again = load_track(tmp_path / f"a{KINDS[kind]}").select(track.names)
    assert np.abs(again.values - track.values).max() <= bound


def test_json_comes_back(tmp_path, track):
    write_json(tmp_path / "a.json", track)
    again = load_track(tmp_path / "a.json")
    assert (again.names, again.fps) == (track.names, track.fps)
    np.testing.assert_allclose(again.values, track.values, atol=1e-9)
    for bad in ("[]", '{"fps": 60, "frames": []}', '{"fps": 60, "frames": [{"blendShapes": {"a": "x"}}]}'):
        (tmp_path / "bad.json").write_text(bad)
        with pytest.raises(FormatError, match="not a coefficient JSON"):
            load_track(tmp_path / "bad.json")


def test_usd_comes_back(tmp_path, rig, track):
    pytest.importorskip("pxr")
    from pxr import Usd, UsdGeom, UsdSkel

    from blendvoca.io.rig.usd import write_usd

    write_usd(tmp_path / "face.usdc", rig, track)
    stage = Usd.Stage.Open(str(tmp_path / "face.usdc"))
    animation = UsdSkel.Animation(stage.GetPrimAtPath("/Face/Animation"))
    assert list(animation.GetBlendShapesAttr().Get()) == list(rig.names)
    weights = np.array([animation.GetBlendShapeWeightsAttr().Get(frame) for frame in range(len(track))])
    np.testing.assert_allclose(weights[:, rig.indices(track.names)], track.values, atol=1e-7)
    mesh = UsdGeom.Mesh(stage.GetPrimAtPath("/Face/Mesh"))
    np.testing.assert_allclose(mesh.GetPointsAttr().Get(), rig.neutral.vertices, atol=1e-8)
    delta = np.zeros((72, 3))
    shape = UsdSkel.BlendShape(stage.GetPrimAtPath("/Face/Mesh/jawLeft"))
    delta[list(shape.GetPointIndicesAttr().Get())] = shape.GetOffsetsAttr().Get()
    np.testing.assert_allclose(delta, rig.delta("jawLeft"), atol=1e-8)
    # USD's own reading of the skeleton must resolve the animation for the mesh.
    cache, root = UsdSkel.Cache(), UsdSkel.Root(stage.GetPrimAtPath("/Face"))
    cache.Populate(root, Usd.PrimDefaultPredicate)
    query = cache.GetAnimQuery(animation)
    np.testing.assert_allclose(query.ComputeBlendShapeWeights(7), weights[7])


def test_usd_passes_its_own_validators(tmp_path, rig, track):
    validation = pytest.importorskip("pxr.UsdValidation", reason="no usd-core, or one without validators")
    from pxr import Usd

    from blendvoca.io.rig.usd import write_usd

    write_usd(tmp_path / "face.usda", rig, track)
    validators = validation.ValidationRegistry().GetOrLoadAllValidators()
    stage = Usd.Stage.Open(str(tmp_path / "face.usda"))
    assert [error.GetMessage() for error in validation.ValidationContext(validators).Validate(stage)] == []
    # They can fail.
    stage.ClearMetadata("upAxis")
    assert validation.ValidationContext(validators).Validate(stage)


@pytest.mark.parametrize("suffix", [".usda", ".usdc"])
def test_usd_keeps_names_that_are_no_identifiers(tmp_path, rig, suffix):
    pytest.importorskip("pxr")
    from pxr import Usd, UsdSkel

    from blendvoca.io.rig.usd import write_usd

    odd = ("a b", "a.b", "a_b", "1a", "2a", "Überbiß", "日本", "/", "..", 'say "ah"', "a_b_2", "jaw|open")
    named = BlendshapeRig(rig.neutral, rig.deltas[: len(odd)], odd)
    track = CoefficientTrack(np.random.default_rng(0).uniform(size=(3, len(odd))), odd[::-1], 60)
    write_usd(tmp_path / f"face{suffix}", named, track)
    stage = Usd.Stage.Open(str(tmp_path / f"face{suffix}"))
    binding = UsdSkel.BindingAPI(stage.GetPrimAtPath("/Face/Mesh"))
    paths = binding.GetBlendShapeTargetsRel().GetTargets()
    assert len(set(paths)) == len(odd)
    assert all(path.name.isascii() and path.name.isidentifier() for path in paths)
    assert paths[2].name == "a_b"
    # USD binds weights to shapes by these tokens: here stand the rig's own names.
    assert tuple(binding.GetBlendShapesAttr().Get()) == odd
    animation = UsdSkel.Animation(stage.GetPrimAtPath("/Face/Animation"))
    weights = dict(zip(animation.GetBlendShapesAttr().Get(), animation.GetBlendShapeWeightsAttr().Get(1)))
    assert [weights[name] for name in odd] == pytest.approx(track.select(odd).values[1])
    for path, delta in zip(paths, named.deltas):
        shape = UsdSkel.BlendShape(stage.GetPrimAtPath(path))
        moved = np.zeros_like(delta)
        moved[list(shape.GetPointIndicesAttr().Get())] = shape.GetOffsetsAttr().Get()
        np.testing.assert_allclose(moved, delta, atol=1e-8)


def test_all_arkit_names_fit_livelink(tmp_path):
    track = CoefficientTrack(np.random.default_rng(0).uniform(size=(3, 52)), ARKIT_NAMES, 30)
    write_livelink(tmp_path / "a.csv", track)
    table = np.genfromtxt(tmp_path / "a.csv", delimiter=",", skip_header=1)[:, 2:54]
    np.testing.assert_allclose(table, track.values, atol=1e-10)

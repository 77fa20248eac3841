"""VRM: animations as the extension's specification and schema ask for them, avatars' own names, rigs with visemes."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from gltf_validator import problems
from scipy.spatial.transform import Rotation

from blendvoca.arkit import ARKIT_NAMES, BLENDVOCA_NAMES
from blendvoca.errors import RigError, TrackError
from blendvoca.export.recipes import load_recipe, to_recipe
from blendvoca.export.rigs import fitted_to, spoken_with
from blendvoca.export.vrm import GAZE_DEGREES, save_vrma
from blendvoca.internal.spelling import match_names
from blendvoca.io.rig.vrma import PRESETS, VrmMotion, quaternions, write_vrma
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack

#: VRM 1.0: https://github.com/vrm-c/vrm-specification, VRMC_vrm-1.0/humanoid.md, the bones marked as required.
REQUIRED_BONES = {
    "hips", "spine", "head", "leftUpperLeg", "leftLowerLeg", "leftFoot", "rightUpperLeg", "rightLowerLeg", "rightFoot",
    "leftUpperArm", "leftLowerArm", "leftHand", "rightUpperArm", "rightLowerArm", "rightHand",
}  # fmt: skip
VROID = ("Fcl_ALL_Neutral", "Fcl_ALL_Angry", "Fcl_ALL_Fun", "Fcl_ALL_Joy", "Fcl_ALL_Sorrow", "Fcl_ALL_Surprised",
         "Fcl_BRW_Angry", "Fcl_BRW_Joy", "Fcl_EYE_Angry", "Fcl_EYE_Close", "Fcl_EYE_Close_R", "Fcl_EYE_Close_L",
         "Fcl_EYE_Joy", "Fcl_MTH_Up", "Fcl_MTH_Angry", "Fcl_MTH_Neutral", "Fcl_MTH_Joy", "Fcl_MTH_A", "Fcl_MTH_I",
         "Fcl_MTH_U", "Fcl_MTH_E", "Fcl_MTH_O", "Fcl_HA_Hide")  # fmt: skip


@pytest.fixture
def speech() -> CoefficientTrack:
    return CoefficientTrack(np.random.default_rng(0).uniform(0, 0.6, (40, 32)), BLENDVOCA_NAMES, 30)


@pytest.fixture
def capture() -> CoefficientTrack:
    values = np.random.default_rng(1).uniform(0, 0.5, (40, 52))
    values[:, [ARKIT_NAMES.index(name) for name in ("eyeLookOutLeft", "eyeLookInRight")]] = 0.5
    values[:, [place for place, name in enumerate(ARKIT_NAMES) if name.startswith(("eyeLookIn", "eyeLookOut"))
               and name not in ("eyeLookOutLeft", "eyeLookInRight")]] = 0  # fmt: skip
    return CoefficientTrack(values, ARKIT_NAMES, 30)


def _read(path) -> tuple[dict, bytes]:
    """Read a GLB by its specification alone."""
    content = path.read_bytes()
    length = struct.unpack_from("<I", content, 12)[0]
    return json.loads(content[20 : 20 + length]), content[28 + length :]


def _keys(document: dict, binary: bytes, node: int, path: str) -> np.ndarray:
    """Return the keys of a node's property."""
    animation = document["animations"][0]
    (channel,) = [c for c in animation["channels"] if c["target"] == {"node": node, "path": path}]
    accessor = document["accessors"][animation["samplers"][channel["sampler"]]["output"]]
    start = document["bufferViews"][accessor["bufferView"]]["byteOffset"]
    width = {"VEC3": 3, "VEC4": 4}[accessor["type"]]
    return np.frombuffer(binary, "<f4", accessor["count"] * width, start).reshape(-1, width)


def test_animation_is_what_the_extension_asks_for(tmp_path, capture):
    head = np.random.default_rng(2).uniform(-0.3, 0.3, (40, 3))
    save_vrma(tmp_path / "talk.vrma", capture, head=head)
    assert problems(tmp_path / "talk.vrma") == []
    document, binary = _read(tmp_path / "talk.vrma")
    extension = document["extensions"]["VRMC_vrm_animation"]
    assert document["extensionsUsed"] == ["VRMC_vrm_animation"]
    assert extension["specVersion"] == "1.0"
    bones = extension["humanoid"]["humanBones"]
    assert bones.keys() >= REQUIRED_BONES
    assert not bones.keys() & {"leftEye", "rightEye"}
    expressions = extension["expressions"]
    assert set(expressions["preset"]) <= set(PRESETS)
    assert not set(expressions["custom"]) & {*PRESETS, "lookUp", "lookDown", "lookLeft", "lookRight"}
    assert {"aa", "ih", "ou", "ee", "oh", "blinkLeft", "blinkRight"} <= set(expressions["preset"])
    # The x of a node is its expression's weight.
    weights = to_recipe(capture, load_recipe("vrm"))
    for name, entry in expressions["preset"].items():
        keys = _keys(document, binary, entry["node"], "translation")
        np.testing.assert_allclose(keys[:, 0], weights.select([name]).values[:, 0], atol=1e-7)
        assert not keys[:, 1:].any()
    # What no preset has goes by its own name.
    for name in ("cheekPuff", "tongueOut", "jawForward", "mouthLeft"):
        keys = _keys(document, binary, expressions["custom"][name]["node"], "translation")
        np.testing.assert_allclose(keys[:, 0], capture.select([name]).values[:, 0], atol=1e-7)
    # The gaze turns about y and x, extrinsically z, x, y.
    gaze = Rotation.from_quat(_keys(document, binary, extension["lookAt"]["node"], "rotation"))
    yaw = gaze.as_euler("zxy")[:, 2]
    np.testing.assert_allclose(yaw, np.radians(GAZE_DEGREES) * 0.5, atol=1e-6)
    turned = Rotation.from_quat(_keys(document, binary, bones["head"]["node"], "rotation"))
    np.testing.assert_allclose(turned.as_euler("zxy")[:, ::-1][:, [0, 1, 2]], head, atol=1e-6)
    assert [channel["target"]["path"] for channel in document["animations"][0]["channels"]].count("scale") == 0


def test_bones_stand_in_the_t_pose(tmp_path, speech):
    save_vrma(tmp_path / "talk.vrma", speech)
    document, _ = _read(tmp_path / "talk.vrma")
    nodes, parents = document["nodes"], {}
    for place, node in enumerate(nodes):
        parents |= dict.fromkeys(node.get("children", ()), place)

    def world(place: int) -> np.ndarray:
        own = np.array(nodes[place]["translation"])
        return own if place not in parents else own + world(parents[place])

    bones = document["extensions"]["VRMC_vrm_animation"]["humanoid"]["humanBones"]
    at = {name: world(entry["node"]) for name, entry in bones.items()}
    assert at["head"][1] > at["neck"][1] > at["spine"][1] > at["hips"][1] > at["leftFoot"][1] > 0
    # Arms lie level, the left at +x: the face looks along +z.
    for side, sign in (("left", 1), ("right", -1)):
        arm = np.array([at[f"{side}{part}"] for part in ("UpperArm", "LowerArm", "Hand")])
        assert (np.diff(sign * arm[:, 0]) > 0).all()
        assert np.ptp(arm[:, 1:], axis=0).max() < 1e-9


def test_speech_without_brows_has_no_mood_and_no_gaze(tmp_path, speech):
    save_vrma(tmp_path / "talk.vrma", speech)
    extension = _read(tmp_path / "talk.vrma")[0]["extensions"]["VRMC_vrm_animation"]
    assert set(extension["expressions"]["preset"]) == {"aa", "ih", "ou", "ee", "oh"}
    assert "lookAt" not in extension


def test_avatars_with_arkit_expressions_get_those(tmp_path, capture):
    names = [name[0].upper() + name[1:] for name in ARKIT_NAMES]
    groups = [{"name": name, "presetName": "unknown"} for name in names] + [{"name": "A", "presetName": "a"}, 7]
    old = {"asset": {"version": "2.0"}, "extensions": {"VRM": {"blendShapeMaster": {"blendShapeGroups": groups}}}}
    new = {"asset": {"version": "2.0"}, "extensions": {"VRMC_vrm": {"expressions": {
        "preset": {"aa": {}}, "custom": {name: {} for name in ARKIT_NAMES}}}}}  # fmt: skip
    for document, spelt in ((old, names), (new, list(ARKIT_NAMES))):
        (tmp_path / "avatar.gltf").write_text(json.dumps(document))
        notes: list[str] = []
        save_vrma(tmp_path / "talk.vrma", capture, avatar=tmp_path / "avatar.gltf", on_report=notes.append)
        found, binary = _read(tmp_path / "talk.vrma")
        expressions = found["extensions"]["VRMC_vrm_animation"]["expressions"]
        assert list(expressions) == ["custom"]
        assert set(expressions["custom"]) == set(spelt)
        keys = _keys(found, binary, expressions["custom"][spelt[17]]["node"], "translation")
        np.testing.assert_allclose(keys[:, 0], capture.values[:, 17], atol=1e-7)
        assert "52 of ARKit's shapes" in notes[0]


def test_every_shape_as_a_custom_expression(tmp_path, speech):
    save_vrma(tmp_path / "talk.vrma", speech, kind="vrma-arkit")
    assert problems(tmp_path / "talk.vrma") == []
    expressions = _read(tmp_path / "talk.vrma")[0]["extensions"]["VRMC_vrm_animation"]["expressions"]
    assert list(expressions["custom"]) == list(BLENDVOCA_NAMES)


def test_what_a_vrm_animation_does_not_hold(tmp_path):
    with pytest.raises(TrackError, match="looks"):
        VrmMotion(CoefficientTrack(np.zeros((2, 1)), ("lookUp",), 30))
    with pytest.raises(TrackError, match="head has another length"):
        VrmMotion(CoefficientTrack(np.zeros((2, 1)), ("aa",), 30), head=np.zeros((3, 3)))
    write_vrma(tmp_path / "a.vrma", VrmMotion(CoefficientTrack(np.zeros((2, 1)), ("aa",), 30)))
    with pytest.raises(TrackError, match="no shape"):
        save_vrma(tmp_path / "b.vrma", CoefficientTrack(np.zeros((2, 1)), ("jawOpn",), 30))


def test_quaternions_are_those_of_the_angles():
    angles = np.random.default_rng(3).uniform(-1.2, 1.2, (50, 3))
    ours = quaternions(*angles.T)
    theirs = Rotation.from_euler("zxy", angles[:, [2, 1, 0]]).as_quat()
    np.testing.assert_allclose(ours * np.sign((ours * theirs).sum(1))[:, None], theirs, atol=1e-6)


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (VROID, {"aa": "Fcl_MTH_A", "ou": "Fcl_MTH_U", "blinkLeft": "Fcl_EYE_Close_L", "blink": "Fcl_EYE_Close",
                 "happy": "Fcl_ALL_Joy", "angry": "Fcl_ALL_Angry", "sad": "Fcl_ALL_Sorrow"}),
        (("A", "I", "U", "E", "O", "Blink_L", "Blink_R", "Joy"), {"aa": "A", "ee": "E", "blinkRight": "Blink_R",
                                                                  "happy": "Joy"}),
        (("aa", "ih", "blinkLeft"), {"aa": "aa", "ih": "ih", "blinkLeft": "blinkLeft"}),
        (("viseme_PP", "viseme_aa", "viseme_E", "viseme_I", "viseme_O", "viseme_U"),
         {"PP": "viseme_PP", "aa": "viseme_aa", "E": "viseme_E", "ih": "viseme_I", "oh": "viseme_O", "ou": "viseme_U"}),
        (("vrc.v_pp", "vrc.v_e", "vrc.v_ih"), {"PP": "vrc.v_pp", "E": "vrc.v_e", "ih": "vrc.v_ih"}),
    ],
)  # fmt: skip
def test_one_matcher_knows_the_names_of_visemes(keys, expected):
    assert match_names(list(expected), list(keys)) == {name: [key] for name, key in expected.items()}


def test_rigs_with_visemes_speak(speech):
    def rig(names: tuple[str, ...]) -> BlendshapeRig:
        mesh = Mesh(np.eye(3), np.array([[0, 1, 2]]))
        return BlendshapeRig(mesh, np.zeros((len(names), 3, 3)), names)

    notes: list[str] = []
    own = fitted_to(speech, rig(VROID), notes.append)
    weights = to_recipe(speech, load_recipe("vrm"))
    np.testing.assert_array_equal(own.select(["Fcl_MTH_A"]).values, weights.select(["aa"]).values)
    assert set(own.names) >= {"Fcl_MTH_A", "Fcl_MTH_I", "Fcl_MTH_U", "Fcl_MTH_E", "Fcl_MTH_O", "Fcl_EYE_Close_L"}
    assert "visemes (Fcl_MTH_A" in notes[0]
    readyplayer = tuple(f"viseme_{name}" for name in load_recipe("oculus").shapes)
    assert len(fitted_to(speech, rig(readyplayer)).names) >= 11
    # ARKit's own mouth is better than visemes, wherever there is one.
    assert spoken_with(speech, (*readyplayer, "JawOpen")) is speech
    with pytest.raises(RigError):
        fitted_to(speech, rig(("Key 1", "Key 2")))

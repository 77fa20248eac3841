"""Animations of glTF files: no key is lost, whatever its time and the curve through it."""

from __future__ import annotations

import numpy as np
import pytest
from gltf_builders import Gltf

from blendvoca.errors import FormatError, InputError, MissingInputError
from blendvoca.io.rig.gltf_read import read_gltf_track


def wave(count: int) -> np.ndarray:
    return np.random.default_rng(count).uniform(size=(count, 2))


@pytest.mark.parametrize("fps", [12, 15, 23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60, 100, 120, 37.5])
def test_even_keys_keep_their_rate(tmp_path, fps):
    made = Gltf()
    values = wave(90)
    made.animation(made.face(), np.arange(90) / fps, values)
    found = read_gltf_track(made.write(tmp_path / "a.glb"))
    assert found.track.fps == pytest.approx(fps, rel=2e-5)
    np.testing.assert_allclose(found.track.values, values, atol=1e-6)
    assert found.track.names == ("jawOpen", "mouthSmileLeft")
    assert found.notes == ()


def test_few_keys_are_sampled_often_enough(tmp_path):
    made = Gltf()
    made.animation(made.face(), [0, 0.5, 3], [[0, 0], [0.8, 0], [0, 1]])
    track = read_gltf_track(made.write(tmp_path / "a.glb")).track
    assert (track.fps, len(track)) == (60, 181)
    assert track.values[30, 0] == pytest.approx(0.8)
    # Linear between the keys.
    np.testing.assert_allclose(track.values[[15, 105], 0], [0.4, 0.4], atol=1e-6)
    np.testing.assert_allclose(track.values[105, 1], 0.5, atol=1e-6)


def test_keys_on_frames_of_film(tmp_path):
    made = Gltf()
    made.animation(made.face(), np.array([0, 5, 7, 31]) / 24, wave(4))
    track = read_gltf_track(made.write(tmp_path / "a.glb")).track
    assert (track.fps, len(track)) == (24, 32)


@pytest.mark.parametrize("times", [[0, 0.1013, 0.35271, 1.7], [0, 0.001, 0.5], [0.013, 0.6241, 0.62411, 2]])
def test_keys_at_uneven_times_keep_their_values(tmp_path, times):
    made = Gltf()
    values = wave(len(times))
    made.animation(made.face(), times, values)
    found = read_gltf_track(made.write(tmp_path / "a.glb"))
    for time, row in zip(times, values):
        frame = round((time - times[0]) * found.track.fps)
        others = [t for t in times if t > time and round((t - times[0]) * found.track.fps) == frame]
        if not others:
            np.testing.assert_allclose(found.track.values[frame], row, atol=1e-6)
    assert any("uneven" in note for note in found.notes)


def test_steps_hold_and_cubic_curves_bend(tmp_path):
    made = Gltf()
    made.animation(made.face(), [0, 1, 2], [[0, 0], [1, 0], [0, 0]], "STEP", name="steps")
    # In-tangent, value, out-tangent of each key: up with slope 2, at rest on top.
    cubic = np.zeros((3, 3, 2))
    cubic[0, 2, 0], cubic[1, 1, 0] = 2, 1
    made.animation(0, [0, 1, 2], cubic, "CUBICSPLINE", name="bends")
    path = made.write(tmp_path / "a.glb")
    steps = read_gltf_track(path, "steps").track
    assert steps.fps == 60
    assert steps.values[[0, 59, 60, 119, 120], 0].tolist() == [0, 0, 1, 1, 0]
    bends = read_gltf_track(path, "bends").track
    s = np.arange(61) / 60
    expected = (s**3 - 2 * s**2 + s) * 2 + (3 * s**2 - 2 * s**3)
    np.testing.assert_allclose(bends.values[:61, 0], expected.clip(0, 1), atol=1e-6)


def test_several_clips_are_listed_and_chosen(tmp_path):
    made = Gltf()
    node = made.face()
    made.animation(node, [0, 1], [[0, 0], [0, 0]], name="idle")
    made.animation(node, [0, 1], [[0, 0], [1, 0]], name="talk")
    made.document["animations"].append({"name": "walk", "samplers": [], "channels": []})
    path = made.write(tmp_path / "a.glb")
    found = read_gltf_track(path)
    assert (found.clip, found.clips) == ("idle", ("idle", "talk"))
    assert found.notes == ("2 animations: idle, talk; took idle (choose with --clip)",)
    assert read_gltf_track(path, "talk").track.values.max() == 1
    with pytest.raises(InputError, match=r"no animation 'Talk' \(did you mean 'talk'\?\); expected one of idle, talk"):
        read_gltf_track(path, "Talk")


def test_the_animation_of_any_mesh_is_found_and_joined(tmp_path):
    made = Gltf()
    made.face("EyeLeft")
    head = made.face("Head")
    values = wave(60)
    made.animation(head, np.arange(60) / 30, values)
    # The teeth follow, the eye is animated at rest.
    for node, weights in ((made.face("Teeth"), values), (0, np.zeros((60, 2)))):
        sampler = {"input": made.accessor(np.arange(60) / 30), "output": made.accessor(weights.ravel())}
        animation = made.document["animations"][0]
        animation["samplers"].append(sampler)
        target = {"node": node, "path": "weights"}
        animation["channels"].append({"sampler": len(animation["samplers"]) - 1, "target": target})
    found = read_gltf_track(made.write(tmp_path / "a.glb"))
    assert (found.track.fps, len(found.track), found.notes) == (30, 60, ())
    np.testing.assert_allclose(found.track.values, values, atol=1e-6)


def test_a_late_start_and_weights_out_of_range_are_noted(tmp_path):
    made = Gltf()
    made.animation(made.face(), [1, 2], [[0, 0], [1.5, -0.25]])
    found = read_gltf_track(made.write(tmp_path / "a.glb"))
    assert len(found.track) == 61
    assert "first key is at 1 s" in found.notes[0]
    assert "outside 0 to 1 (jawOpen = 1.5): clipped" in found.notes[1]


def test_pointers_to_weights(tmp_path):
    made = Gltf()
    made.animation(made.face(), [0, 1], [[0, 0], [1, 0]])
    target = made.document["animations"][0]["channels"][0]["target"]
    pointer = {"KHR_animation_pointer": {"pointer": f"/nodes/{target.pop('node')}/weights"}}
    target.update(path="pointer", extensions=pointer)
    assert read_gltf_track(made.write(tmp_path / "a.glb")).track.values.max() == 1


def test_what_is_no_animation(tmp_path):
    made = Gltf()
    node = made.face()
    path = made.write(tmp_path / "a.glb")
    with pytest.raises(MissingInputError, match="no animation of morph targets"):
        read_gltf_track(path)
    wrong = [
        ([0, 1], [[0, 0]], "LINEAR"),
        ([1, 0], [[0, 0], [0, 0]], "LINEAR"),
        ([0, float("nan")], [[0, 0], [0, 0]], "LINEAR"),
        ([0, 1], [[0, 0], [0, float("inf")]], "LINEAR"),
        ([0, 1], [[0, 0], [0, 0]], "CUBICSPLINE"),
        ([0, 1], [[0, 0], [0, 0]], "WOBBLY"),
        ([0, 0.01, 1e9], [[0, 0], [0, 0], [0, 0]], "LINEAR"),
        ([], [], "LINEAR"),
    ]
    for times, weights, kind in wrong:
        made.document["animations"] = []
        made.animation(node, times, np.array(weights, float).reshape(-1, 2), kind)
        with pytest.raises(FormatError, match="animations"):
            read_gltf_track(made.write(path))

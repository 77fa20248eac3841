"""The Blender add-on: reading and matching everywhere, the operator where Blender's Python module is installed."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

ADDON = Path(__file__).parents[2] / "docs" / "blender" / "blendvoca_track.py"


@pytest.fixture(scope="module")
def addon():
    spec = importlib.util.spec_from_file_location("blendvoca_track", ADDON)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_matching_is_the_toolkits_own(addon):
    """The add-on works alone, so it holds a copy: the same text, and nothing that the copy does not have."""
    from blendvoca.internal import spelling

    line = "# ---- the same in both files"
    ours, theirs = (Path(module.__file__).read_text().split(line)[1] for module in (spelling, addon))
    assert ours == theirs


@pytest.mark.parametrize(
    "spelling", ["eyeBlinkLeft", "EyeBlinkLeft", "eyeBlink_L", "eye_blink_left", "L_eyeBlink", "eyeblinkleft",
                 "EYE_BLINK_LEFT", "Eye Blink.L", "leftEyeBlink"]
)  # fmt: skip
def test_one_shape_in_many_spellings(addon, spelling):
    assert addon.match_keys(["eyeBlinkLeft"], ["eyeBlink_R", spelling]) == {"eyeBlinkLeft": [spelling]}
    assert addon.match_keys([spelling], ["eyeBlinkRight", "eyeBlinkLeft"]) == {spelling: ["eyeBlinkLeft"]}


def test_prefixes_suffixes_and_what_is_ambiguous(addon):
    def match(name, keys, **options):
        return addon.match_keys([name], keys, **options).get(name)

    assert match("jawOpen", ["Face.M_F00_jawOpen"]) == ["Face.M_F00_jawOpen"]
    assert match("jawOpen", ["a_jawOpen", "b_jawOpen"]) is None
    assert match("jawOpen", ["a_jawOpen", "b_jawOpen"], prefix="B_") == ["b_jawOpen"]
    assert match("jawOpen", ["jawOpenShape"]) is None
    assert match("jawOpen", ["jawOpenShape"], suffix="Shape") == ["jawOpenShape"]
    assert match("jawLeft", ["jawLeft", "jawRight"]) == ["jawLeft"]
    assert match("jawLeft", ["jawLeft", "jawRight"], mirror=True) == ["jawRight"]
    assert match("browInnerUp", ["browInnerUp_L", "browInnerUp_R"]) == ["browInnerUp_L", "browInnerUp_R"]
    assert match("mouthLeft", ["mouthSmileLeft"]) is None


def test_every_arkit_name_finds_itself_only(addon):
    from blendvoca.arkit import ARKIT_NAMES

    assert addon.match_keys(ARKIT_NAMES, ARKIT_NAMES) == {name: [name] for name in ARKIT_NAMES}
    capital = [name[0].upper() + name[1:] for name in ARKIT_NAMES]
    assert addon.match_keys(capital, ARKIT_NAMES) == {c: [n] for c, n in zip(capital, ARKIT_NAMES)}


def test_reads_what_this_project_writes(addon, tmp_path):
    from blendvoca.export.convert import save
    from blendvoca.track import CoefficientTrack

    values = np.random.default_rng(0).random((90, 3)).astype(np.float32)
    track = CoefficientTrack(values, ("jawOpen", "mouthSmileLeft", "mouthSmileRight"), 30.0)
    for kind, name in (("csv", "a.csv"), ("json", "a.json"), ("livelink", "b.csv")):
        save(tmp_path / name, kind, track)
        read = addon.read_track(tmp_path / name)
        chosen = [[row[read.names.index(spelt)] for spelt in read.names if spelt.lower() in
                   {n.lower() for n in track.names}] for row in read.rows]  # fmt: skip
        assert np.allclose(sorted(chosen[7]), sorted(values[7]), atol=1e-6)
        assert len(read.rows) == 90
        assert read.fps == 30.0
        assert not any("Yaw" in spelt or "Count" in spelt for spelt in read.names)


def _cases():
    """Files of every kind that the toolkit reads, so that the add-on reads them the same way."""
    import track_builders as build

    from blendvoca.arkit import ARKIT_NAMES, BLENDVOCA_NAMES

    values, wide = build.motion(90, 32), build.motion(150, 52)
    drop = build.codes(150, 30, form="{h:02d}:{m:02d}:{s:02d};{f:02d}.512")
    kept = [row for row in range(150) if row not in (20, 50, 51)]
    twice = sorted([*range(150), 7, 90])
    codes = build.codes(150, 60)
    return {
        "drop frame": build.capture(wide, drop),
        "15 fps": build.capture(wide, build.codes(150, 15)),
        "sixtieths": build.capture(wide, build.codes(300, 60, 29)[::2]),
        "milliseconds": build.capture(wide[:37], [f"9:41:{12 + n // 30}:{n * 100 // 3 % 1000:03d}" for n in range(37)]),
        "lost": build.capture(wide[kept], [codes[row] for row in kept]),
        "twice": build.capture(wide[twice], [codes[row] for row in twice]),
        "semicolons": build.table(BLENDVOCA_NAMES, values, separator=";", cell=lambda u: repr(u).replace(".", ",")),
        "tabs": build.table(BLENDVOCA_NAMES, values, separator="\t"),
        "quoted": build.table(BLENDVOCA_NAMES, values, quote=True),
        "index": build.table(BLENDVOCA_NAMES, values, {"": range(90)}),
        "frame": build.table(BLENDVOCA_NAMES, values, {"frame": range(90)}),
        "seconds": build.table(BLENDVOCA_NAMES, values, {"time": [f"{n / 60:.5f}" for n in range(90)]}),
        "seconds as codes": build.table(BLENDVOCA_NAMES, values, {"timecode": [repr(n / 30) for n in range(90)]}),
        "categories": build.categories(values, BLENDVOCA_NAMES, [33 * n for n in range(90)]),
        "matrix": json.dumps({"exportFps": 30, "facsNames": ARKIT_NAMES, "weightMat": wide.tolist()}).encode(),
    }


@pytest.mark.parametrize("case", _cases())
def test_reads_what_the_toolkit_reads(addon, tmp_path, case):
    from blendvoca.arkit import arkit_name
    from blendvoca.io.track.read import decode_track_file

    (tmp_path / "a").write_bytes(_cases()[case])
    read, track = addon.read_track(tmp_path / "a"), decode_track_file(_cases()[case]).track
    assert (read.fps or addon.DEFAULT_FPS) == pytest.approx(track.fps)
    assert [arkit_name(name) for name in read.names if arkit_name(name)] and len(read.rows) == len(track)
    rows = np.array(read.rows)[:, [i for i, name in enumerate(read.names) if arkit_name(name)]]
    names = [arkit_name(name) for name in read.names if arkit_name(name)]
    np.testing.assert_allclose(rows, track.select(names).values, atol=1e-9)


@pytest.mark.parametrize(
    "text", ["", "jawOpen\n", "1,2\n3,4\n", "jawOpen,mouthClose\n1\n", "jawOpen\nx\n", "{}", '{"frames": []}', "[1]",
             "jawOpen\nnan\n", '{"fps": 0, "frames": [{"blendShapes": {"jawOpen": 0}}]}']
)  # fmt: skip
def test_other_files_are_refused(addon, tmp_path, text):
    path = tmp_path / "x"
    path.write_text(text)
    with pytest.raises(addon.TrackError, match="x: expected"):
        addon.read_track(path)
    path.write_bytes(b"\xff\xfe\x00RIFF")
    with pytest.raises(addon.TrackError, match="expected text"):
        addon.read_track(path)


# ---- in Blender ----------------------------------------------------------------------------------


@pytest.fixture
def scene(addon):
    bpy = pytest.importorskip("bpy", reason="pip install bpy (Blender's Python module) to run the add-on itself")
    bpy.ops.wm.read_factory_settings(use_empty=True)
    addon.register()
    yield bpy
    addon.unregister()


def add_mesh(bpy, keys, name="Head"):
    data = bpy.data.meshes.new(name)
    data.from_pydata([(0, 0, 0), (1, 0, 0), (0, 1, 0)], [], [(0, 1, 2)])
    mesh = bpy.data.objects.new(name, data)
    bpy.context.scene.collection.objects.link(mesh)
    mesh.shape_key_add(name="Basis")
    for number, key in enumerate(keys):
        block = mesh.shape_key_add(name=key)
        block.value, block.data[0].co = 0.0, (0, 0, 1 + number)
    bpy.context.view_layer.objects.active = mesh
    mesh.select_set(True)
    return mesh


def write_json(path, fps=30.0, names=("jawOpen", "mouthSmileLeft"), frames=4):
    shapes = [{name: (frame + column) / 8 for column, name in enumerate(names)} for frame in range(frames)]
    path.write_text(json.dumps({"fps": fps, "frames": [{"blendShapes": shape} for shape in shapes]}))
    return str(path)


def at(bpy, mesh, key, frame):
    """Value of a shape key as Blender evaluates it, between frames too."""
    bpy.context.scene.frame_set(int(frame), subframe=frame - int(frame))
    return mesh.data.shape_keys.key_blocks[key].value


def test_operator_animates_and_moves_the_mesh(scene, tmp_path):
    mesh = add_mesh(scene, ["Jaw_Open", "bs.mouthSmile_L", "tongueOut"])
    assert scene.ops.blendvoca.import_track(filepath=write_json(tmp_path / "t.json"), start=10) == {"FINISHED"}
    settings = scene.context.scene
    assert (settings.render.fps, settings.frame_start, settings.frame_end) == (30, 10, 13)
    for frame in range(4):
        assert at(scene, mesh, "Jaw_Open", 10 + frame) == pytest.approx(frame / 8)
        assert at(scene, mesh, "bs.mouthSmile_L", 10 + frame) == pytest.approx((frame + 1) / 8)
    assert at(scene, mesh, "Jaw_Open", 11.5) == pytest.approx(1.5 / 8)  # linear in between
    assert at(scene, mesh, "tongueOut", 12) == 0
    scene.context.scene.frame_set(13)
    moved = mesh.evaluated_get(scene.context.evaluated_depsgraph_get()).to_mesh().vertices[0].co
    assert moved[2] == pytest.approx(3 / 8 * 1 + 4 / 8 * 2)


def test_other_rates_keep_time_and_a_second_import_replaces(scene, tmp_path):
    mesh = add_mesh(scene, ["jawOpen"])
    scene.context.scene.render.fps = 24
    path = write_json(tmp_path / "t.json", fps=60.0, names=("jawOpen",), frames=7)
    assert scene.ops.blendvoca.import_track(filepath=path, start=1, set_rate=False) == {"FINISHED"}
    assert scene.context.scene.render.fps == 24
    assert at(scene, mesh, "jawOpen", 1 + 5 * 24 / 60) == pytest.approx(5 / 8)
    assert scene.ops.blendvoca.import_track(filepath=path, start=1, set_rate=False, scale=0.5) == {"FINISHED"}
    assert at(scene, mesh, "jawOpen", 1 + 5 * 24 / 60) == pytest.approx(5 / 16)
    assert scene.ops.blendvoca.import_track(filepath=path, fps=29.97) == {"FINISHED"}
    settings = scene.context.scene.render
    assert settings.fps / settings.fps_base == pytest.approx(29.97)


def test_sound_strip_and_several_meshes(scene, tmp_path):
    from blendvoca.audio import Waveform
    from blendvoca.io.sound.wav import write_wav

    write_wav(tmp_path / "speech.wav", Waveform(np.sin(np.arange(16_000) / 20).astype(np.float32) / 2, 16_000))
    meshes = [add_mesh(scene, ["jawOpen"], name) for name in ("Head", "Teeth")]
    answer = scene.ops.blendvoca.import_track(
        filepath=write_json(tmp_path / "t.json"), sound=str(tmp_path / "speech.wav"), start=5
    )
    assert answer == {"FINISHED"}
    assert all(at(scene, mesh, "jawOpen", 8) == pytest.approx(3 / 8) for mesh in meshes)
    if not scene.app.build_options.audaspace:
        pytest.skip("this build of Blender has no sound; the rest of the test passed")
    editor = scene.context.scene.sequence_editor
    (strip,) = editor.strips if hasattr(editor, "strips") else editor.sequences
    assert strip.type == "SOUND" and strip.frame_final_start == 5


def test_operator_says_what_is_wrong(scene, tmp_path):
    path = write_json(tmp_path / "t.json")
    with pytest.raises(RuntimeError, match="Select a mesh with shape keys"):
        scene.ops.blendvoca.import_track(filepath=path)
    add_mesh(scene, ["somethingElse"])
    with pytest.raises(RuntimeError, match="No name of the track is a shape key"):
        scene.ops.blendvoca.import_track(filepath=path)
    with pytest.raises(RuntimeError, match="no such sound file"):
        scene.ops.blendvoca.import_track(filepath=path, sound=str(tmp_path / "no.wav"))
    (tmp_path / "bad.csv").write_text("nothing")
    with pytest.raises(RuntimeError, match="expected a coefficient CSV"):
        scene.ops.blendvoca.import_track(filepath=str(tmp_path / "bad.csv"))


def test_report_names_the_nearest(scene, addon, tmp_path):
    mesh = add_mesh(scene, ["jawOpen", "mouthSmilLeft"])
    track = addon.read_track(write_json(tmp_path / "t.json"))
    report = addon.animate(mesh, track, 30.0, 1, 30.0)
    assert report.missing == ["mouthSmileLeft"]
    assert list(report.lines())[1] == "Head: no shape key for mouthSmileLeft (nearest: mouthSmilLeft)"

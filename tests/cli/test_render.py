"""``blendvoca render`` as a careless user runs it: a clear line for everything that cannot be drawn, never a blank."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import shard_builders
from click.testing import CliRunner, Result

from blendvoca.cli import main
from blendvoca.errors import OutputError
from blendvoca.io.track.csv import write_track
from blendvoca.io.track.json_write import write_json
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.shard.rig_file import write_rig
from blendvoca.track import CoefficientTrack
from blendvoca.view import render as rendering
from blendvoca.view.sheet import line_height

image = pytest.importorskip("PIL.Image", reason="pip install 'blendvoca[view]' brings pillow")


@pytest.fixture(scope="module")
def shards(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("shards")
    shard_builders.dataset(folder)
    return folder


@pytest.fixture(scope="module")
def tracks(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tracks")
    (folder / "empty.csv").write_text("jawOpen,mouthClose\n")
    (folder / "nan.csv").write_text("jawOpen,mouthClose\n0.1,0.2\ninf,0.3\n")
    write_track(folder / "names.csv", CoefficientTrack(np.zeros((4, 2)), ("jawOpne", "tongueOut"), 60.0))
    write_json(folder / "slow.json", CoefficientTrack(np.full((4, 1), 0.5), ("jawOpen",), 30.0))
    return folder


def call(*words: object, backend: str = "software") -> Result:
    result = CliRunner().invoke(main, ["render", *map(str, words), "--backend", backend])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def colours(path: Path) -> int:
    with image.open(path) as picture:
        return len(picture.getcolors(1 << 24))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--track", "{tracks}/names.csv", "--out", "{out}.mp4"], "jawOpne (did you mean 'jawOpen'"),
        (["--track", "{tracks}/names.csv", "--out", "{out}.mp4"], "tongueOut"),
        (["--track", "{tracks}/empty.csv", "--out", "{out}.mp4"], "no frames"),
        (["--track", "{tracks}/nan.csv", "--out", "{out}.mp4"], "jawOpen = inf in line 3"),
        (["--track", "{tracks}/none.csv", "--out", "{out}.mp4"], "no such track"),
        (["--clip", "sentence1", "--out", "{out}.mp4"], "did you mean 'sentence01'"),
        (["--out", "{out}.gif"], "unknown kind of output; expected a name that ends in .png or .mp4"),
        (["--out", "{out}"], "unknown kind of output"),
        (["--out", "{out}.mp4"], "nothing that moves"),
        (["--frame", "3", "--out", "{out}.png"], "nothing that moves"),
        (["--clip", "sentence01", "--out", "{out}.png"], "with --frame"),
        (["--clip", "sentence01", "--frame", "2", "--out", "{out}.mp4"], "with --frame"),
        (["--clip", "sentence01", "--frame", "-1", "--out", "{out}.png"], "no such frame; expected 0 to 30"),
        (["--clip", "sentence01", "--heat", "--out", "{out}.mp4"], "--heat colours the sheet"),
        (["--clip", "sentence01", "--size", "33", "--out", "{out}.mp4"], "even number of pixels"),
        (["--speaker", "alice", "--out", "{out}.png"], "--speaker chooses from a folder"),
        (["--yaw", "nan", "--out", "{out}.png"], "blank"),
        (["--out", "{out}/a.png"], "cannot write here"),
    ],
)
def test_what_cannot_be_drawn_is_said(words, said, shards, tracks, tmp_path):
    (tmp_path / "out").write_text("a file where a folder is asked for")
    filled = [word.format(tracks=tracks, out=tmp_path / "out") for word in words]
    result = call(shards / "alice.h5", "--size", 32, *filled)
    assert result.exit_code == 1
    assert said in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("wrong", [["--size", "0"], ["--size", "99999"], ["--fps", "0"], ["--columns", "0"]])
def test_numbers_out_of_range_are_refused(wrong, shards, tmp_path):
    result = call(shards / "alice.h5", "--out", tmp_path / "a.png", *wrong)
    assert result.exit_code == 2
    assert "is not in the range" in result.output


def test_a_folder_of_shards(shards, tmp_path):
    out = tmp_path / "new" / "folder" / "sheet.png"
    words = [shards, "--size", 32, "--out", out]
    assert "expected --speaker with one of alice, bob, carol" in call(*words).output
    assert "did you mean 'alice'" in call(*words, "--speaker", "alise").output
    result = call(*words, "--speaker", "bob")
    assert result.exit_code == 0, result.output
    assert colours(out) > 50


def test_a_rig_without_faces(tmp_path):
    rig = shard_builders.rig(np.random.default_rng(0))
    bare = BlendshapeRig(Mesh(rig.neutral.vertices, np.zeros((0, 3), dtype=int)), rig.deltas, rig.names)
    write_rig(tmp_path / "rig.h5", bare, "open")
    assert "the mesh has no triangles" in call(tmp_path / "rig.h5", "--out", tmp_path / "a.png").output
    assert not (tmp_path / "a.png").exists()


def test_a_shard_without_its_mesh_says_how_to_get_it(tmp_path):
    shard = shard_builders.shard(tmp_path, licence_class="coefficients", audio=False)
    result = call(shard, "--clip", "sentence01", "--out", tmp_path / "a.mp4")
    assert result.exit_code == 1
    assert "blendvoca complete" in result.output


def test_tracks_of_other_lengths_and_rates_stand_side_by_side(shards, tracks, tmp_path):
    av = pytest.importorskip("av", reason="pip install 'blendvoca[view]' brings av")
    words = [shards / "alice.h5", "--clip", "sentence01", "--track", tracks / "slow.json", "--size", 32]
    frame = call(*words, "--frame", 2, "--out", tmp_path / "f.png")
    assert frame.exit_code == 0, frame.output
    assert "track 2: 30 frames a second shown at 60" in frame.output
    with image.open(tmp_path / "f.png") as picture:
        assert picture.size == (64, 32 + line_height(32))
    film = call(*words, "--fps", 24, "--video", tmp_path / "v.mp4")
    assert film.exit_code == 0, film.output
    with av.open(str(tmp_path / "v.mp4")) as container:
        shown = container.streams.video[0]
        assert (shown.average_rate, shown.width, shown.height, shown.frames) == (24, 64, 32 + line_height(32), 12)
        assert len(container.streams.audio) == 1


def test_a_video_without_sound_says_so(shards, tracks, tmp_path):
    av = pytest.importorskip("av", reason="pip install 'blendvoca[view]' brings av")
    result = call(shards / "bob.h5", "--track", tracks / "slow.json", "--size", 32, "--out", tmp_path / "v.mp4")
    assert result.exit_code == 0, result.output
    assert "no sound for this video: give it with --audio" in result.output
    with av.open(str(tmp_path / "v.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]


def test_without_opengl_software_draws_and_it_is_said(shards, tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OutputError("no OpenGL to be had", found="no devices")

    monkeypatch.setattr(rendering, "OpenGLBackend", refuse)
    words = [shards / "alice.h5", "--size", 32, "--out", tmp_path / "a.png"]
    result = call(*words, backend="auto")
    assert result.exit_code == 0, result.output
    assert "drawing in software, which is slower: no OpenGL to be had; found no devices" in result.output
    assert colours(tmp_path / "a.png") > 50
    asked = call(*words, backend="opengl")
    assert asked.exit_code == 1
    assert "found no devices" in asked.output


@pytest.mark.parametrize("setting", [{"__EGL_VENDOR_LIBRARY_DIRS": "/none"}, {"MESA_GL_VERSION_OVERRIDE": "2.1"}])
def test_a_machine_whose_opengl_fails_draws_all_the_same(setting, shards, tmp_path):
    """The loader finds no driver, or one that is too old (a machine without either takes the same way)."""
    code = "from blendvoca.cli import main; main()"
    words = ["render", str(shards / "alice.h5"), "--size", "32", "--out", str(tmp_path / "a.png")]
    run = subprocess.run([sys.executable, "-c", code, *words], env={**os.environ, **setting}, capture_output=True,
                         text=True, timeout=120, check=False)  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "Traceback" not in run.stderr
    assert colours(tmp_path / "a.png") > 50

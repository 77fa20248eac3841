"""Sheets and videos: every shape in its place, sound and pictures of one length, clear refusals."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import shard_builders
from click.testing import CliRunner
from view_builders import ball

from blendvoca.audio import Waveform
from blendvoca.cli import main
from blendvoca.errors import BlendvocaError, InputError
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack
from blendvoca.view.camera import Camera
from blendvoca.view.render import Renderer
from blendvoca.view.sheet import face_camera, heat_colours, shape_sheet, tile, write_png
from blendvoca.view.video import write_video

pytest.importorskip("PIL", reason="pip install 'blendvoca[view]' brings pillow")


@pytest.fixture
def rig() -> BlendshapeRig:
    mesh = ball(10)
    deltas = np.zeros((2, mesh.n_vertices, 3))
    deltas[0, mesh.vertices[:, 0] > 0.5, 0] = 0.4
    deltas[1, mesh.vertices[:, 1] > 0.5, 1] = 0.4
    return BlendshapeRig(mesh, deltas, ("jawLeft", "jawOpen"))


def test_a_sheet_shows_every_shape_once(rig):
    camera = Camera.framing(rig.neutral.vertices, margin=1.5)
    sheet = shape_sheet(rig, rig.names, camera, 48, 2, backend="software")
    assert sheet.shape == (2 * (48 + 18), 96, 3)
    cells = [sheet[18:66, :48], sheet[18:66, 48:], sheet[84:, :48]]
    differences = [np.abs(cells[a].astype(int) - cells[b]).mean() for a, b in ((0, 1), (0, 2), (1, 2))]
    assert min(differences) > 1
    with pytest.raises(InputError, match="names every picture"):
        tile([sheet], [], 1)


def test_a_head_without_landmarks_stays_in_view_with_every_shape(rig):
    camera = face_camera(rig.neutral, deltas=rig.deltas)
    for vertices in (rig.neutral.vertices, *(rig.neutral.vertices + rig.deltas)):
        clip = np.c_[vertices, np.ones(len(vertices))] @ camera.projection(1.0).T
        assert np.abs(clip[:, :2] / clip[:, 3:]).max() < 1


def test_heat_is_red_where_most_moves(rig):
    colours = heat_colours(np.linalg.norm(rig.delta("jawLeft"), axis=1))
    moved = rig.neutral.vertices[:, 0] > 0.5
    assert (colours[moved, 0] > 2 * colours[moved, 2]).all()
    assert np.ptp(colours[~moved], axis=1).max() < 0.05


def test_a_video_has_a_frame_a_track_frame_and_sound(tmp_path, rig):
    av = pytest.importorskip("av", reason="pip install 'blendvoca[view]' brings av")
    values = np.linspace(0, 1, 24)[:, None] * [1, 0]
    track = CoefficientTrack(values, rig.names, 30)
    short = CoefficientTrack(values[:6], rig.names, 30)
    sound = Waveform(np.sin(np.arange(17600) * 0.1).astype(np.float32) * 0.3, 22_000)
    camera = Camera.framing(rig.neutral.vertices, margin=1.5)
    write_video(tmp_path / "v.mp4", rig, [track, short], camera, sound, 64, "software")
    with av.open(str(tmp_path / "v.mp4")) as container:
        heard = container.streams.audio[0]
        assert float(heard.duration * heard.time_base) == pytest.approx(0.8, abs=0.05)
        frames = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
    assert len(frames) == 24
    assert frames[0].shape == (64, 128, 3)
    assert np.abs(frames[-1][:, :64] - frames[0][:, :64]).mean() > 2
    # The shorter track holds its last frame.
    assert np.abs(frames[-1][:, 64:] - frames[6][:, 64:]).mean() < 1
    with av.open(str(tmp_path / "v.mp4")) as container:
        kinds = [packet.stream.type for packet in container.demux() if packet.size]
    # A player need not read to the end of the pictures for the first sound.
    assert kinds.index("audio") < len(kinds) // 2
    assert (tmp_path / "v.mp4").read_bytes().find(b"moov") < (tmp_path / "v.mp4").read_bytes().find(b"mdat")
    with pytest.raises(InputError, match=r"ends in \.mp4"):
        write_video(tmp_path / "v.avi", rig, [track], camera)
    with pytest.raises(InputError, match=r"ends in \.png"):
        write_png(tmp_path / "p.jpg", frames[0].astype(np.uint8))
    with pytest.raises(InputError, match="one rate"):
        write_video(tmp_path / "w.mp4", rig, [track, CoefficientTrack(values, rig.names, 60)], camera)
    assert [path.name for path in tmp_path.iterdir()] == ["v.mp4"]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory of a process where Linux keeps it")
@pytest.mark.parametrize("backend", ["opengl", "software"])
def test_500_frames_of_video_keep_their_memory(tmp_path, rig, backend, monkeypatch):
    pytest.importorskip("av", reason="pip install 'blendvoca[view]' brings av")
    held: list[float] = []

    class Watched(Renderer):
        def draw(self, *arguments, **options):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            held.append(pages * os.sysconf("SC_PAGE_SIZE") / 1e6)
            return super().draw(*arguments, **options)

    try:
        Renderer(rig.neutral, (8, 8), backend)
    except BlendvocaError as error:
        pytest.skip(str(error))
    monkeypatch.setattr("blendvoca.view.video.Renderer", Watched)
    values = 0.5 + 0.5 * np.sin(np.arange(500)[:, None] / [9, 7])
    sound = Waveform(np.random.default_rng(0).normal(0, 0.1, 16_000 * 500 // 60).astype(np.float32), 16_000)
    camera = Camera.framing(rig.neutral.vertices, margin=1.5)
    write_video(tmp_path / "v.mp4", rig, [CoefficientTrack(values, rig.names, 60)], camera, sound, 128, backend)
    assert len(held) == 500
    # Encoders fill their own buffers in the first pictures. Keeping pictures would cost 24 MB a copy.
    assert max(held[50:]) - held[50] < 10


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory of a process where Linux keeps it")
def test_many_videos_give_opengl_its_memory_back(rig):
    try:
        Renderer(rig.neutral, (8, 8), "opengl")
    except BlendvocaError as error:
        pytest.skip(str(error))
    held = []
    for _ in range(30):
        with Renderer(rig.neutral, (512, 512), "opengl") as renderer:
            renderer.draw(rig.neutral.vertices)
        held.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6)
    # A context that stays costs 14 MB.
    assert held[-1] - held[5] < 60


def test_the_command_draws_sheets_and_frames(tmp_path):
    shard = shard_builders.shard(tmp_path)
    words = ["render", str(shard), "--backend", "software", "--size", "32"]
    frame = ["--out", str(tmp_path / "f.png"), "--clip", "sentence01", "--frame", "3"]
    for more in (["--out", str(tmp_path / "sheet.png")], frame):
        result = CliRunner().invoke(main, words + more)
        assert result.exit_code == 0, result.output
    assert {"sheet.png", "f.png"} <= {path.name for path in tmp_path.iterdir()}
    frame[-1] = "999"
    late = CliRunner().invoke(main, words + frame)
    assert late.exit_code == 1
    assert "no such frame" in late.output

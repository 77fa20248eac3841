"""``blendvoca render``: pictures and videos, without a display."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from blendvoca.rig import BlendshapeRig
    from blendvoca.track import CoefficientTrack
    from blendvoca.view.camera import Camera
    from blendvoca.view.render import Picture


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option("--out", required=True, type=click.Path(path_type=Path), help=".png, or .mp4 with --track or --clip.")
@click.option("--heat", is_flag=True, help="Colour the sheet by how far each shape moves the face.")
@click.option("--clip", metavar="SENTENCE", help="A clip of the shard SOURCE, with its sound.")
@click.option("--track", "tracks", multiple=True, metavar="TRACK", help="A track to show; several stand side by side.")
@click.option("--audio", type=click.Path(path_type=Path, exists=True), help="Sound of the video.")
@click.option("--frame", type=int, help="Draw this frame of the clip or track as a picture instead.")
@click.option("--yaw", default=0.0, show_default=True, help="Degrees around the head; positive shows its left side.")
@click.option("--framing", default="face", show_default=True, type=click.Choice(["face", "syncnet"]),
              help="syncnet: its crop of the front view, 224 pixels and 25 frames a second.")
@click.option("--size", default=None, type=int, help="Pixels of a picture's side. [default: sheet 200, else 512]")
@click.option("--columns", default=8, show_default=True, help="Pictures a row of the sheet.")
@click.option("--backend", default="auto", show_default=True, type=click.Choice(["auto", "opengl", "software"]))
def render(
    source: Path,
    out: Path,
    heat: bool,
    clip: str | None,
    tracks: tuple[str, ...],
    audio: Path | None,
    frame: int | None,
    yaw: float,
    framing: str,
    size: int | None,
    columns: int,
    backend: str,
) -> None:
    """Draw SOURCE, a shard, a rig file, a glTF file or a folder of OBJ files.

    Without a clip or a track: a sheet of all its blendshapes. With one: a video, or one frame of it.
    """
    from blendvoca.export.convert import load_rig, load_track
    from blendvoca.export.timing import resample
    from blendvoca.io.wav import read_audio
    from blendvoca.shard.reader import open_shard
    from blendvoca.view.sheet import shape_sheet, write_png
    from blendvoca.view.syncnet import EDGE, FPS
    from blendvoca.view.video import write_video

    rig = load_rig(source)
    camera = _camera(source, rig, framing, yaw)
    shown = [load_track(track) for track in tracks]
    waveform = read_audio(audio) if audio else None
    if clip is not None:
        spoken = open_shard(source).clip(clip)
        shown.insert(0, spoken.track)
        waveform = waveform or spoken.waveform
    if framing == "syncnet":
        shown, size = [resample(track, FPS) for track in shown], size or EDGE
    if not shown:
        write_png(out, shape_sheet(rig, rig.names, camera, size or 200, columns, heat, backend))
    elif frame is not None:
        write_png(out, _picture(rig, shown[0], frame, camera, size or 512, backend))
    else:
        if waveform is None:
            click.echo("no sound for this video: give it with --audio", err=True)
        write_video(out, rig, shown, camera, waveform, size or 512, backend)
    click.echo(str(out))


def _camera(source: Path, rig: BlendshapeRig, framing: str, yaw: float) -> Camera:
    """Return the camera that the options ask for.

    :raises InputError: for SyncNet's framing of a head without landmarks.
    """
    from blendvoca.errors import InputError
    from blendvoca.shard.rig_file import read_rig
    from blendvoca.view.sheet import face_camera
    from blendvoca.view.syncnet import syncnet_camera

    landmarks = read_rig(source).landmarks if source.suffix == ".h5" else None
    if framing == "face":
        return face_camera(rig.neutral, landmarks, yaw)
    if landmarks is None:
        what = "SyncNet's framing needs landmarks"
        raise InputError(what, expected="a shard or rig file that has them", found=source.name)
    return syncnet_camera(rig.neutral.vertices[landmarks])


def _picture(
    rig: BlendshapeRig, track: CoefficientTrack, frame: int, camera: Camera, size: int, backend: str
) -> Picture:
    """Draw one frame of a track.

    :raises InputError: if there is no such frame.
    """
    from blendvoca.errors import InputError
    from blendvoca.view.render import Renderer

    if not 0 <= frame < len(track):
        raise InputError("no such frame", expected=f"0 to {len(track) - 1}", found=frame)
    renderer = Renderer(rig.neutral, (size, size), backend)
    return renderer.draw(rig.select(track.names).pose(track.values[frame]), camera)

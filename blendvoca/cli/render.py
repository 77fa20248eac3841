"""``blendvoca render``: pictures and videos, without a display."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option("--out", required=True, type=click.Path(path_type=Path), help=".png, or .mp4 with --track or --clip.")
@click.option("--heat", is_flag=True, help="Colour the sheet by how far each shape moves the face.")
@click.option("--clip", metavar="SENTENCE", help="A clip of the shard SOURCE, with its sound.")
@click.option("--track", "tracks", multiple=True, metavar="TRACK", help="A track to show; several stand side by side.")
@click.option("--audio", type=click.Path(path_type=Path, exists=True), help="Sound of the video.")
@click.option("--frame", type=int, help="Draw this frame of the clip or track as a picture instead.")
@click.option("--yaw", default=0.0, show_default=True, help="Degrees around the head; positive shows its left side.")
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
    size: int | None,
    columns: int,
    backend: str,
) -> None:
    """Draw SOURCE, a shard, a rig file, a glTF file or a folder of OBJ files.

    Without a clip or a track: a sheet of all its blendshapes. With one: a video, or one frame of it.
    """
    from blendvoca.errors import InputError
    from blendvoca.export.convert import load_rig, load_track
    from blendvoca.io.wav import read_audio
    from blendvoca.shard.reader import open_shard
    from blendvoca.shard.rig_file import read_rig
    from blendvoca.view.render import Renderer
    from blendvoca.view.sheet import face_camera, shape_sheet, write_png
    from blendvoca.view.video import write_video

    rig = load_rig(source)
    landmarks = read_rig(source).landmarks if source.suffix == ".h5" else None
    camera = face_camera(rig.neutral, landmarks, yaw)
    shown = [load_track(track) for track in tracks]
    waveform = read_audio(audio) if audio else None
    if clip is not None:
        spoken = open_shard(source).clip(clip)
        shown.insert(0, spoken.track)
        waveform = waveform or spoken.waveform
    if not shown:
        write_png(out, shape_sheet(rig, rig.names, camera, size or 200, columns, heat, backend))
    elif frame is not None:
        if not 0 <= frame < len(shown[0]):
            raise InputError("no such frame", expected=f"0 to {len(shown[0]) - 1}", found=frame)
        renderer = Renderer(rig.neutral, (size or 512, size or 512), backend)
        pose = rig.select(shown[0].names).pose(shown[0].values[frame])
        write_png(out, renderer.draw(pose, camera))
    else:
        if waveform is None:
            click.echo("no sound for this video: give it with --audio", err=True)
        write_video(out, rig, shown, camera, waveform, size or 512, backend)
    click.echo(str(out))

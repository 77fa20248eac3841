"""``blendvoca render``: pictures and videos, without a display."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendvoca.terminal.paths import OutFile

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from blendvoca.rig import BlendshapeRig
    from blendvoca.track import CoefficientTrack
    from blendvoca.view.appearance import Appearance
    from blendvoca.view.camera import Camera
    from blendvoca.view.render import Picture

_PICTURE, _VIDEO = ".png", ".mp4"


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--out",
    "--video",
    "out",
    required=True,
    type=OutFile(_PICTURE, _VIDEO),
    help=".png for a picture, .mp4 for a video of a clip or track.",
)
@click.option("--heat", is_flag=True, help="Colour the sheet by how far each shape moves the face.")
@click.option("--speaker", metavar="S", help="Whose shard, where SOURCE is a folder of shards.")
@click.option("--clip", metavar="SENTENCE", help="A clip of the shard, with its sound.")
@click.option(
    "--track", "tracks", multiple=True, metavar="TRACK", help="A track to show; may be repeated, side by side."
)
@click.option("--part", metavar="NAME", help="Of a glTF file, only this part.")
@click.option("--neutral", metavar="FILE", help="Of a folder of OBJ files, the one at rest. [default: by its name]")
@click.option("--audio", type=click.Path(path_type=Path, exists=True), help="Sound of the video.")
@click.option("--frame", type=int, help="Draw this frame of the clip or track as a picture instead.")
@click.option("--fps", type=click.FloatRange(1, 240), help="Frames a second. [default: those of the first track]")
@click.option("--yaw", default=0.0, show_default=True, help="Degrees around the head; positive shows its left side.")
@click.option(
    "--framing",
    default="face",
    show_default=True,
    type=click.Choice(["face", "syncnet"]),
    help="syncnet: its crop of the front view, 224 pixels and 25 frames a second.",
)
@click.option("--size", type=click.IntRange(16, 4096), help="Pixels of a picture's side. [default: 200, 512]")
@click.option("--columns", default=8, show_default=True, type=click.IntRange(1, 100), help="Pictures a row.")
@click.option(
    "--backend",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "opengl", "software"]),
    help="auto: OpenGL where it is to be had, else software, which is slower.",
)
def render(
    source: Path,
    out: Path,
    heat: bool,
    speaker: str | None,
    clip: str | None,
    tracks: tuple[str, ...],
    part: str | None,
    neutral: str | None,
    audio: Path | None,
    frame: int | None,
    fps: float | None,
    yaw: float,
    framing: str,
    size: int | None,
    columns: int,
    backend: str,
) -> None:
    """Draw SOURCE: a shard, a folder of shards, a rig file, a glTF or VRM file, or a folder or zip of OBJ files.

    Without a clip or a track: a sheet of all its blendshapes. With one: a video, or one frame of it.
    """
    from blendvoca.export.convert import load_track
    from blendvoca.export.rigs import fitted_to, load_rig
    from blendvoca.io.sound.wav import read_audio
    from blendvoca.shard.reader import open_shard
    from blendvoca.shard.rig_file import known_landmarks
    from blendvoca.terminal.lazy_group import track_label
    from blendvoca.terminal.notes import Notes
    from blendvoca.terminal.progress import counting_bar
    from blendvoca.view.appearance import appearance_of
    from blendvoca.view.sheet import shape_sheet, write_png
    from blendvoca.view.syncnet import EDGE, FPS
    from blendvoca.view.video import write_video

    notes, talks = Notes(), clip is not None or bool(tracks)
    _check(out, talks, heat, frame)
    source = _one_shard(source, speaker)
    rig = load_rig(source, part=part, neutral=neutral, on_report=notes)
    landmarks = known_landmarks(source)
    camera, look = _camera(source, rig, landmarks, framing, yaw), appearance_of(rig.neutral, landmarks)
    shown = [fitted_to(load_track(track, keep_others=True, on_report=notes, on_remark=notes.remark), rig, notes)
             for track in tracks]  # fmt: skip
    names = [track_label(track) for track in tracks]
    waveform = read_audio(audio, notes) if audio else None
    if clip is not None:
        spoken = open_shard(source).clip(clip)
        shown.insert(0, spoken.track)
        names.insert(0, f"{source.stem} {spoken.sentence}, dataset")
        waveform = waveform or spoken.waveform
    shown = _at_one_rate(shown, FPS if framing == "syncnet" else fps)
    size = size or (EDGE if framing == "syncnet" else 512 if talks else 200)
    backend = _backend(backend)
    # What SyncNet looks at bears no writing, and one head needs none.
    names = names if len(names) > 1 and framing == "face" else []
    if not talks:
        write_png(out, shape_sheet(rig, rig.names, camera, size, columns, heat, backend, look))
    elif frame is not None:
        write_png(out, _picture(rig, shown, frame, camera, size, backend, names, look))
    else:
        if waveform is None:
            click.echo("no sound for this video: give it with --audio", err=True)
        with counting_bar(out.name) as progress:
            write_video(out, rig, shown, camera, waveform, size, backend, names, look, progress)
    click.echo(_written(out, shown if talks and frame is None else [], waveform is not None))


def _written(out: Path, tracks: Sequence[CoefficientTrack], sound: bool) -> str:
    """Return what was written, and how long a video is."""
    size = out.stat().st_size
    facts = [f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.0f} kB"]
    if tracks:
        longest = max(tracks, key=len)
        sound_note = "with sound" if sound else "silent"
        facts = [f"{longest.duration:.1f} s", f"{len(longest)} frames at {longest.fps:g} a second", sound_note, *facts]
    return f"{out}: {', '.join(facts)}"


def _check(out: Path, talks: bool, heat: bool, frame: int | None) -> None:
    """Refuse what cannot be drawn before anything is read.

    :raises ConfigurationError: for options that do not go together.
    """
    from blendvoca.errors import ConfigurationError

    suffix = out.suffix.lower()
    if not talks and (suffix == _VIDEO or frame is not None):
        raise ConfigurationError("nothing that moves", remedy="Name a clip with --clip or a track with --track.")
    if talks and heat:
        raise ConfigurationError("--heat colours the sheet of shapes", remedy="Leave --clip and --track out.")
    if talks and (suffix == _PICTURE) != (frame is not None):
        expected = f"{_PICTURE} with --frame N, {_VIDEO} without"
        raise ConfigurationError("a frame is a picture, a clip a video", expected=expected, found=out.name)


def _one_shard(source: Path, speaker: str | None) -> Path:
    """Return the speaker's shard of a folder of shards; anything else as it is.

    :raises ConfigurationError: if it is not clear whose, or there is no choice.
    :raises MissingInputError: for a speaker that is not there.
    """
    from blendvoca.dataset import BlendVOCA
    from blendvoca.errors import ConfigurationError
    from blendvoca.shard.manifest import shard_files
    from blendvoca.shard.schema import MANIFEST_NAME

    if not (source.is_dir() and ((source / MANIFEST_NAME).is_file() or shard_files(source))):
        if speaker is not None:
            raise ConfigurationError("--speaker chooses from a folder of shards", found=source)
        return source
    data = BlendVOCA(source)
    if speaker is None and len(data.speakers) > 1:
        raise ConfigurationError("whose blendshapes?", expected=f"--speaker with one of {', '.join(data.speakers)}")
    return data.shard(speaker or data.speakers[0]).path


def _at_one_rate(tracks: Sequence[CoefficientTrack], fps: float | None) -> list[CoefficientTrack]:
    """Return the tracks at ``fps``, or at the rate of the first; say which were resampled."""
    from blendvoca.export.timing import resample

    rate = fps or (tracks[0].fps if tracks else None)
    for number, track in enumerate(tracks, 1):
        if track.fps != rate:
            click.echo(f"track {number}: {track.fps:g} frames a second shown at {rate:g}", err=True)
    return [track if rate is None or track.fps == rate else resample(track, rate) for track in tracks]


def _backend(choice: str) -> str:
    """Return what to draw with; say it where OpenGL is not to be had."""
    from blendvoca.view.render import fallback_reason

    reason = fallback_reason() if choice == "auto" else None
    if reason is None:
        return choice
    click.echo(f"drawing in software, which is slower: {reason}", err=True)
    return "software"


def _camera(source: Path, rig: BlendshapeRig, landmarks: NDArray[np.int64] | None, framing: str, yaw: float) -> Camera:
    """Return the camera that the options ask for.

    :raises InputError: for SyncNet's framing of a head without landmarks.
    """
    from blendvoca.errors import InputError
    from blendvoca.view.sheet import face_camera
    from blendvoca.view.syncnet import syncnet_camera

    if framing == "face":
        return face_camera(rig.neutral, landmarks, yaw, rig.deltas)
    if landmarks is None:
        what = "SyncNet's framing needs landmarks"
        raise InputError(what, expected="a shard or rig file that has them", found=source.name)
    return syncnet_camera(rig.neutral.vertices[landmarks])


def _picture(
    rig: BlendshapeRig, tracks: Sequence[CoefficientTrack], frame: int, camera: Camera, size: int, backend: str,
    names: Sequence[str], look: Appearance,
) -> Picture:  # fmt: skip
    """Draw one frame of tracks, side by side, under their names.

    :raises InputError: if one has no such frame.
    """
    from blendvoca.errors import InputError
    from blendvoca.view.render import Renderer
    from blendvoca.view.sheet import tile

    shortest = min(map(len, tracks))
    if not 0 <= frame < shortest:
        raise InputError("no such frame", expected=f"0 to {shortest - 1}", found=frame)
    with Renderer(rig.neutral, (size, size), backend, look) as renderer:
        poses = [rig.select(track.names).pose(track.values[frame]) for track in tracks]
        pictures = [renderer.draw(pose, camera) for pose in poses]
    return tile(pictures, names, len(pictures)) if names else pictures[0]

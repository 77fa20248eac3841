"""``blendvoca export``: a track for Blender, Unreal, Unity or a browser."""

from __future__ import annotations

from pathlib import Path

import click

from blendvoca.export.kinds import KINDS
from blendvoca.terminal.options import one_of
from blendvoca.terminal.paths import OutFile


@click.command()
@click.argument("track")
@click.option("--to", "kind", required=True, metavar=one_of(KINDS), help="Kind of output, as below.")
@click.option("--rig", metavar="PATH", help="The face, for glb and usd: rig file, shard, glTF, VRM, folder of OBJs.")
@click.option("--part", metavar="NAME", help="Of a glTF rig, only this part, as a file of its own.")
@click.option("--clip", metavar="NAME", help="Which animation of a glTF file. [default: the first]")
@click.option("--out", type=OutFile(), help="Output file. [default: TRACK with the kind's suffix]")
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="JSON that renames, scales, flips and clamps.")
@click.option("--fps-in", type=float, help="Frame rate of TRACK, whatever it says. [default: as it says, else 60]")
@click.option("--fps", type=float, help="Resample to this rate, with an anti-alias filter.")
@click.option(
    "--smooth", type=float, default=0.0, show_default=True, help="Gaussian smoothing, standard deviation in seconds."
)
@click.option("--names", metavar="NAMES", help="Names of columns that have none: blendvoca, arkit, mediapipe, a list.")
@click.option("--fill", is_flag=True, help="Interpolate across lost frames however many they are.")
@click.option("--keep-others", is_flag=True, help="Keep columns whose names are none of ARKit's.")
@click.option("--strict", is_flag=True, help="Fail where anything is left out, respelt, filled or clipped.")
def export(
    track: str,
    kind: str,
    rig: str | None,
    part: str | None,
    clip: str | None,
    out: Path | None,
    map_file: Path | None,
    fps_in: float | None,
    fps: float | None,
    smooth: float,
    names: str | None,
    fill: bool,
    keep_others: bool,
    strict: bool,
) -> None:
    """Write TRACK for another program.

    TRACK is a table (CSV in any dialect, Live Link), a JSON, an .npy or .npz array, a glTF animation, or
    SHARD.h5:SENTENCE. What is changed on reading is noted.

    \b
    glb       neutral, named morph targets and their animation; into a glTF RIG's own file, all else as it was
    usd       UsdSkel blend shapes and animation (.usda, .usdc, .usd)
    livelink  Live Link Face CSV: 61 columns, time codes
    csv       the authors' format: a header of names, a line a frame
    json      a dictionary of ARKit names a frame
    oculus    JSON of the fifteen Oculus visemes; vrm: of VRM's expressions
    vrma      VRM Animation: visemes, blinks, gaze; of a RIG with ARKit's expressions those
    vrma-arkit  the same with every shape as a custom expression
    """
    from blendvoca.export.convert import checked_suffix, load_track, save
    from blendvoca.export.retarget import apply_map, read_map
    from blendvoca.export.rigs import fitted_to, load_rig, spoken_with
    from blendvoca.export.timing import resample
    from blendvoca.export.timing import smooth as smoothed
    from blendvoca.export.vrm import ARKIT, PRESET, save_vrma
    from blendvoca.io.gltf.container import SUFFIXES as GLTF_SUFFIXES
    from blendvoca.io.rig.gltf_into import write_into
    from blendvoca.io.track.arrays import names_of
    from blendvoca.shard.rig_file import known_landmarks
    from blendvoca.terminal.notes import Notes
    from blendvoca.view.materials import materials_of

    notes = Notes(strict)
    order = names_of(names) if names else None
    motion = load_track(track, fps_in, clip=clip, names=order, fill=fill, keep_others=keep_others or rig is not None,
                        on_report=notes, on_remark=notes.remark)  # fmt: skip
    notes.settle(track)
    motion = smoothed(motion, smooth)
    if map_file is not None:
        motion = apply_map(motion, read_map(map_file))
    if fps is not None:
        motion = resample(motion, fps)
    target = out or Path(Path(track.replace(".h5:", "-")).stem + "-" + kind + KINDS.get(kind, ""))
    if kind == "glb" and rig and Path(rig).suffix.lower() in GLTF_SUFFIXES and part is None:
        motion = spoken_with(motion, load_rig(rig).names, notes)
        write_into(target, rig, track=motion, on_report=notes)
    elif kind in (PRESET, ARKIT) and rig:
        save_vrma(checked_suffix(target, kind), motion, kind=kind, avatar=rig, on_report=notes)
    else:
        face = load_rig(rig, part=part, on_report=notes) if rig else None
        own = motion if face is None else fitted_to(motion, face, notes)
        landmarks = known_landmarks(rig) if rig else None
        save(target, kind, own, face, materials_of(face.neutral, landmarks) if face and kind == "glb" else ())
    click.echo(f"{target}: {len(motion)} frames of {len(motion.names)} shapes at {motion.fps:g} fps")

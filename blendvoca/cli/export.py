"""``blendvoca export``: a track for Blender, Unreal, Unity or a browser."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("track")
@click.option("--to", "kind", required=True, metavar="KIND", help="glb, usd, livelink, csv, json, oculus or vrm.")
@click.option("--rig", metavar="PATH", help="The face, for glb and usd: rig file, shard, glTF, VRM, folder of OBJs.")
@click.option("--part", metavar="NAME", help="Of a glTF rig, only this part, as a file of its own.")
@click.option("--clip", metavar="NAME", help="Which animation of a glTF file. [default: the first]")
@click.option("--out", type=click.Path(path_type=Path), help="Output file. [default: TRACK with the kind's suffix]")
@click.option("--map", "map_file", type=click.Path(path_type=Path), help="JSON that renames, scales, flips and clamps.")
@click.option("--fps-in", type=float, help="Frame rate of a CSV that does not state it. [default: 60]")
@click.option("--fps", type=float, help="Resample to this rate, with an anti-alias filter.")
@click.option("--smooth", type=float, default=0.0, help="Gaussian smoothing, standard deviation in seconds.")
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
) -> None:
    """Write TRACK for another program.

    TRACK is a coefficient CSV, a Live Link CSV, an ARKit JSON, a glTF animation, or SHARD.h5:SENTENCE.

    \b
    glb       neutral, named morph targets and their animation; into a glTF RIG's own file, all else as it was
    usd       UsdSkel blend shapes and animation (.usda, .usdc, .usd)
    livelink  Live Link Face CSV: 61 columns, time codes
    csv       the authors' format: a header of names, a line a frame
    json      a dictionary of ARKit names a frame
    oculus    JSON of the fifteen Oculus visemes; vrm: of VRM's expressions
    """
    from blendvoca.export.convert import KINDS, load_track, save
    from blendvoca.export.retarget import apply_map, read_map
    from blendvoca.export.rigs import fitted_to, load_rig
    from blendvoca.export.timing import resample
    from blendvoca.export.timing import smooth as smoothed
    from blendvoca.io.gltf.container import SUFFIXES as GLTF_SUFFIXES
    from blendvoca.io.rig.gltf_into import write_into
    from blendvoca.terminal.lazy_group import note

    motion = smoothed(load_track(track, fps_in, clip=clip, on_report=note), smooth)
    if map_file is not None:
        motion = apply_map(motion, read_map(map_file))
    if fps is not None:
        motion = resample(motion, fps)
    target = out or Path(Path(track.replace(".h5:", "-")).stem + "-" + kind + KINDS.get(kind, ""))
    if kind == "glb" and rig and Path(rig).suffix.lower() in GLTF_SUFFIXES and part is None:
        write_into(target, rig, track=motion, on_report=note)
    else:
        face = load_rig(rig, part=part, on_report=note) if rig else None
        save(target, kind, motion if face is None else fitted_to(motion, face, note), face)
    click.echo(f"{target}: {len(motion)} frames of {len(motion.names)} shapes at {motion.fps:g} fps")

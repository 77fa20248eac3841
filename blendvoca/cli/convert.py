"""``blendvoca convert``: one form of a track into another."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("source")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--to", "kind", metavar="KIND", help="Kind of output. [default: by suffix: .csv, .json]")
@click.option("--fps-in", type=float, help="Frame rate of a CSV that does not state it. [default: 60]")
@click.option("--fps", type=float, help="Resample to this rate, with an anti-alias filter.")
@click.option("--clip", metavar="NAME", help="Which animation of a glTF file. [default: the first]")
def convert(
    source: str, target: Path, kind: str | None, fps_in: float | None, fps: float | None, clip: str | None
) -> None:
    """Read SOURCE in any form and write it as TARGET.

    SOURCE is a coefficient CSV, a Live Link CSV, an ARKit JSON, a glTF animation, or SHARD.h5:SENTENCE. TARGET is one
    of the kinds of `blendvoca export` that need no rig.
    """
    from blendvoca.errors import ConfigurationError
    from blendvoca.export.convert import load_track, save
    from blendvoca.export.timing import resample
    from blendvoca.terminal.lazy_group import note

    suffix = target.suffix.lower()
    if kind in ("glb", "usd") or (kind is None and suffix not in (".csv", ".json")):
        remedy = "Other kinds: --to livelink, oculus, vrm; with a face: blendvoca export SOURCE --to glb --rig RIG."
        expected = ".csv or .json"
        raise ConfigurationError("convert cannot write that", expected=expected, found=target.name, remedy=remedy)
    motion = load_track(source, fps_in, clip=clip, on_report=note)
    if fps is not None:
        motion = resample(motion, fps)
    save(target, kind or suffix.lstrip("."), motion)
    click.echo(f"{target}: {len(motion)} frames of {len(motion.names)} shapes at {motion.fps:g} fps")

"""``blendvoca convert``: one form of a track into another."""

from __future__ import annotations

from pathlib import Path

import click

from blendvoca.export.kinds import KINDS, WITH_RIG
from blendvoca.terminal.options import one_of
from blendvoca.terminal.paths import OutFile


@click.command()
@click.argument("source")
@click.argument("target", type=OutFile())
@click.option("--to", "kind", metavar=one_of(kind for kind in KINDS if kind not in WITH_RIG),
              help="Kind of output. [default: by suffix: .csv, .json]")  # fmt: skip
@click.option("--fps-in", type=float, help="Frame rate of SOURCE, whatever it says. [default: as it says, else 60]")
@click.option("--fps", type=float, help="Resample to this rate, with an anti-alias filter.")
@click.option("--clip", metavar="NAME", help="Which animation of a glTF file. [default: the first]")
@click.option("--names", metavar="NAMES", help="Names of columns that have none: blendvoca, arkit, mediapipe, a list.")
@click.option("--fill", is_flag=True, help="Interpolate across lost frames however many they are.")
@click.option("--keep-others", is_flag=True, help="Keep columns whose names are none of ARKit's.")
@click.option("--strict", is_flag=True, help="Fail where anything is left out, respelt, filled or clipped.")
def convert(source: str, target: Path, kind: str | None, fps_in: float | None, fps: float | None, clip: str | None,
            names: str | None, fill: bool, keep_others: bool, strict: bool) -> None:  # fmt: skip
    """Read SOURCE in any form and write it as TARGET.

    SOURCE is a table (CSV in any dialect, Live Link), a JSON, an .npy or .npz array, a glTF animation, or
    SHARD.h5:SENTENCE. TARGET is one of the kinds of `blendvoca export` that need no rig. What is changed is noted.
    """
    from blendvoca.errors import ConfigurationError
    from blendvoca.export.convert import load_track, save
    from blendvoca.export.timing import resample
    from blendvoca.io.track.arrays import names_of
    from blendvoca.terminal.notes import Notes

    suffix = target.suffix.lower()
    if kind in ("glb", "usd") or (kind is None and suffix not in (".csv", ".json", ".vrma")):
        remedy = "Other kinds: --to livelink, oculus, vrm …; with a face: blendvoca export SOURCE --to glb --rig RIG."
        expected = ".csv, .json or .vrma"
        raise ConfigurationError("convert cannot write that", expected=expected, found=target.name, remedy=remedy)
    notes = Notes(strict)
    order = names_of(names) if names else None
    motion = load_track(source, fps_in, clip=clip, names=order, fill=fill, keep_others=keep_others,
                        on_report=notes, on_remark=notes.remark)  # fmt: skip
    notes.settle(source)
    if fps is not None:
        motion = resample(motion, fps)
    save(target, kind or suffix.lstrip("."), motion)
    click.echo(f"{target}: {len(motion)} frames of {len(motion.names)} shapes at {motion.fps:g} fps")

"""``blendvoca complete``: published shards and the user's own VOCASET files, joined."""

from __future__ import annotations

from pathlib import Path

import click

from blendvoca.terminal.paths import OutFolder


@click.command()
@click.argument("shards", type=click.Path(path_type=Path))
@click.option("--vocaset", required=True, type=click.Path(path_type=Path), help="Your VOCASET: templates and audio.")
@click.option("--out", type=OutFolder(), help="Folder for the result.  [default: replace the shards]")
@click.option("--crop", type=click.Path(path_type=Path), help="FLAME_head_idx.txt, if the shards do not hold it.")
def complete(shards: Path, vocaset: Path, out: Path | None, crop: Path | None) -> None:
    """Add meshes and audio from your own VOCASET files to SHARDS that hold coefficients and deltas.

    What comes out is of licence class `restricted`: keep it to yourself. What could not be added is listed; the exit
    code is then 1.
    """
    from blendvoca.release.complete import complete as run
    from blendvoca.shard.summary import summary_table
    from blendvoca.terminal.console import make_console

    result = run(shards, vocaset, out, crop)
    make_console().print(summary_table(result.manifest, str(out or shards)))
    for line in result.missing:
        click.echo(line, err=True)
    if result.missing:
        raise click.ClickException(f"{len(result.missing)} things could not be added")

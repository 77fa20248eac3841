"""``blendvoca import-release``: the authors' files become shards."""

from __future__ import annotations

from pathlib import Path

import click

from blendvoca.terminal.paths import OutFolder


@click.command("import-release")
@click.argument("source", required=False, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=OutFolder(), help="Folder for the shards.")
def import_release(source: Path | None, out: Path) -> None:
    """Turn the authors' blendshape_coeffs.zip and blendshape_residuals.pickle in SOURCE into shards.

    Without SOURCE, the files that `blendvoca download blendvoca-release` brought to the download cache are taken.
    """
    from blendvoca.fetch.places import cache_folder
    from blendvoca.release.importer import import_release as run
    from blendvoca.shard.summary import summary_table
    from blendvoca.terminal.console import make_console

    manifest = run(source or cache_folder() / "blendvoca-release", out)
    make_console().print(summary_table(manifest, f"{out}: coefficients and deltas, no meshes, no audio"))
    click.echo("Next: blendvoca complete adds both from your own VOCASET files.")

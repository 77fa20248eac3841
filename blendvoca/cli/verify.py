"""``blendvoca verify``: is everything in this folder or shard as it should be?"""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
def verify(path: Path) -> None:
    """Check a shard, or a folder of shards with its manifest.

    Checks the format, checksums and digests, the manifest's sizes and SHA-256 sums (a package's too), ranges, the rate
    limit, that fit certificates are there and good, audio against motion lengths, splits, and what the licence class
    allows. Prints a line per problem and exits with 1 if there is one.
    """
    from blendvoca.fetch.package import SUMS_NAME, wrong_sums
    from blendvoca.shard.verify import verify as check

    problems: list[object] = [*check(path)]
    if (path / SUMS_NAME).is_file():
        # Shards were compared with the manifest already; the descriptions stand in the sums alone.
        problems += [error for error in wrong_sums(path) if getattr(error.path, "suffix", "") != ".h5"]
    for problem in problems:
        click.echo(str(problem))
    if problems:
        raise click.ClickException(f"{len(problems)} problem{'s' * (len(problems) > 1)} found")
    click.echo(f"{path}: all is well")

"""``blendvoca verify``: is everything in this folder or shard as it should be?"""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
def verify(path: Path) -> None:
    """Check a shard, or a folder of shards with its manifest.

    Checks the format, checksums and digests, the manifest's sizes and SHA-256 sums, ranges, the rate limit, that fit
    certificates are there and good, audio against motion lengths, splits, and what the licence class allows. Prints a
    line per problem and exits with 1 if there is one.
    """
    from blendvoca.shard.verify import verify as check

    problems = check(path)
    for problem in problems:
        click.echo(str(problem))
    if problems:
        raise click.ClickException(f"{len(problems)} problem{'s' * (len(problems) > 1)} found")
    click.echo(f"{path}: all is well")

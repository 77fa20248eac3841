"""``blendvoca publish``: a package that may be given away."""

from __future__ import annotations

from pathlib import Path

import click

from blendvoca.terminal.paths import OutFolder


@click.command()
@click.argument("shards", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=OutFolder(".tar"), help="The package's folder.")
@click.option("--tar", is_flag=True, help="One file OUT.tar with OUT.tar.sha256 instead of a folder.")
@click.option("--name", default="BlendVOCA", show_default=True, help="Title of the package.")
@click.option("--data-version", default="1.0.0", show_default=True, help="Version of the data.")
@click.option("--creator", help="Who publishes it.")
@click.option("--url", help="Where it will be, or is described.")
@click.option("--licence", help="Name of the licence of what is in it.  [default: by licence class]")
@click.option("--licence-url", help="Where its text is.")
@click.option("--date", help="Day of publication, YYYY-MM-DD.")
def publish(
    shards: Path,
    out: Path,
    tar: bool,
    name: str,
    data_version: str,
    **stated: str | None,
) -> None:
    """Make a package of SHARDS that may be given away.

    Of restricted shards only tracks, deltas and certificates are taken: no meshes, no audio. A shard that holds
    restricted parts under another licence class is refused. The package has a manifest, SHA-256 sums, a Croissant
    description and a data card; anyone can fetch it with `blendvoca download URL` from any web server.
    """
    from blendvoca.errors import ConfigurationError
    from blendvoca.release.config import PackageConfig
    from blendvoca.release.publish import publish as make

    if out.suffix.lower() == ".tar" and not tar:
        raise ConfigurationError("a package is a folder", expected="--tar for a file", found=out.name)
    given = {key: value for key, value in stated.items() if value is not None}
    config = PackageConfig(name=name, version=data_version, **given)
    click.echo(str(make(shards, out, config, tar=tar)))

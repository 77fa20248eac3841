"""``blendvoca info``: what a folder of shards holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from blendvoca.dataset import BlendVOCA


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--clips", "show_clips", is_flag=True, help="One line a clip instead of one a speaker.")
@click.option("--json", "as_json", is_flag=True, help="The same as JSON.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the report page instead.")
def info(path: Path, show_clips: bool, as_json: bool, html: Path | None) -> None:
    """Summarise the shards in PATH: speakers, splits, clips, frames, fit error and share at the rate limit.

    Reads the manifest only (--html the shards too); `blendvoca verify` checks the files themselves.
    """
    import json
    from dataclasses import asdict

    from blendvoca.dataset import BlendVOCA
    from blendvoca.shard.summary import summarise

    dataset = BlendVOCA(path)
    if html is not None:
        from blendvoca.io.atomic import write_text
        from blendvoca.view.report import build_report
        from blendvoca.view.suffix import check_suffix

        check_suffix(html, ".html")
        write_text(html, build_report(dataset))
        click.echo(str(html))
        return
    if as_json:
        rows = dataset.table() if show_clips else [asdict(row) for row in summarise(dataset.manifest)]
        click.echo(json.dumps(rows, indent=1))
        return
    _show(dataset, show_clips)


def _show(dataset: BlendVOCA, show_clips: bool) -> None:
    from blendvoca.shard.summary import clip_table, summary_table
    from blendvoca.terminal.console import make_console

    console = make_console()
    manifest = dataset.manifest
    title = f"{manifest.name}: {len(manifest.names)} blendshapes, licence class {manifest.licence_class.value}"
    console.print(clip_table(manifest, title) if show_clips else summary_table(manifest, title))
    if manifest.known_gaps:
        gaps = ", ".join(f"{speaker}/{sentence}" for speaker, sentence in manifest.known_gaps)
        console.print(f"Known gaps (audio without motion): {gaps}", soft_wrap=True)

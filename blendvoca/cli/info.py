"""``blendvoca info``: what a folder of shards holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendvoca.terminal.paths import OutFile

if TYPE_CHECKING:
    from blendvoca.dataset import BlendVOCA


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--clips", "show_clips", is_flag=True, help="One line a clip instead of one a speaker.")
@click.option(
    "--json", "json_path", is_flag=False, flag_value="-", metavar="[FILE]", help="The same as JSON, printed or in FILE."
)
@click.option("--page", "--html", "html", type=OutFile(".html"), help="Write the report page instead.")
@click.pass_context
def info(ctx: click.Context, path: Path | None, show_clips: bool, json_path: str | None, html: Path | None) -> None:
    """Summarise the shards in PATH: speakers, splits, clips, frames, fit error and share at the rate limit.

    Reads the manifest only (--page the shards too); `blendvoca verify` checks the files themselves.
    """
    import json
    from dataclasses import asdict

    from blendvoca.dataset import BlendVOCA
    from blendvoca.io.atomic import write_text
    from blendvoca.shard.summary import summarise

    if path is None and json_path not in (None, "-"):
        # `--json SHARDS`: the only word is the folder.
        path, json_path = Path(str(json_path)), "-"
    if path is None:
        raise click.UsageError("Missing argument 'PATH'.", ctx)
    dataset = BlendVOCA(path)
    if html is not None:
        from blendvoca.view.report import build_report

        write_text(html, build_report(dataset))
        click.echo(str(html))
        return
    if json_path is not None:
        rows = dataset.table() if show_clips else [asdict(row) for row in summarise(dataset.manifest)]
        text = json.dumps(rows, indent=1)
        if json_path == "-":
            click.echo(text)
        else:
            write_text(OutFile(".json").convert(json_path, None, ctx), text + "\n")
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

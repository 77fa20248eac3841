"""``blendvoca download``: fetch by name or address."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendvoca.fetch.download import DownloadConfig
from blendvoca.terminal.options import setting
from blendvoca.terminal.paths import OutFolder

if TYPE_CHECKING:
    from blendvoca.fetch.registry import Entry


@click.command()
@click.argument("name", required=False, metavar="[NAME|URL]")
@click.option("--out", type=OutFolder(), help="Folder to write to.  [default: the download cache]")
@click.option("--list", "show", is_flag=True, help="Show what can be had; with NAME, its files.")
@click.option("--files", "patterns", multiple=True, metavar="PATTERN", help="Only files like '*.txt'; may be repeated.")
@click.option("--sha256", metavar="SUM", help="Expected sum of a single file or tar.")
@setting(DownloadConfig, "jobs", "--jobs", help="Files at a time.")
@click.option("--vocaset", type=click.Path(path_type=Path),
              help="With `blendvoca`: your VOCASET, whose meshes and sound complete it.")  # fmt: skip
@click.option("--offline", is_flag=True, help="Only check that everything is here already.")
@click.pass_context
def download(
    ctx: click.Context,
    name: str | None,
    out: Path | None,
    show: bool,
    patterns: tuple[str, ...],
    sha256: str | None,
    jobs: int,
    vocaset: Path | None,
    offline: bool,
) -> None:
    """Fetch NAME (see --list), or the package or file at URL.

    `sample` and `blendvoca` end with shards that can be opened as they are; the rest are files.

    Broken transfers are continued, every file is checked before it gets its name, and what is here already is not
    fetched again. A package that `blendvoca publish` made can be fetched from any web server or file:// folder.
    """
    from blendvoca.fetch import download as by_name
    from blendvoca.fetch.addon import ADDON, copy_addon
    from blendvoca.fetch.package import download_address, is_address
    from blendvoca.release.ready import READY
    from blendvoca.terminal.progress import byte_bars

    if show:
        _show_registry(name)
        return
    if name is None:
        raise click.UsageError("give a NAME or URL, or --list", ctx)
    config = DownloadConfig(jobs=jobs, offline=offline)
    if name == ADDON:
        click.echo(str(copy_addon(out or Path())))
        return
    if name in READY:
        _ready(name, out, vocaset, config)
        return
    if vocaset is not None:
        raise click.UsageError("--vocaset completes the dataset `blendvoca`", ctx)
    with byte_bars() as report:
        if is_address(name):
            if out is None:
                raise click.UsageError("an address needs --out", ctx)
            place = download_address(name, out, sha256, config=config, progress=report)
        else:
            place = by_name.download(name, out, patterns=patterns, config=config, progress=report)
    click.echo(str(place))


def _ready(name: str, out: Path | None, vocaset: Path | None, config: DownloadConfig) -> None:
    """Bring shards, and say what they hold and how to open them."""
    from blendvoca.release.ready import ready_dataset
    from blendvoca.shard.summary import summary_table
    from blendvoca.terminal.console import make_console
    from blendvoca.terminal.progress import byte_bars

    with byte_bars() as report:
        folder, held = ready_dataset(name, out, vocaset, config=config, progress=report)
    make_console().print(summary_table(held.manifest, str(folder)))
    for line in held.missing:
        click.echo(line, err=True)
    click.echo(f'Open it: BlendVOCA("{folder}") in Python, blendvoca info {folder} here')
    if held.missing:
        raise click.ClickException(f"{len(held.missing)} things could not be added")


def _show_registry(name: str | None) -> None:
    from rich.markup import escape

    from blendvoca.fetch.addon import ADDON
    from blendvoca.fetch.registry import find_entry, load_registry
    from blendvoca.release.ready import READY
    from blendvoca.terminal.console import make_console

    console = make_console()
    if name in (None, ADDON, *READY):
        shown = {**READY, ADDON: "the add-on that puts a track onto any mesh in Blender; comes with this program"}
        for ready in shown if name is None else (name,):
            console.print(ready, style="bold")
            console.print(f"    what      {shown[ready]}", soft_wrap=True)
        if name is not None:
            return
    for entry in load_registry().values() if name is None else [find_entry(name)]:
        console.print(entry.name, style="bold")
        for title, text in _facts(entry):
            console.print(f"    {title:9} {escape(text)}", soft_wrap=True)
        for file in entry.files if name else ():
            known = f"SHA-256 {file.sha256}" if file.sha256 else f"git blob {file.git_blob_sha1}"
            size = "unknown" if file.bytes is None else f"{file.bytes:,} bytes"
            console.print(f"    {file.path}\n        {size}, {known}\n        {file.url}", soft_wrap=True)


def _facts(entry: Entry) -> list[tuple[str, str]]:
    size = "size not known beforehand" if entry.bytes is None else f"{entry.bytes / 1e6:.1f} MB"
    if entry.hub is not None:
        content = f"Hugging Face, revision {(entry.hub.revision or 'newest')[:12]}"
    else:
        content = f"{len(entry.files)} files, {size}"
    facts = [("what", entry.title), ("holds", content), ("licence", entry.licence)]
    return [*facts, ("cite", entry.citation), ("see", entry.homepage)]

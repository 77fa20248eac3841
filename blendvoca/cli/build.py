"""``blendvoca build``: from a VOCASET-shaped folder to shards."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendvoca.terminal.options import setting
from blendvoca.terminal.paths import OutFolder
from pipelines.config import BuildConfig

if TYPE_CHECKING:
    from rich.console import Console

    from pipelines.build import BuildResult


@click.command(context_settings={"show_default": True})
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--out", required=True, type=OutFolder(), help="Folder of the shards.")
@setting(
    BuildConfig,
    "source_rig",
    "--source",
    "--source-rig",
    "source_rig",
    metavar="NAME|PATH",
    help="Rig to transfer: synthetic, arkit, ict or a path; auto is synthetic for the sample, else arkit.",
)
@setting(BuildConfig, "shapes", "--shapes", metavar="SET", help="blendvoca (the 32), all, or names with commas.")
@setting(BuildConfig, "method", "--method", type=click.Choice(["face", "sumner-popovic"]),
         help="How to transfer shapes.")  # fmt: skip
@click.option(
    "--landmarks",
    type=click.Path(path_type=Path),
    help="Landmark file of all speakers, or a folder with one a speaker.  [default: the corpus's own]",
)
@click.option(
    "--region",
    type=click.Path(path_type=Path),
    help="Vertices that the transfer may move: indices, or MASKS.pkl:NAME.  [default: the face]",
)
@setting(BuildConfig, "rate_limit", "--delta", help="Largest step of a coefficient between frames.")
@click.option("--jobs", type=click.IntRange(min=0), help="Worker processes; 0 for none.  [default: one a core]")
@click.option("--dask", metavar="tcp://…", help="Use the workers of this dask scheduler instead.")
@click.option("--force", is_flag=True, help="Do everything again.")
@click.option("--check", is_flag=True, help="Build again beside it, compare with OUT, and change nothing.")
@click.option("--verbose", "-v", is_flag=True, help="Report every item, and why it is done or kept.")
def build(
    path: Path,
    out: Path,
    source_rig: str,
    shapes: str,
    method: str,
    landmarks: Path | None,
    region: Path | None,
    delta: float,
    jobs: int | None,
    dask: str | None,
    force: bool,
    check: bool,
    verbose: bool,
) -> None:
    """Build HDF5 shards from PATH: VOCASET's folders, its zip archives or the training package.

    What is done stays done: a second run does only what is missing, changed or damaged. Ctrl-C finishes what is being
    written; the next run goes on from there. The exit code is 0 only if every sequence was built.
    """
    from blendvoca.terminal.console import is_terminal, make_console
    from pipelines.build import build as run_build
    from pipelines.check import check as run_check
    from pipelines.progress import Terminal
    from pipelines.runner import Interrupted

    console = make_console(stderr=not is_terminal(sys.stdout) and is_terminal(sys.stderr))
    config = BuildConfig(path, source_rig, shapes, method, landmarks, delta, region)
    workers = len(os.sched_getaffinity(0)) if jobs is None else jobs
    reporter = Terminal(console, verbose)
    try:
        if check:
            different = run_check(config, out, jobs=workers, reporter=reporter)
            _print_check(console, out, different)
            sys.exit(1 if different else 0)
        result = run_build(config, out, jobs=workers, dask=dask, reporter=reporter, force=force)
    except Interrupted:
        console.print("Stopped. The same command goes on from here.")
        sys.exit(130)
    except KeyboardInterrupt:
        os._exit(130)  # Asked for twice: wait for nobody.
    _print_result(console, result, verbose)
    _report(console, result)
    sys.exit(1 if result.failures else 0)


def _print_result(console: Console, result: BuildResult, verbose: bool) -> None:
    """Print the table of speakers, what failed, and where the result is."""
    from blendvoca.shard.manifest import read_manifest
    from blendvoca.shard.schema import MANIFEST_NAME
    from blendvoca.shard.summary import summary_table
    from pipelines.build import STAGES
    from pipelines.failures import each, grouped
    from pipelines.summary import stage_table

    if verbose:
        console.print(stage_table(result.reports, STAGES), "")
    failures = result.failures
    built = (result.out / MANIFEST_NAME).is_file()
    if built:
        console.print("", summary_table(read_manifest(result.out)), "")
    if failures:
        console.print(f"{len(failures)} could not be built:", style="bold")
        for line in each(failures) if verbose else grouped(failures):
            console.print(f"  {line}", markup=False, soft_wrap=True)
    for note in result.notes:
        console.print(note, markup=False, highlight=False, soft_wrap=True)
    done = f"Built in {result.seconds:.1f} s" if built else "Nothing was built"
    done = "Nothing to do" if result.idle and not failures else done
    console.print(f"{done}: {result.out}", markup=False, highlight=False, soft_wrap=True)
    if not failures:
        console.print(f"Look inside: blendvoca info {result.out}", markup=False, highlight=False, soft_wrap=True)


def _report(console: Console, result: BuildResult) -> None:
    """Write the page, unless nothing changed and it is there."""
    from blendvoca.errors import BlendvocaError
    from blendvoca.shard.schema import MANIFEST_NAME
    from pipelines.report import REPORT_NAME, write_report

    if not (result.out / MANIFEST_NAME).is_file() or (result.idle and (result.out / REPORT_NAME).is_file()):
        return
    try:
        page = write_report(result)
    except BlendvocaError as error:
        # The shards are what was asked for; a page that cannot be drawn does not take them back.
        console.print(f"No report page: {error}", markup=False, soft_wrap=True)
    else:
        console.print(f"Report: {page}", markup=False, highlight=False, soft_wrap=True)


def _print_check(console: Console, out: Path, different: list[str]) -> None:
    """Print which files differ from a fresh build."""
    for line in different:
        console.print(f"  {line}", markup=False, soft_wrap=True)
    words = f"{len(different)} files differ from a fresh build" if different else "the same bytes as a fresh build"
    console.print(f"{out}: {words}", markup=False, highlight=False, soft_wrap=True)

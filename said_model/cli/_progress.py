"""Progress of trainings and feature caches: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import click

from blendvoca.progress import Progress, no_progress
from blendvoca.terminal import progress as bars

if TYPE_CHECKING:
    from said_model.training.loop import Report

#: Lines that a training writes where no bar can be drawn.
_QUIET_LINES = 20


def conclude(*lines: str) -> None:
    """Say how a training ended; of several processes, the first does."""
    if _is_first():
        click.echo("\n".join(lines))


def _is_first() -> bool:
    """Whether this is the first process of a training on several GPUs, or the only one."""
    return os.environ.get("RANK", "0") == "0"


@contextmanager
def training_bar(title: str, steps: int) -> Iterator[Callable[[Report], None]]:
    """Yield what shows a training's reports: losses, rate and time left."""
    if not (sys.stderr.isatty() and _is_first()):
        yield _line
        return
    from rich.progress import MofNCompleteColumn, TextColumn, TimeRemainingColumn

    with bars.make_bars(MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.fields[text]}")) as bar:
        task = bar.add_task(title, total=steps, text="")

        def show(report: Report) -> None:
            bar.update(task, completed=report.step, text=_figures(report))
            if report.warning:
                bar.console.print(f"Warning: {report.warning}", style="yellow")

        yield show


def _line(report: Report) -> None:
    if report.step == report.steps or report.step % max(report.steps // _QUIET_LINES, 1) < 1:
        click.echo(f"step {report.step} of {report.steps}: {_figures(report)}", err=True)
    if report.warning:
        click.echo(f"Warning: {report.warning}", err=True)


def _figures(report: Report) -> str:
    validation = f", validation {report.validation:.4f}" if report.validation is not None else ""
    return f"loss {report.losses['loss']:.4f}{validation}, {report.rate:.1f} steps/s"


@contextmanager
def counting_bar(title: str) -> Iterator[Progress]:
    """Yield what shows how many of all are done; of several processes, the first shows it."""
    with bars.counting_bar(title) if _is_first() else nullcontext(no_progress) as progress:
        yield progress

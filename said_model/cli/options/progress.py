"""Progress of trainings and feature caches: a bar on a terminal, a line a minute elsewhere."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import click

from blendvoca.internal.progress import Progress, no_progress
from blendvoca.terminal import progress as bars
from blendvoca.terminal.console import is_terminal

if TYPE_CHECKING:
    from said_model.training.loop import Outcome, Report

#: Seconds between the lines that a training writes where no bar can be drawn.
_LINE_EVERY = 60.0


def note(sentence: str) -> None:
    """Say what a training notes; of several processes, the first does."""
    if _is_first():
        click.echo(sentence, err=True)


def ended(outcome: Outcome, steps: int, *lines: str) -> None:
    """Say how a training ended; where a signal stopped it, where and how to go on, and exit as it is usual then."""
    if outcome.signal is None:
        conclude(*lines)
        return
    conclude(f"Stopped at step {outcome.steps:,} of {steps:,}; its state is kept. To go on, give the same command:",
             f"  {shlex.join(['said', *sys.argv[1:]])}")  # fmt: skip
    raise SystemExit(128 + outcome.signal)


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
    if not (is_terminal(sys.stderr) and _is_first()):
        yield _lines()
        return
    from rich.progress import MofNCompleteColumn, TextColumn, TimeRemainingColumn

    with bars.make_bars(MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.fields[text]}")) as bar:
        task = bar.add_task(title, total=steps, text="")

        def show(report: Report) -> None:
            bar.update(task, completed=report.step, text=_figures(report))
            if report.warning:
                bar.console.print(f"Warning: {report.warning}", style="yellow")

        yield show


def _lines() -> Callable[[Report], None]:
    """Return what writes a line a minute, one for the first report and one for the last step."""
    written = -_LINE_EVERY

    def show(report: Report) -> None:
        nonlocal written
        if report.step == report.steps or time.monotonic() - written >= _LINE_EVERY:
            note(f"step {report.step} of {report.steps}: {_figures(report)}")
            written = time.monotonic()
        if report.warning:
            note(f"Warning: {report.warning}")

    return show


def _figures(report: Report) -> str:
    validation = f", validation {report.validation:.4f}" if report.validation is not None else ""
    return f"loss {report.losses['loss']:.4f}{validation}, {report.rate:.1f} steps/s"


@contextmanager
def counting_bar(title: str) -> Iterator[Progress]:
    """Yield what shows how many of all are done; of several processes, the first shows it."""
    with bars.counting_bar(title) if _is_first() else nullcontext(no_progress) as progress:
        yield progress

"""Progress bars: on a terminal, on its error stream, and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from blendvoca.internal.progress import Progress, no_progress
from blendvoca.terminal.console import is_terminal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import ProgressColumn, TaskID


def make_bars(*columns: ProgressColumn, console: Console | None = None, transient: bool = False) -> Bars:
    """Return a display of bars, each with its title before it and ``columns`` after it.

    :param columns: what stands after the bar.
    :param console: where to draw; None takes the error stream. Nothing is drawn where that is no terminal.
    :param transient: whether the bars vanish at the end.
    """
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bars

    from blendvoca.terminal.console import make_console

    console = console or make_console(stderr=True)
    title = TextColumn("{task.description}", markup=False)
    bars = Bars(title, BarColumn(), *columns, console=console, transient=transient, disable=not console.is_terminal)
    return bars


@contextmanager
def counting_bar(title: str) -> Iterator[Progress]:
    """Yield what shows how many of all are done, under one title, while it lasts.

    :param title: what is being done.
    """
    if not is_terminal(sys.stderr):
        yield no_progress
        return
    from rich.progress import MofNCompleteColumn, TimeRemainingColumn

    with make_bars(MofNCompleteColumn(), TimeRemainingColumn(), transient=True) as bars:
        task = bars.add_task(title, total=None)
        yield lambda name, done, total: bars.update(task, completed=done, total=total)


@contextmanager
def byte_bars() -> Iterator[Progress]:
    """Yield what shows a bar a name, counted in bytes, until its work is done."""
    if not is_terminal(sys.stderr):
        yield no_progress
        return
    from rich.progress import DownloadColumn, TimeRemainingColumn

    with make_bars(DownloadColumn(), TimeRemainingColumn()) as bars:
        tasks: dict[str, TaskID] = {}

        def show(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total, visible=done != total)

        yield show

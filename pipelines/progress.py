"""Progress of a build: what is reported, and how it looks on a terminal or in a log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from blendvoca.terminal.progress import make_bars
from pipelines.failures import kind
from pipelines.stage import Outcome, Stage

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID


class Reporter(Protocol):
    """Receives what happens in a build."""

    def note(self, text: str) -> None:
        """Something everybody should read."""

    def detail(self, text: str) -> None:
        """Something for those who ask for detail."""

    def begin(self, stage: Stage, total: int, skipped: int) -> None:
        """A stage begins; ``total`` and ``skipped`` in its unit."""

    def advance(self, outcome: Outcome, weight: int) -> None:
        """An item is done or has failed."""

    def end(self, stage: Stage, seconds: float) -> None:
        """The stage is over."""


class NoReport:
    """Reports nothing."""

    def note(self, text: str) -> None:
        """See :class:`Reporter`."""

    def detail(self, text: str) -> None:
        """See :class:`Reporter`."""

    def begin(self, stage: Stage, total: int, skipped: int) -> None:
        """See :class:`Reporter`."""

    def advance(self, outcome: Outcome, weight: int) -> None:
        """See :class:`Reporter`."""

    def end(self, stage: Stage, seconds: float) -> None:
        """See :class:`Reporter`."""


class Terminal:
    """A progress bar a stage, with rate and time left; where the output is no terminal, one line a stage at most.

    :param console: where to write.
    :param verbose: report every item and why it is done.
    """

    def __init__(self, console: Console, verbose: bool = False) -> None:
        self.console, self.verbose = console, verbose
        self.progress: Progress | None = None
        self.bar: TaskID | None = None
        self.failed = 0
        self.kinds: set[tuple[str, str]] = set()

    def note(self, text: str) -> None:
        """Print a line."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def detail(self, text: str) -> None:
        """Print a line, with ``verbose`` only."""
        if self.verbose:
            self.console.print(text, style="dim", markup=False, highlight=False, soft_wrap=True)

    def begin(self, stage: Stage, total: int, skipped: int) -> None:
        """Show the stage's bar."""
        self.failed = 0
        self.progress = _bars(self.console, stage.unit)
        self.bar = self.progress.add_task(f"{stage.title:<22}", total=total, completed=skipped, skipped=skipped)
        self.progress.start()

    def advance(self, outcome: Outcome, weight: int) -> None:
        """Move the bar; report failures at once."""
        if outcome.error is not None:
            self.failed += 1
            self._fail(outcome, kind(outcome.error))
        else:
            self.detail(f"  {outcome.stage} {outcome.item}: {outcome.seconds:.2f} s")
        if self.progress is not None and self.bar is not None:
            self.progress.update(self.bar, advance=weight)

    def _fail(self, outcome: Outcome, what: str) -> None:
        """Print the first failure of a kind at once; of others only the count comes, in the end."""
        line = f"  failed: {outcome.item}: {outcome.error}"
        if (outcome.stage, what) in self.kinds:
            self.detail(line)
        else:
            self.note(line)
        self.kinds.add((outcome.stage, what))

    def end(self, stage: Stage, seconds: float) -> None:
        """Take the bar down, leaving its last state on the screen."""
        if self.progress is not None:
            self.progress.stop()
        self.progress = self.bar = None


def _bars(console: Console, unit: str) -> Progress:
    """Return a progress display of one bar: title, bar, count, then rate and time left."""
    from rich.progress import ProgressColumn, TextColumn
    from rich.progress import Task as BarTask
    from rich.text import Text

    class Pace(ProgressColumn):
        def render(self, task: BarTask) -> Text:
            pace = _pace(task.completed, task.total or 0, task.fields["skipped"], task.elapsed or 0.0)
            return Text(pace, style="dim")

    count = TextColumn(f"{{task.completed:>6,.0f}} of {{task.total:<6,.0f}} {unit:<9}", markup=False)
    return make_bars(count, Pace(), console=console)


def _pace(completed: float, total: float, skipped: float, elapsed: float) -> str:
    """Return rate and time left of a running stage, or what a finished one did.

    The rate counts what is done now, not what was there before.
    """
    fresh = completed - skipped
    if completed < total:
        if not fresh or not elapsed:
            return ""
        left = round((total - completed) * elapsed / fresh)
        return f"{fresh / elapsed:.3g}/s, {left // 60}:{left % 60:02d} left"
    if not fresh:
        return "kept"
    return f"{elapsed:.1f} s" + (f", {skipped:,.0f} kept" if skipped else "")

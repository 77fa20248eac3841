"""The runner: stage by stage, do what the ledger says is to be done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import perf_counter
from types import FrameType

from blendvoca.errors import BlendvocaError, OutputError
from pipelines.executors import Executor
from pipelines.progress import Reporter
from pipelines.stage import LOG, Outcome, Stage, Task, explained
from pipelines.workspace import UpstreamMissingError, Workspace


class Interrupted(Exception):
    """The user stopped the build; what was being written is finished, and the next build goes on from there."""


@dataclass(frozen=True)
class Failure:
    """An item that could not be done, and why."""

    stage: str
    item: str
    error: str


@dataclass
class StageReport:
    """What a stage did.

    :param name: the stage.
    :param done: items done now.
    :param kept: items that were done before.
    :param blocked: items left out because what they build on has failed.
    :param failures: items that failed.
    :param seconds: wall time.
    :param planning: time of that before the first item, to find out what is to be done.
    :param busy: time in the items, summed over workers.
    :param own: time of that in the stage itself, without hashing, renaming and marks.
    """

    name: str
    done: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    seconds: float = 0.0
    planning: float = 0.0
    busy: float = 0.0
    own: float = 0.0


def run_stages(
    stages: Sequence[Stage], work: Workspace, executor: Executor, reporter: Reporter, force: bool = False
) -> list[StageReport]:
    """Run stages in order; within a stage items may run at the same time. The caller holds the output's lock.

    :param force: do everything again, whatever the ledger says.
    :returns: one report a stage.
    :raises Interrupted: after SIGINT or SIGTERM, once the items under way are finished.
    :raises OutputError: if results cannot be written (the disk is full).
    :raises BlendvocaError: if a stage fails without which nothing can be built.
    """
    reports = []
    work.ledger.sweep()
    try:
        with _stop_flag(reporter) as stop:
            for stage in stages:
                reports.append(run_stage(stage, work, executor, reporter, stop, force))
                if stop.is_set():
                    raise Interrupted
    finally:
        work.ledger.sweep()
    return reports


def run_stage(
    stage: Stage, work: Workspace, executor: Executor, reporter: Reporter, stop: threading.Event, force: bool = False
) -> StageReport:
    """Run one stage. Parameters and errors as in :func:`run_stages`."""
    start = perf_counter()
    report = StageReport(stage.name)
    items = stage.items(work)
    weights = {item: stage.weight(work, item) for item in items}
    for name in work.ledger.prune(stage.name, items):
        reporter.detail(f"{stage.name} {name}: no longer in the corpus, forgotten")
    tasks = list(_plan(stage, work, items, report, reporter, force))
    report.planning = perf_counter() - start
    fatal: str | None = None
    reporter.begin(stage, sum(weights.values()), sum(weights[item] for item in report.kept))
    try:
        for failure in report.failures:
            reporter.advance(Outcome(stage.name, failure.item, 0.0, failure.error), weights[failure.item])
        for outcome in executor.run(tasks, stop.is_set):
            report.busy += outcome.seconds
            report.own += outcome.own_seconds
            reporter.advance(outcome, weights[outcome.item])
            if outcome.error is None:
                report.done.append(outcome.item)
                continue
            _log(work, stage.name, outcome.item, outcome.trace)
            report.failures.append(Failure(stage.name, outcome.item, outcome.error))
            if not outcome.fatal:
                work.ledger.discard(stage.name, outcome.item, stage.target(work, outcome.item))
            if outcome.fatal and fatal is None:
                fatal = outcome.error
                stop.set()
    finally:
        report.seconds = perf_counter() - start
        reporter.end(stage, report.seconds)
    if fatal is not None:
        raise OutputError(fatal, remedy="What is finished stays; mend this and build again to go on from there.")
    if stage.required and report.failures:
        raise BlendvocaError(report.failures[0].error)
    return report


def _plan(
    stage: Stage, work: Workspace, items: Sequence[str], report: StageReport, reporter: Reporter, force: bool
) -> Iterator[Task]:
    """Yield the items to be done; file the others in ``report`` as kept, blocked or failed."""
    for item in items:
        try:
            recipe = stage.recipe(work, item)
        except UpstreamMissingError as error:
            work.ledger.discard(stage.name, item, stage.target(work, item))
            report.blocked.append(item)
            reporter.detail(f"{stage.name} {item}: left out, {error}")
            continue
        except Exception as error:  # what earlier stages left may be anything; the other items go on
            text, trace = explained(error, stage.name, item)
            _log(work, stage.name, item, trace)
            work.ledger.discard(stage.name, item, stage.target(work, item))
            report.failures.append(Failure(stage.name, item, text))
            continue
        why = "forced" if force else work.ledger.why_to_do(item, recipe)
        if why is None:
            report.kept.append(item)
            reporter.detail(f"{stage.name} {item}: kept, nothing changed")
            continue
        reporter.detail(f"{stage.name} {item}: to do, {why}")
        work.ledger.forget(stage.name, item)
        yield Task(stage, item, recipe)


def _log(work: Workspace, stage: str, item: str, trace: str) -> None:
    """Keep the traceback of an internal error in the output folder."""
    if trace:
        with suppress(OSError), (work.out / LOG).open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{datetime.now(UTC).isoformat(timespec='seconds')} stage {stage}, item {item}\n{trace}\n")


@contextmanager
def _stop_flag(reporter: Reporter) -> Iterator[threading.Event]:
    """Yield a flag that SIGINT and SIGTERM raise; a second signal stops at once."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        with suppress(RuntimeError):  # A signal may come in the middle of another line.
            reporter.note("Stopping: finishing what is being written. Once more stops at once.")

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

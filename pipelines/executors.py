"""Who does the work: this process, local worker processes, or a dask cluster. The results are the same bytes.

Linear algebra runs on one thread everywhere: several copies of BLAS in one process, or several processes with many
threads each, slow one another down, and how a sum is split over threads would show in its last bits.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager, contextmanager
from multiprocessing import resource_tracker
from typing import Any, Protocol

from blendvoca.errors import BlendvocaError, ConfigurationError, MissingDependencyError
from blendvoca.internal.names import first_line, shown
from pipelines.stage import Outcome, Task, perform
from pipelines.workspace import Workspace

#: How often an item is given to a fresh worker after its worker died; more means that the item kills workers.
MAX_DEATHS = 2
#: How long to wait for a dask scheduler.
CONNECT_SECONDS = 5
_DIED = "its worker process died again and again (too little memory?). Try --jobs 1."
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


class Executor(AbstractContextManager["Executor"], Protocol):
    """Does tasks in any order and gives outcomes as they come."""

    def run(self, tasks: Iterable[Task], stop: Callable[[], bool]) -> Iterator[Outcome]:
        """Yield the outcome of every task; begin none once ``stop()`` holds, but finish those begun."""


class InProcess(AbstractContextManager["InProcess"]):
    """Does tasks one after the other in this process: for debugging and tests."""

    def __init__(self, work: Workspace) -> None:
        self.work = work

    def __exit__(self, *_: object) -> None:
        return None

    def run(self, tasks: Iterable[Task], stop: Callable[[], bool]) -> Iterator[Outcome]:
        """See :meth:`Executor.run`."""
        for task in tasks:
            if stop():
                return
            yield perform_on_one_thread(self.work, task)


class Processes(AbstractContextManager["Processes"]):
    """Does tasks in worker processes, started when the first task comes.

    :param work: the workspace, sent to every worker once.
    :param jobs: number of workers.
    """

    def __init__(self, work: Workspace, jobs: int) -> None:
        self.work, self.jobs = work, jobs
        self.pool: ProcessPoolExecutor | None = None

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._drop(wait_for_workers=kind is not KeyboardInterrupt)

    def run(self, tasks: Iterable[Task], stop: Callable[[], bool]) -> Iterator[Outcome]:
        """See :meth:`Executor.run`. A worker that dies is replaced, and its items are done again.

        :raises BlendvocaError: if workers do not even start.
        """
        waiting = deque(tasks)
        deaths: dict[str, int] = {}
        running: dict[Future[Outcome], Task] = {}
        while running or (waiting and not stop()):
            broken = not self._feed(waiting, running, deaths, stop)
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                if not isinstance(future.exception(), BrokenExecutor):
                    yield future.result()
                    continue
                broken = True
                deaths[task.item] = deaths.get(task.item, 0) + 1
                if deaths[task.item] > MAX_DEATHS:
                    yield Outcome(task.stage.name, task.item, 0.0, _DIED)
                else:
                    waiting.appendleft(task)
            if broken and not running:
                self._drop()

    def _feed(
        self,
        waiting: deque[Task],
        running: dict[Future[Outcome], Task],
        deaths: dict[str, int],
        stop: Callable[[], bool],
    ) -> bool:
        """Give tasks to workers while there is room; return whether the workers are alive.

        An item whose worker died is given out alone, so that only the guilty are counted twice.
        """
        while waiting and not stop():
            suspect = waiting[0].item in deaths or any(task.item in deaths for task in running.values())
            # One more than there are workers, so that none waits for this process to notice.
            if len(running) >= (1 if suspect else self.jobs + 1):
                return True
            try:
                running[_submit(self._pool(), _perform_in_worker, waiting[0])] = waiting[0]
            except BrokenExecutor:
                return False
            waiting.popleft()
        return True

    def _pool(self) -> ProcessPoolExecutor:
        if self.pool is None:
            context = multiprocessing.get_context("spawn")
            pool = ProcessPoolExecutor(self.jobs, context, _start_worker, (self.work,))
            try:
                _submit(pool, _nothing).result()
            except BrokenExecutor as error:
                raise BlendvocaError(
                    "worker processes do not start",
                    found=str(error),
                    remedy="Call from under `if __name__ == '__main__':`, or build with --jobs 0.",
                ) from error
            self.pool = pool
        return self.pool

    def _drop(self, wait_for_workers: bool = True) -> None:
        if self.pool is not None:
            self.pool.shutdown(wait=wait_for_workers, cancel_futures=True)
            self.pool = None


class Dask(AbstractContextManager["Dask"]):
    """Does tasks on a dask.distributed cluster whose workers see the same files under the same paths.

    :param work: the workspace.
    :param address: address of the scheduler, ``tcp://host:port``.
    :raises MissingDependencyError: without the package distributed.
    :raises ConfigurationError: if no scheduler answers at that address.
    """

    def __init__(self, work: Workspace, address: str) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise MissingDependencyError("distributed", "dask", "--dask") from error
        # A client that failed to connect closes itself when it is collected; inside another's start that never ends.
        gc.collect()
        try:
            self.client = Client(address, set_as_default=False, timeout=CONNECT_SECONDS)
        except Exception as error:  # what else listens there may answer anything
            found = f"{shown(address)} ({first_line(error)})"
            expected = "its address, tcp://host:port"
            raise ConfigurationError("no dask scheduler answers", expected=expected, found=found) from error
        # Nothing is scattered: what is scattered dies with its workers. Every task carries settings and paths instead.
        self.work = type(work)(work.config, work.out)
        self.run_id = uuid.uuid4().hex

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def run(self, tasks: Iterable[Task], stop: Callable[[], bool]) -> Iterator[Outcome]:
        """See :meth:`Executor.run`. dask itself gives the items of a dead worker to another, a few times.

        It counts a death against every item that waited at that worker, so what it gives up is done again, alone: then
        only the guilty fail.
        """
        from distributed import as_completed

        by_key: dict[str, Task] = {}
        futures: list[Any] = []
        suspects: list[Task] = []
        for task in tasks:
            futures.append(self.client.submit(_perform_anywhere, self.run_id, self.work, task, pure=False))
            by_key[futures[-1].key] = task
        for future in as_completed(futures, loop=self.client.loop):
            if stop():
                self.client.cancel([other for other in futures if other.status == "pending"])
                if future.cancelled():
                    continue
            if _killed(future):
                suspects.append(by_key[future.key])
            else:
                yield _outcome(future, by_key[future.key])
        for task in suspects:
            if stop():
                return
            yield _outcome(self.client.submit(_perform_anywhere, self.run_id, self.work, task, pure=False), task)


def _killed(future: Any) -> bool:
    """Return whether dask gave an item up because workers died under it."""
    from distributed.scheduler import KilledWorker

    return not future.cancelled() and isinstance(future.exception(), KilledWorker)


def _outcome(future: Any, task: Task) -> Outcome:
    """Return the outcome of a dask future; what the cluster did not do is a failure, never left out."""
    if future.cancelled():
        return Outcome(task.stage.name, task.item, 0.0, "the cluster lost it. Build again.")
    error = future.exception()
    if error is not None:
        reason = _DIED if _killed(future) else f"the cluster failed: {error}"
        return Outcome(task.stage.name, task.item, 0.0, reason)
    return future.result()


def perform_on_one_thread(work: Workspace, task: Task) -> Outcome:
    """:func:`pipelines.stage.perform` with linear algebra on one thread."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return perform(work, task)


def _submit(pool: ProcessPoolExecutor, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
    """Submit a call; a worker that is started for it inherits what it needs from the first moment."""
    with _one_thread_variables(), _interrupts_held_back():
        return pool.submit(function, *arguments)


@contextmanager
def _one_thread_variables() -> Iterator[None]:
    """Set the variables that libraries read when they are loaded, for processes started meanwhile."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Hold SIGINT back; processes started meanwhile never see it, not even before they could ignore it."""
    # multiprocessing's own helper process unblocks SIGINT when it starts; later it does not.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_workspace_of_run: dict[str, Workspace] = {}


def _perform_anywhere(run_id: str, work: Workspace, task: Task) -> Outcome:
    """Do a task on a dask worker, which opens the corpus once a run, and anew for the next."""
    if run_id not in _workspace_of_run:
        _workspace_of_run.clear()
    return perform_on_one_thread(_workspace_of_run.setdefault(run_id, work), task)


_worker_workspace: Workspace | None = None


def _start_worker(work: Workspace) -> None:
    """Prepare a worker: keep the workspace, leave Ctrl-C to the parent, die with the parent."""
    global _worker_workspace
    _worker_workspace = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _perform_in_worker(task: Task) -> Outcome:
    if _worker_workspace is None:
        raise RuntimeError("the worker was not prepared")
    return perform(_worker_workspace, task)  # One thread by the variables it was started with.


def _nothing() -> None:
    """Show that a worker can start."""

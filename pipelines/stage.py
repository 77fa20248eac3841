"""What a stage is: items, a recipe for each, and one call that makes an item's result."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from errno import EDQUOT, EFBIG, ENOSPC, EROFS
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar

from blendvoca.errors import BlendvocaError, OutputError
from blendvoca.internal.names import first_line
from blendvoca.io.atomic import atomic_path
from blendvoca.io.digest import digest_file
from pipelines.ledger import Mark, Recipe
from pipelines.workspace import Workspace

#: Where tracebacks of internal errors are kept, in the output folder.
LOG = ".stages/errors.log"
#: System errors that the next item would meet as well.
_NO_ROOM = {ENOSPC, EDQUOT, EFBIG, EROFS}


class Stage(ABC):
    """One step of the build. Subclasses hold no state: workers receive them by pickling.

    ``name`` is the folder under ``.stages``; ``title`` stands at the progress bar; ``unit`` is what an item is;
    ``version`` is raised with every change that can change a result's bytes; ``settings`` names the fields of the
    configuration that the result depends on.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    unit: ClassVar[str] = "speakers"
    version: ClassVar[int] = 1
    settings: ClassVar[tuple[str, ...]] = ()
    #: Whether nothing can be built where an item of it fails.
    required: ClassVar[bool] = False
    #: Whether its results are the user's, not intermediate ones: they must be on the disk when they are marked.
    final: ClassVar[bool] = False

    @abstractmethod
    def items(self, work: Any) -> list[str]:
        """Return the items, in the order in which they are done."""

    @abstractmethod
    def inputs(self, work: Any, item: str) -> dict[str, str]:
        """Return fingerprints of all that :meth:`run` reads for ``item``, by name."""

    @abstractmethod
    def run(self, work: Any, item: str, target: Path) -> dict[str, Any]:
        """Read, make one library call, write ``target``; return plain facts for the mark."""

    def target(self, work: Workspace, item: str) -> Path:
        """Return the final path of an item's result."""
        return work.target(self.name, item)

    def weight(self, work: Any, item: str) -> int:
        """Return how much of the progress bar ``item`` is, in ``unit``."""
        return 1

    def recipe(self, work: Workspace, item: str) -> Recipe:
        """Return all that decides the result of ``item``."""
        settings = {name: getattr(work.config, name) for name in self.settings}
        return Recipe(self.name, self.version, settings, self.inputs(work, item))


@dataclass(frozen=True)
class Task:
    """An item to be done by whoever is free."""

    stage: Stage
    item: str
    recipe: Recipe


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    :param stage: name of the stage.
    :param item: the item.
    :param seconds: how long it took, hashing and writing of the mark included.
    :param own_seconds: how long the stage itself took of that.
    :param error: why it failed, in one line; ``None`` when it is done.
    :param fatal: whether the next item would fail likewise (a full disk).
    :param trace: traceback of an internal error, for the log.
    :param facts: the facts of its mark.
    """

    stage: str
    item: str
    seconds: float
    error: str | None = None
    fatal: bool = False
    trace: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    own_seconds: float = 0.0


def perform(work: Workspace, task: Task) -> Outcome:
    """Do one item: result under a temporary name, rename, mark. Errors become part of the outcome."""
    start = perf_counter()
    try:
        facts, own_seconds = _make(work, task)
    except Exception as error:  # One bad item must not stop the others; nothing is hidden: the outcome says it all.
        text, trace = explained(error, task.stage.name, task.item)
        return Outcome(task.stage.name, task.item, perf_counter() - start, text, _is_fatal(error), trace)
    return Outcome(task.stage.name, task.item, perf_counter() - start, facts=facts, own_seconds=own_seconds)


def explained(error: Exception, stage: str, item: str) -> tuple[str, str]:
    """Return what to say of an item's error, and the traceback of one that nobody raised on purpose.

    :param error: that ended the item.
    :param stage: name of the stage.
    :param item: the item.
    """
    if isinstance(error, (BlendvocaError, OSError)):
        return str(error), ""
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    text = f"internal error in stage {stage}, item {item}: {type(error).__name__} at {where}: {first_line(error)}"
    return f"{text} (traceback in {LOG})", "".join(traceback.format_exception(error))


def _make(work: Workspace, task: Task) -> tuple[dict[str, Any], float]:
    final = task.stage.target(work, task.item)
    with atomic_path(final, durable=task.stage.final) as temporary:
        start = perf_counter()
        facts = task.stage.run(work, task.item, temporary)
        own_seconds = perf_counter() - start
        sha256 = digest_file(temporary)
    work.ledger.write(task.item, Mark(task.recipe, str(final.relative_to(work.out)), sha256, facts))
    return facts, own_seconds


def _is_fatal(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OutputError):
            return True
        if isinstance(cause, OSError) and cause.errno in _NO_ROOM:
            return True
        cause = cause.__cause__ or cause.__context__
    # HDF5 reports the system's error in words only.
    return isinstance(error, (OSError, RuntimeError)) and "No space left" in str(error)

"""Where a build works: its settings, its output folder, what earlier stages left there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from blendvoca.errors import BlendvocaError
from pipelines.artefact import Artefact, read_artefact
from pipelines.ledger import RESULT_SUFFIX, Ledger, Mark, file_name


class UpstreamMissingError(BlendvocaError):
    """An item cannot be done because what it builds on has failed."""


class Workspace:
    """Settings, output folder and ledger of a build; sent to every worker once.

    :param config: settings, a frozen dataclass.
    :param out: output folder.
    """

    def __init__(self, config: Any, out: Path) -> None:
        self.config = config
        self.out = out
        self.ledger = Ledger(out)

    def target(self, stage: str, item: str) -> Path:
        """Return where a stage puts the intermediate result of an item."""
        return self.ledger.folder(stage) / f"{file_name(item)}{RESULT_SUFFIX}"

    def mark(self, stage: str, item: str) -> Mark:
        """Return the mark of an item of an earlier stage.

        :raises UpstreamMissingError: if it is not done.
        """
        mark = self.ledger.read(stage, item)
        if mark is None:
            raise UpstreamMissingError(f"{item}: stage {stage} has no result")
        return mark

    def done(self, stage: str, item: str) -> bool:
        """Return whether an item of an earlier stage is done."""
        return self.ledger.read(stage, item) is not None

    def fingerprint(self, stage: str, item: str) -> str:
        """Return the hash of an earlier stage's result: a stage redone to the same bytes changes nothing after it.

        :raises UpstreamMissingError: if it is not done.
        """
        return self.mark(stage, item).sha256

    def load(self, stage: str, item: str) -> Artefact:
        """Return the intermediate result of an item of an earlier stage.

        :raises UpstreamMissingError: if it is not done.
        :raises IntegrityError: if it cannot be read.
        """
        return read_artefact(self.out / self.mark(stage, item).result)

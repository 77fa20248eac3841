"""Where a build works: its settings, its output folder, what earlier stages left there."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any

from blendvoca.errors import BlendvocaError
from blendvoca.io.json_file import anything, mapping, read_json
from blendvoca.io.vocaset.corpus import Corpus
from pipelines.artefact import Artefact, read_artefact
from pipelines.config import BuildConfig
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


class BuildWorkspace(Workspace):
    """The workspace of a build: with the corpus, opened once and sent to the workers.

    :param config: settings of the build.
    :param out: output folder.
    """

    config: BuildConfig

    def __init__(self, config: BuildConfig, out: Path) -> None:
        super().__init__(config, out)

    @cached_property
    def corpus(self) -> Corpus:
        """The corpus: names only, nothing of it is held in memory.

        :raises MissingInputError, FormatError: if there is none.
        """
        from blendvoca.io.vocaset.source import open_corpus

        return open_corpus(self.config.corpus)

    @property
    def speakers(self) -> list[str]:
        """Speakers that a rig can be made for."""
        return list(self.corpus.speakers)

    @cached_property
    def has_sound(self) -> bool:
        """Whether any clip has sound; where none has, clips are built without."""
        return any(self.corpus.has_audio(speaker, sentence) for speaker, sentence in self.corpus.clips())

    @cached_property
    def sample(self) -> dict[str, Any]:
        """What the embedded sample says of itself; empty for any other corpus."""
        from blendvoca.synthetic.corpus import FORMAT, MARKER

        try:
            stated: dict[str, Any] = read_json(self.config.corpus / MARKER, mapping(anything), "no sample")
        except BlendvocaError:
            return {}
        return stated if stated.get("format") == FORMAT else {}

    @property
    def dataset_name(self) -> str:
        """What the dataset is called in its manifest."""
        return "BlendVOCA sample" if self.sample else "BlendVOCA"

    @property
    def source_name(self) -> str:
        """Which source rig is transferred."""
        if self.config.source_rig != "auto":
            return self.config.source_rig
        return "synthetic" if self.sample else "arkit"

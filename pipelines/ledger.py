"""The ledger: what is done, with which inputs, and whether it is still so.

One mark (a small JSON file) a stage and item, written last, after the result itself has its final name. A mark holds
the recipe (stage version, settings, fingerprints of inputs) and the hash of the result. An item is done when its mark's
recipe is today's recipe and the result still has that hash; otherwise the ledger says why it is not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from blendvoca.errors import BlendvocaError, OutputError
from blendvoca.io.atomic import remove_parts, write_text
from blendvoca.io.digest import digest_file, digest_json
from blendvoca.io.json_file import anything, integer, mapping, read_json, table, text
from blendvoca.version import __version__

#: Raised whenever marks or intermediate results change their form; an older ledger is then built anew.
LEDGER_VERSION = 1
#: Ending of intermediate results.
RESULT_SUFFIX = ".npz"


@dataclass(frozen=True)
class Recipe:
    """All that decides what an item's result is.

    :param stage: name of the stage.
    :param version: version of the stage's algorithm.
    :param settings: settings that the stage uses, by name, as plain values.
    :param inputs: fingerprints of what it reads, by name.
    :param release: release of this package; another one makes everything again.
    """

    stage: str
    version: int
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]
    release: str = __version__

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything above."""
        parts = [self.release, self.stage, self.version, dict(self.settings), dict(self.inputs)]
        return digest_json([LEDGER_VERSION, *parts])

    def difference(self, older: Recipe) -> str:
        """Return in words what has changed since ``older``."""
        if self.release != older.release:
            return f"release {older.release} → {self.release}"
        if self.version != older.version:
            return f"stage version {older.version} → {self.version}"
        for kind, new, old in (("setting", self.settings, older.settings), ("input", self.inputs, older.inputs)):
            for name in sorted({*new, *old}):
                if name not in old:
                    return f"new {kind} {name}"
                if name not in new:
                    return f"{kind} {name} is gone"
                if new[name] != old[name]:
                    change = f": {old[name]} → {new[name]}" if kind == "setting" else ""
                    return f"{kind} {name} changed{change}"
        return "nothing"


@dataclass(frozen=True)
class Mark:
    """The mark of a finished item.

    :param recipe: how it was made.
    :param result: path of the result, relative to the output folder.
    :param sha256: hash of the result's bytes.
    :param facts: plain facts that the summary and later stages read without opening the result.
    """

    recipe: Recipe
    result: str
    sha256: str
    facts: dict[str, Any] = field(default_factory=dict)


_MARK = table(
    {
        "recipe": table(
            {
                "stage": text(), "version": integer(), "settings": mapping(anything), "inputs": mapping(text()),
                "release": text(),
            }
        ),
        "result": text(),
        "sha256": text(64),
        "facts": mapping(anything),
    }
)  # fmt: skip


class Ledger:
    """Marks of an output folder.

    :param out: the output folder.
    """

    def __init__(self, out: Path) -> None:
        self.out = out
        self.root = out / ".stages"

    def folder(self, stage: str) -> Path:
        """Return where marks and intermediate results of a stage are kept."""
        return self.root / stage

    def mark_path(self, stage: str, item: str) -> Path:
        """Return where the mark of an item is kept."""
        return self.folder(stage) / f"{file_name(item)}.done"

    def read(self, stage: str, item: str) -> Mark | None:
        """Return the mark of an item, ``None`` where there is none or where it cannot be read."""
        try:
            stored = read_json(self.mark_path(stage, item), _MARK, "no mark of a stage")
        except BlendvocaError:
            return None
        mark = Mark(Recipe(**stored.pop("recipe")), **stored)
        inside = not Path(mark.result).is_absolute() and ".." not in Path(mark.result).parts
        return mark if inside else None

    def write(self, item: str, mark: Mark) -> None:
        """Write the mark of a finished item. Its result must already have its final name."""
        content = json.dumps(asdict(mark), sort_keys=True, indent=1)
        # Not durable: a mark or a result that a power failure has emptied is noticed, and costs its item only.
        write_text(self.mark_path(mark.recipe.stage, item), content + "\n", durable=False)

    def forget(self, stage: str, item: str) -> None:
        """Remove the mark of an item that is about to be made again."""
        try:
            self.mark_path(stage, item).unlink(missing_ok=True)
        except OSError as error:
            raise OutputError("cannot remove a mark", found=error.strerror, path=self.mark_path(stage, item)) from error

    def why_to_do(self, item: str, recipe: Recipe) -> str | None:
        """Return why an item has to be done (again), ``None`` when it is done."""
        mark = self.read(recipe.stage, item)
        if mark is None:
            return "not done yet"
        if mark.recipe.fingerprint != recipe.fingerprint:
            return recipe.difference(mark.recipe)
        try:
            intact = digest_file(self.out / mark.result) == mark.sha256
        except FileNotFoundError:
            return "its result is missing"
        return None if intact else "its result was changed or damaged"

    def orphans(self, stage: str, items: Iterable[str]) -> list[str]:
        """Return the names of items that have a mark and are not among ``items``."""
        keep = {file_name(item) for item in items}
        return sorted(path.stem for path in self.folder(stage).glob("*.done") if path.stem not in keep)

    def discard(self, stage: str, item: str, result: Path) -> None:
        """Remove mark and result of an item that has failed: neither is true any more."""
        self.forget(stage, item)
        result.unlink(missing_ok=True)

    def prune(self, stage: str, items: Iterable[str]) -> list[str]:
        """Remove marks and results of items that are no longer planned; return their names."""
        gone = self.orphans(stage, items)
        for name in gone:
            mark = self.read(stage, name)
            if mark is not None:
                (self.out / mark.result).unlink(missing_ok=True)
            self.forget(stage, name)
        return gone

    def sweep(self) -> None:
        """Remove parts that a killed build has left behind. Only for the holder of the lock."""
        for folder in (self.out, *(path for path in self.root.glob("*") if path.is_dir())):
            remove_parts(folder)


def file_name(item: str) -> str:
    """Return the file name of an item; ``speaker/sentence`` becomes ``speaker+sentence``."""
    return item.replace("/", "+")

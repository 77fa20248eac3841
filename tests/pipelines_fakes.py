"""Pipeline stages that do next to nothing, for tests of ledger and runner; worker processes can import them."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from blendvoca.errors import MeshError, MissingInputError
from blendvoca.io.digest import digest_bytes
from pipelines.artefact import write_artefact
from pipelines.stage import Stage


@dataclass(frozen=True)
class Settings:
    """Numbers by item, read from a folder of text files."""

    source: Path
    factor: int = 2
    log: Path | None = None
    pause: float = 0.0
    misfortunes: dict[str, str] = field(default_factory=dict)


class Double(Stage):
    """Multiply the number in ``source/<item>.txt``."""

    name, title, unit, settings = "double", "doubling", "items", ("factor",)

    def items(self, work: Any) -> list[str]:
        return sorted(path.stem.replace("+", "/") for path in work.config.source.glob("*.txt"))

    def inputs(self, work: Any, item: str) -> dict[str, str]:
        return {"number": digest_bytes(_path(work, item).read_bytes())}

    def run(self, work: Any, item: str, target: Path) -> dict[str, Any]:
        if work.config.log is not None:
            with open(work.config.log, "a") as log:
                log.write(f"{self.name} {item}\n")
        time.sleep(work.config.pause)
        _misfortune(work, item)
        text = _path(work, item).read_text()
        if not text.strip():
            raise MeshError("an empty file", path=_path(work, item))
        write_artefact(target, {"item": item}, value=np.array(int(text) * work.config.factor))
        return {"value": int(text) * work.config.factor}


class Total(Stage):
    """Sum everything of a group (what stands before the slash) into a final file."""

    name, title, unit = "total", "adding up", "groups"

    def items(self, work: Any) -> list[str]:
        return sorted({item.split("/")[0] for item in Double().items(work)})

    def _parts(self, work: Any, group: str) -> list[str]:
        parts = [item for item in Double().items(work) if item.split("/")[0] == group and work.done("double", item)]
        if not parts:
            raise MissingInputError(f"{group}: nothing to add up")
        return parts

    def inputs(self, work: Any, item: str) -> dict[str, str]:
        return {part: work.fingerprint("double", part) for part in self._parts(work, item)}

    def target(self, work: Any, item: str) -> Path:
        return work.out / f"{item}.total"

    def run(self, work: Any, item: str, target: Path) -> dict[str, Any]:
        total = sum(int(work.load("double", part)["value"]) for part in self._parts(work, item))
        target.write_text(f"{total}\n")
        return {"total": total}


def _path(work: Any, item: str) -> Path:
    return work.config.source / f"{item.replace('/', '+')}.txt"


def _misfortune(work: Any, item: str) -> None:
    """Let ``misfortunes`` strike: once (a file remembers) or always."""
    kind = work.config.misfortunes.get(item)
    if kind is None:
        return
    memory = work.config.source / f"{item.replace('/', '+')}.struck"
    if kind == "worker killed once" and not memory.exists():
        memory.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "worker always killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "interrupt":
        os.kill(os.getpid(), signal.SIGINT)
    if kind == "bug":
        raise ZeroDivisionError("a bug")
    if kind == "disk full":
        raise OSError(28, "No space left on device")

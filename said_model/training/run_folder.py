"""What a training keeps in its folder besides the checkpoint: its log, its state, its lock; and what stops it."""

from __future__ import annotations

import csv
import shutil
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from blendvoca.errors import OutputError
from blendvoca.io.atomic import atomic_path, remove_parts, write_text
from blendvoca.io.files import decode_text, read_bytes
from blendvoca.io.lock import LOCK_NAME, locked

LOG_FILE = "log.csv"


@contextmanager
def only_run(folder: Path) -> Iterator[None]:
    """Hold a run's folder: two trainings would write their states over each other.

    What a killed training has left half-written is removed.

    :raises OutputError: if another training holds it, or the folder cannot be written.
    """
    remedy = "Wait for it, stop it, or choose another --out."
    with locked(folder / LOCK_NAME, "another training is writing here", remedy):
        remove_parts(folder)
        yield


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write a training's state.

    :raises OutputError: if the disk is full or the folder cannot be written.
    """
    with atomic_path(path) as temporary:
        try:
            torch.save(dict(state), temporary)
        except RuntimeError as error:  # what torch says of a full disk
            left = f"{shutil.disk_usage(path.parent).free / 2**20:.0f} MiB free"
            raise OutputError(
                "the state for resuming cannot be written", found=left, path=path,
                remedy="Free some space; the same command goes on from the last state.",
            ) from error  # fmt: skip


class StopSignals:
    """While it is entered, SIGINT and SIGTERM are noted instead of ending the process; a second SIGINT ends it.

    Outside of the main thread, where Python allows no handlers, nothing is noted.
    """

    def __init__(self) -> None:
        #: The signal that came, or ``None``.
        self.caught: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopSignals:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def _note(self, number: int, frame: Any) -> None:
        self.caught = number
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def __exit__(self, *error: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


class RunLog:
    """A CSV of the reports, and TensorBoard events where it is installed."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self._board: Any = None

    def cut(self, step: int) -> None:
        """Drop reports of steps after ``step``: the run that goes on from there reports them again.

        :raises FormatError: if it is no text.
        """
        path = self.out / LOG_FILE
        if not path.is_file() or not path.stat().st_size:
            return
        header, *rows = decode_text(read_bytes(path), path).splitlines() or [""]
        kept = [row for row in rows if (number := row.partition(",")[0]).isdecimal() and len(number) < 19
                and int(number) <= step]  # fmt: skip
        if not kept:
            path.unlink()
        elif len(kept) < len(rows):
            write_text(path, "\n".join([header, *kept]) + "\n")

    def write(self, row: Mapping[str, float | None]) -> None:
        """Append one report: ``step`` and figures.

        :raises OutputError: if the folder cannot be written.
        """
        path = self.out / LOG_FILE
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = not path.exists()
            with path.open("a", newline="") as file:
                writer = csv.DictWriter(file, row)
                if fresh:
                    writer.writeheader()
                writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
        except OSError as error:
            raise OutputError("cannot write the log", found=error.strerror, path=path) from error
        board = self._tensorboard()
        for name, value in row.items():
            if board is not None and isinstance(value, float):
                board.add_scalar(name, value, int(row["step"] or 0))

    def _tensorboard(self) -> Any:
        if self._board is None:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError:
                self._board = False
            else:
                self._board = SummaryWriter(str(self.out / "tensorboard"))
        return self._board or None

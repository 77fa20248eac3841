"""Locks between processes: a file that one process at a time holds, and that the system frees when its holder dies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blendvoca.errors import BlendvocaError, OutputError

#: Name of the lock of a whole folder.
LOCK_NAME = ".lock"


@contextmanager
def locked(
    path: Path, busy: str, remedy: str, patience: float = 0.0, error: type[BlendvocaError] = OutputError
) -> Iterator[None]:
    """Hold a lock for the length of a ``with`` block; kill -9 frees it too.

    :param path: of the lock's own file, made with its folder where it is missing. The file may stay behind; the lock
        on it does not.
    :param busy: what the error says where another process, or another thread of this one, holds it.
    :param remedy: what the user can do then.
    :param patience: seconds to wait for the holder.
    :param error: type of the error that says ``busy``.
    :raises BlendvocaError: of the type ``error`` if somebody else holds it, naming the process where it is known.
    :raises OutputError: if the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path, timeout=patience, thread_local=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        holder = _holder(path)
        lock.acquire()
    except Timeout as reason:
        found = f"process {_holder(path) or holder}" if _holder(path) or holder else None
        raise error(busy, found=found, remedy=remedy, path=path.parent) from reason
    except OSError as reason:
        raise OutputError("cannot write here", found=reason.strerror, path=path.parent) from reason
    try:
        with suppress(OSError):  # The number only helps the message above; a full disk is found out elsewhere.
            path.write_text(str(os.getpid()))
        yield
    finally:
        lock.release()


def _holder(path: Path) -> str:
    """Return the number of the process that holds a lock, as it noted it itself; empty where it cannot be read."""
    try:
        return path.read_text(errors="replace")[:32].strip()
    except OSError:
        return ""

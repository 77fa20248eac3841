"""Where downloads go: names that stay inside their folder, the cache, and a lock against a second download."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from blendvoca.errors import DownloadError, FormatError, OutputError

try:
    import fcntl
except ImportError:  # not a POSIX system: downloads into one folder are then not kept apart
    fcntl = None  # type: ignore[assignment]

_POLL_SECONDS = 0.2


def cache_folder() -> Path:
    """Return where downloads go by default: ``BLENDVOCA_CACHE``, or the system's folder for caches."""
    import pooch

    return Path(os.environ.get("BLENDVOCA_CACHE") or pooch.os_cache("blendvoca"))


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file that someone else named, below a folder.

    :raises FormatError: if the name leads out of the folder, is absolute, hidden or not plain.
    """
    parts = PurePosixPath(name).parts
    plain = bool(parts) and not any(part in ("..", "/") or part.startswith(".") for part in parts)
    if not plain or any(character in name for character in "\\:\0") or name.endswith("/"):
        raise FormatError(
            "a file's name leads out of the folder",
            expected="a plain relative path",
            found=repr(name),
            remedy="Do not use this source.",
        )
    return folder.joinpath(*parts)


@contextmanager
def only_one(path: Path, patience: float = 600.0) -> Iterator[None]:
    """Let one process or thread at a time fetch a file; others wait.

    :param path: the file's final name; the lock stands beside it and is removed at the end.
    :param patience: seconds to wait for another's turn to end.
    :raises DownloadError: if it does not.
    :raises OutputError: if the folder cannot be written.
    """
    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = _acquire(lock, patience)
    except OSError as error:
        raise OutputError("cannot write here", found=error.strerror, path=path.parent) from error
    try:
        yield
    finally:
        # Removed before it is let go: who gets it next sees that it has no name any more, and tries anew.
        lock.unlink(missing_ok=True)
        os.close(descriptor)


def _acquire(lock: Path, patience: float) -> int:
    deadline = time.monotonic() + patience
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        if _locked(descriptor) and _same(descriptor, lock):
            return descriptor
        os.close(descriptor)
        if time.monotonic() > deadline:
            raise DownloadError(
                "another download of this file does not end",
                remedy=f"Wait for it, or remove {lock} if there is none.",
                path=lock,
            )
        time.sleep(_POLL_SECONDS)


def _locked(descriptor: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _same(descriptor: int, lock: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), lock.stat())
    except FileNotFoundError:
        return False

"""Where downloads go: the cache, and a lock against a second download."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blendvoca.errors import DownloadError
from blendvoca.io.lock import locked


def cache_folder() -> Path:
    """Return where downloads go by default: ``BLENDVOCA_CACHE``, or the system's folder for caches."""
    import pooch

    return Path(os.environ.get("BLENDVOCA_CACHE") or pooch.os_cache("blendvoca"))


@contextmanager
def only_one(path: Path, patience: float = 600.0) -> Iterator[None]:
    """Let one process or thread at a time fetch a file; others wait.

    :param path: the file's final name; the lock stands beside it and is removed at the end.
    :param patience: seconds to wait for another's turn to end.
    :raises DownloadError: if it does not.
    :raises OutputError: if the folder cannot be written.
    """
    lock = path.with_name(f".{path.name}.lock")
    remedy = f"Wait for it, or remove {lock} if there is none."
    with locked(lock, "another download of this file does not end", remedy, patience, DownloadError):
        try:
            yield
        finally:
            # Removed before it is let go: who gets it next sees that it has no name any more, and tries anew.
            with suppress(OSError):  # Windows removes no open file; the lock does so when it is let go.
                lock.unlink()

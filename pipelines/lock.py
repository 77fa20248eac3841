"""One build an output folder: a lock that the system itself releases when its holder dies."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blendvoca.errors import OutputError

#: Name of the lock file. The file stays behind; the lock on it does not.
LOCK_NAME = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of ``folder`` for the length of a ``with`` block.

    ``flock`` is tied to the open file, so kill -9 releases it.

    :raises OutputError: if another process holds it, or the folder cannot be written.
    """
    path = folder / LOCK_NAME
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise OutputError("cannot write here", found=error.strerror, path=folder) from error
    try:
        if not _try_lock(descriptor):
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip()
            raise OutputError(
                "another build is writing here",
                found=f"process {holder}" if holder else None,
                remedy="Wait for it, stop it, or choose another --out.",
                path=folder,
            )
        with suppress(OSError):  # The number only helps the message above; a full disk is found out elsewhere.
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

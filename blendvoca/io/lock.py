"""Locks between processes: a file that one process at a time holds, and that the system frees when its holder dies."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blendvoca.errors import BlendvocaError, OutputError
from blendvoca.internal.names import first_line

#: Name of the lock of a whole folder.
LOCK_NAME = ".lock"
#: What systems answer where a file system keeps no locks (NFS without a lock service, some shared folders).
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)


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
        if path.is_symlink() or (path.exists() and not path.is_file()):
            # Opening it could wait for ever, or write to what a link leads to.
            raise OutputError("the lock is no plain file", remedy="Remove it.", path=path)
        holder = _holder(path)
        lock.acquire()
    except Timeout as reason:
        found = f"process {_holder(path) or holder}" if _holder(path) or holder else None
        raise error(busy, found=found, remedy=remedy, path=path.parent) from reason
    except (OSError, NotImplementedError) as reason:
        code = getattr(reason, "errno", None)
        if code in _NO_LOCKS or isinstance(reason, NotImplementedError):
            remedy = "Choose a folder on a local disk, or mount it with locks."
            found = first_line(reason)
            raise OutputError("this file system has no locks", found=found, remedy=remedy, path=path.parent) from reason
        raise OutputError("cannot write here", found=getattr(reason, "strerror", None), path=path.parent) from reason
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

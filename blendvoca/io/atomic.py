"""Writing files so that a crash never leaves a part under the final name."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from blendvoca.errors import OutputError


@contextmanager
def atomic_path(target: str | PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path beside ``target`` that is renamed onto it on success and removed on failure.

    The temporary name keeps the target's suffix, since some writers choose their format by it.

    :raises OutputError: if the folder cannot be made or written.
    """
    final = Path(target)
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{final.name}.", suffix=f".part{final.suffix}", dir=final.parent)
        os.close(handle)
    except OSError as error:
        raise OutputError("cannot write here", found=error.strerror, path=final) from error
    temporary = Path(name)
    try:
        yield temporary
        _finish(temporary, final)
    except OSError as error:
        raise OutputError("writing failed", found=error.strerror or str(error), path=final) from error
    finally:
        temporary.unlink(missing_ok=True)


def _finish(temporary: Path, final: Path) -> None:
    """Flush to disk, give the mode a plain open() would have given, and rename."""
    descriptor = os.open(temporary, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    mask = os.umask(0)
    os.umask(mask)
    temporary.chmod(0o666 & ~mask)
    os.replace(temporary, final)


def write_bytes(target: str | PathLike[str], content: bytes) -> None:
    """Write ``content`` to ``target`` atomically."""
    with atomic_path(target) as temporary:
        temporary.write_bytes(content)


def write_text(target: str | PathLike[str], content: str) -> None:
    """Write UTF-8 text to ``target`` atomically."""
    write_bytes(target, content.encode())

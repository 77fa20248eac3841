"""Writing files so that a crash never leaves a part under the final name."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike
from pathlib import Path

from blendvoca.errors import OutputError


@contextmanager
def atomic_path(target: str | PathLike[str], durable: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside ``target`` that is renamed onto it on success and removed on failure.

    The temporary name keeps the target's suffix, since some writers choose their format by it.

    :param durable: wait until the disk has it. Without, the file is whole after a crash of the process, but may be
        empty after one of the machine: for what is checked by its hash and can be made again.
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
        _finish(temporary, final, durable)
    except OSError as error:
        raise OutputError("writing failed", found=error.strerror or str(error), path=final) from error
    finally:
        temporary.unlink(missing_ok=True)


def _finish(temporary: Path, final: Path, durable: bool) -> None:
    """Flush to disk, give the mode a plain open() would have given, and rename."""
    if durable:
        descriptor = os.open(temporary, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    mask = os.umask(0)
    os.umask(mask)
    temporary.chmod(0o666 & ~mask)
    os.replace(temporary, final)


def remove_parts(folder: str | PathLike[str]) -> None:
    """Remove temporary files that killed processes have left in a folder; only for the holder of its lock.

    Links are removed, not followed; what cannot be removed stays.
    """
    for part in Path(folder).glob(".*.part*"):
        if part.is_symlink() or part.is_file():
            with suppress(OSError):
                part.unlink()


def write_bytes(target: str | PathLike[str], content: bytes, durable: bool = True) -> None:
    """Write ``content`` to ``target`` atomically; ``durable`` as for :func:`atomic_path`."""
    with atomic_path(target, durable) as temporary:
        temporary.write_bytes(content)


def write_text(target: str | PathLike[str], content: str, durable: bool = True) -> None:
    """Write UTF-8 text to ``target`` atomically; ``durable`` as for :func:`atomic_path`."""
    write_bytes(target, content.encode(), durable)

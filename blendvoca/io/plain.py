"""Opening plain files: no pipe, device or socket, whatever its name."""

from __future__ import annotations

import os
import stat
from os import PathLike
from typing import BinaryIO

from blendvoca.errors import MissingInputError

StrPath = str | PathLike[str]
#: What a file may be instead of a plain one, by the test that recognises it.
_KINDS = {stat.S_ISFIFO: "a pipe", stat.S_ISCHR: "a device", stat.S_ISBLK: "a device", stat.S_ISSOCK: "a socket"}


def open_plain(path: StrPath) -> BinaryIO:
    """Open a plain file for reading, whatever it holds.

    :raises MissingInputError: if it is not there, is a folder, pipe or device, or may not be read.
    """
    try:
        # Opening a pipe would wait for its other end, so its kind is asked for first.
        mode = os.stat(path).st_mode
        kind = next((name for test, name in _KINDS.items() if test(mode)), None)
        if kind:
            raise MissingInputError("not a plain file", found=kind, path=path)
        return open(path, "rb")
    except (OSError, ValueError) as error:
        raise unreadable(error, path) from error


def unreadable(error: OSError | ValueError, path: StrPath) -> MissingInputError:
    """Return the error that says why a file cannot be read."""
    # ValueError: a name with a NUL byte in it.
    reason = getattr(error, "strerror", None) or str(error)
    return MissingInputError("cannot read this file", found=reason, path=path)

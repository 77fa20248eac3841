"""Opening and reading files, and naming the file in errors that come from further in."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from blendvoca.errors import BlendvocaError, FormatError
from blendvoca.io.plain import StrPath as StrPath
from blendvoca.io.plain import open_plain, unreadable
from blendvoca.io.stand_in import START, refuse_stand_in


def read_bytes(path: StrPath) -> bytes:
    """Return the content of a file.

    :raises MissingInputError: if it is not there, is a folder, pipe or device, or may not be read.
    :raises FormatError: if it is a Git LFS pointer, a web page, an archive or empty.
    """
    with open_file(path) as file:
        try:
            return file.read()
        except OSError as error:
            raise unreadable(error, path) from error


def open_file(path: StrPath, *, archive: bool = False) -> BinaryIO:
    """Open a plain file for reading; readers that do not take it whole use this.

    :param archive: whether the reader takes zip archives (``.npz``, ``.pth``, ``.zip``).
    :return: the file at its start; the caller closes it.
    :raises MissingInputError: if it is not there, is a folder, pipe or device, or may not be read.
    :raises FormatError: if it is a Git LFS pointer, a web page or empty, or an archive where none is taken.
    """
    file = open_plain(path)
    try:
        refuse_stand_in(file.read(START), path, archive=archive)
        file.seek(0)
    except OSError as error:
        file.close()
        raise unreadable(error, path) from error
    except FormatError:
        file.close()
        raise
    return file


def check_file(path: StrPath, *, archive: bool = False) -> None:
    """Raise as :func:`open_file` does, before a library opens ``path`` itself."""
    open_file(path, archive=archive).close()


def decode_text(data: bytes, path: StrPath | None = None) -> str:
    """Return UTF-8 text without its byte order mark.

    :raises FormatError: if the bytes are no UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError("not a text file", expected="UTF-8", found=str(error), path=path) from error


@contextmanager
def naming(path: StrPath | None) -> Iterator[None]:
    """Add ``path`` to every error of this toolkit raised inside that names no file yet."""
    try:
        yield
    except BlendvocaError as error:
        if error.path is None and path is not None:
            error.path = path
        raise


def parse_numbers(
    text: bytes, dtype: DTypeLike, what: str, path: StrPath | None = None, separator: str = " "
) -> NDArray[np.generic]:
    """Return all numbers of a text, as a flat array.

    :param what: what the error calls them.
    :param separator: what stands between them; a space is any white space.
    :raises FormatError: if anything in the text is not a number of that kind.
    """
    if b"\0" in text:
        raise FormatError(f"{what} are not numbers", found="a NUL byte", path=path)
    if not text or text.isspace():
        return np.empty(0, dtype)
    with warnings.catch_warnings():
        # Text that is no number ends the parse with a warning: a wrong file must not look like a short one.
        warnings.simplefilter("error")
        try:
            return np.fromstring(text, dtype=dtype, sep=separator)
        except (ValueError, Warning) as error:
            raise FormatError(
                f"{what} are not numbers", expected="numbers", found=_first_bad(text, separator), path=path
            ) from error


def _first_bad(text: bytes, separator: str) -> str:
    for word in text[: 1 << 20].split(None if separator == " " else separator.encode()):
        try:
            float(word)
        except ValueError:
            return repr(word[:40].decode("utf-8", "replace"))
    return "an unreadable number"

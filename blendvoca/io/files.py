"""Reading whole files, and naming the file in errors that come from further in."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike, NDArray

from blendvoca.errors import BlendvocaError, FormatError, MissingInputError

StrPath = str | PathLike[str]


def read_bytes(path: StrPath) -> bytes:
    """Return the content of a file.

    :raises MissingInputError: if it is not there, is a folder, or may not be read.
    """
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        # ValueError: a name with a NUL byte in it.
        reason = getattr(error, "strerror", None) or str(error)
        raise MissingInputError("cannot read this file", found=reason, path=path) from error


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

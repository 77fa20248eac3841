"""JSON documents that people write or other programs leave: read strictly, refused in plain words."""

from __future__ import annotations

import json
from os import PathLike

from blendvoca.errors import FormatError
from blendvoca.io.files import decode_text, read_bytes


def read_document(path: str | PathLike[str], what: str, expected: str) -> object:
    """Return the content of a JSON file in which no key stands twice.

    :param what: the clause of the error, such as ``not a map``.
    :param expected: the form that would have been right.
    :raises MissingInputError: if the file cannot be read.
    :raises FormatError: if it is no such JSON.
    """
    try:
        return json.loads(decode_text(read_bytes(path), path), object_pairs_hook=_without_repeats)
    except RecursionError as error:
        raise FormatError(what, expected=expected, found="too many brackets in one another", path=path) from error
    except ValueError as error:
        raise FormatError(what, expected=expected, found=error, path=path) from error


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object as a dictionary; JSON itself would keep the last of a repeated name in silence."""
    table = dict(pairs)
    if len(table) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{sorted({name for name in names if names.count(name) > 1})} twice")
    return table

"""JSON from anywhere: one reader that checks every value against a declared shape, and names path, key and value.

A shape is made of the functions below and describes what a document must hold::

    CARD = table({"name": text(), "bytes": integer(least=0)}, {"homepage": text()})
    card = read_json("card.json", CARD, "no card")

Duplicate keys, NaN, infinities, numbers beyond floats, lone surrogates and absurd nesting are refused everywhere.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from os import PathLike
from typing import Any

from blendvoca.errors import FormatError, InputError, nearest
from blendvoca.internal.limits import JSON
from blendvoca.internal.names import first_line, repeated, shown
from blendvoca.io.files import decode_text, read_bytes

#: Checks a value that stands at a place of the document and returns it.
Shape = Callable[[Any, str], Any]
#: Objects and lists in one another: a glTF scene has six, and what walks a document may call itself as often.
DEEPEST = 100
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def read_json(path: str | PathLike[str], shape: Shape, what: str) -> Any:
    """Read a JSON file.

    :param path: the file.
    :param shape: what it must hold.
    :param what: the clause of the error, such as ``"not a map"``.
    :returns: what the shape makes of the document.
    :raises MissingInputError: if the file cannot be read.
    :raises FormatError: if it is no JSON, or not of the shape.
    """
    return parse_json(read_bytes(path), shape, what, path)


def parse_json(content: bytes | str, shape: Shape, what: str, path: str | PathLike[str] | None = None) -> Any:
    """Check JSON text against a shape; parameters and errors as for :func:`read_json`.

    :param content: the text, or its UTF-8 bytes.
    :param shape: what it must hold.
    :param what: the clause of the error.
    :param path: what errors call the source.
    """
    JSON.check(len(content), path=path)
    text = decode_text(content, path) if isinstance(content, bytes) else content
    try:
        document = json.loads(
            text, object_pairs_hook=_without_repeats, parse_constant=_no_number, parse_float=_finite
        )  # fmt: skip
        if text.count("[") + text.count("{") > DEEPEST or _SURROGATE.search(text):
            _check_inside(document)
    except RecursionError as error:
        raise FormatError(what, expected="JSON", found="too many brackets in one another", path=path) from error
    except ValueError as error:
        raise FormatError(what, expected="JSON", found=first_line(error), path=path) from error
    return check_json(document, shape, what, path)


def check_json(document: Any, shape: Shape, what: str, path: str | PathLike[str] | None = None) -> Any:
    """Check what JSON held against a shape; parameters and errors as for :func:`parse_json`."""
    try:
        return shape(document, "")
    except WrongShape as error:
        raise FormatError(f"{what}: {error.where}", expected=error.expected, found=error.found, path=path) from error


class WrongShape(ValueError):
    """A value is not what the shape says.

    :param where: the key path of the value, such as ``shards[3].bytes``.
    :param expected: what would have been right.
    :param found: what was there.
    """

    def __init__(self, where: str, expected: str, found: str) -> None:
        self.where, self.expected, self.found = where or "the document", expected, found
        super().__init__(f"{self.where}: expected {expected}, found {found}")


def text(longest: int = 100_000, check: Callable[[str], object] | None = None) -> Shape:
    """Return the shape of text.

    :param longest: characters allowed.
    :param check: raises :class:`~blendvoca.errors.InputError` for text that will not do.
    """

    def shape(value: Any, where: str) -> str:
        if not isinstance(value, str):
            raise WrongShape(where, "text", shown(value))
        if len(value) > longest or any("\ud800" <= c <= "\udfff" for c in value):
            raise WrongShape(where, f"at most {longest} characters of valid Unicode", shown(value))
        if check is not None:
            try:
                check(value)
            except InputError as error:
                raise WrongShape(where, str(error.expected or error.what), shown(value)) from error
        return value

    return shape


def number(least: float = -math.inf, most: float = math.inf) -> Shape:
    """Return the shape of a finite number from ``least`` to ``most``, returned as a float."""

    def shape(value: Any, where: str) -> float:
        try:
            good = type(value) in (int, float) and least <= float(value) <= most
        except OverflowError:
            good = False
        if not good:
            raise WrongShape(where, f"a number{_limits(least, most)}", shown(value))
        return float(value)

    return shape


def integer(least: float = -math.inf, most: float = math.inf) -> Shape:
    """Return the shape of a whole number from ``least`` to ``most``."""

    def shape(value: Any, where: str) -> int:
        if type(value) is not int or not least <= value <= most:
            raise WrongShape(where, f"a whole number{_limits(least, most)}", shown(value))
        return value

    return shape


def boolean(value: Any, where: str) -> bool:
    """The shape of ``true`` or ``false``."""
    if not isinstance(value, bool):
        raise WrongShape(where, "true or false", shown(value))
    return value


def either(first: Shape, other: Shape) -> Shape:
    """Return the shape of text, of shape ``first``, or of another kind of value, of shape ``other``."""
    return lambda value, where: (first if isinstance(value, str) else other)(value, where)


def anything(value: Any, where: str) -> Any:
    """The shape of any JSON value, for documents whose inside is checked elsewhere."""
    return value


def choice(*values: str) -> Shape:
    """Return the shape of one of several texts."""

    def shape(value: Any, where: str) -> str:
        if not isinstance(value, str) or value not in values:
            raise WrongShape(where, f"one of {list(values)}", shown(value))
        return value

    return shape


def optional(inner: Shape) -> Shape:
    """Return the shape of ``null`` or ``inner``."""
    return lambda value, where: None if value is None else inner(value, where)


def list_of(inner: Shape, least: int = 0, most: int = 10_000_000) -> Shape:
    """Return the shape of a list of ``least`` to ``most`` values of shape ``inner``."""

    def shape(value: Any, where: str) -> list[Any]:
        if not isinstance(value, list) or not least <= len(value) <= most:
            found = f"{len(value)} of them" if isinstance(value, list) else shown(value)
            raise WrongShape(where, f"a list{_limits(least, most)}", found)
        return [inner(entry, f"{where}[{index}]") for index, entry in enumerate(value)]

    return shape


def mapping(inner: Shape, key: Callable[[str], object] | None = None) -> Shape:
    """Return the shape of an object with any keys, each value of shape ``inner``.

    :param inner: shape of the values.
    :param key: raises :class:`~blendvoca.errors.InputError` for a key that will not do.
    """
    named = text(check=key)

    def shape(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise WrongShape(where, "an object", shown(value))
        return {named(name, f"a key of {where}"): inner(entry, _joined(where, name)) for name, entry in value.items()}

    return shape


def table(required: Mapping[str, Shape], other: Mapping[str, Shape] | None = None, *, more: bool = True) -> Shape:
    """Return the shape of an object with known keys.

    :param required: keys that must be there.
    :param other: keys that may be there.
    :param more: whether further keys are let through unread; they are left out of the result.
    """
    known = {**required, **(other or {})}

    def shape(value: Any, where: str) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise WrongShape(where, f"an object with {list(required) or list(known)}", shown(value))
        missing = [name for name in required if name not in value]
        if missing:
            raise WrongShape(where, f"the keys {list(required)}", f"no {missing}")
        extra = [] if more else [name for name in value if name not in known]
        if extra:
            found = ", ".join(shown(name) + nearest(name[:60], known) for name in extra[:3])
            raise WrongShape(where, f"only the keys {list(known)}", found)
        return {name: inner(value[name], _joined(where, name)) for name, inner in known.items() if name in value}

    return shape


def _check_inside(document: Any) -> None:
    """Refuse values too deep in one another, and text that is no Unicode.

    :raises ValueError: naming what was met.
    """
    level, depth = [document], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ValueError(f"more than {DEEPEST} brackets in one another")
        below: list[Any] = []
        for value in level:
            texts = [value] if isinstance(value, str) else value if isinstance(value, dict) else ()
            if any("\ud800" <= c <= "\udfff" for entry in texts for c in entry if not entry.isascii()):
                raise ValueError("half of a character (a lone surrogate)")
            below += value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        level = below


def _joined(where: str, name: str) -> str:
    return f"{where}.{name}".lstrip(".")


def _limits(least: float, most: float) -> str:
    if math.isinf(least) and math.isinf(most):
        return ""
    if math.isinf(most):
        return f" of at least {least:g}"
    return f" of at most {most:g}" if math.isinf(least) else f" from {least:g} to {most:g}"


def _finite(literal: str) -> float:
    value = float(literal)
    if not math.isfinite(value):
        raise ValueError(f"the number {literal[:20]} is beyond all floats")
    return value


def _no_number(literal: str) -> float:
    raise ValueError(f"{literal}, which JSON does not have")


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return a JSON object as a dictionary; JSON itself would keep the last of a repeated name in silence."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(f"{[shown(name) for name in repeated(name for name, _ in pairs)][:3]} twice")
    return found

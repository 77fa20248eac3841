"""Names from outside: what a speaker, a sentence, a blendshape or a file may be called, checked where data enters.

Two kinds: a *label* is shown and compared (blendshapes, datasets); a *file name* also names files and HDF5 groups
(speakers, sentences), so it holds plain ASCII only and is distinct from its neighbours ignoring case.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from blendvoca.errors import FormatError, InputError, nearest

#: Longest label, in characters. ARKit's longest name has 19, a rig's path-like prefixes some tens more.
LONGEST_LABEL = 200
#: Longest file name, in characters: file systems take 255 bytes, and suffixes and temporary names are added.
LONGEST_FILE_NAME = 120

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_FORMULA = ("=", "+", "-", "@")
#: Names that Windows keeps for devices, whatever follows the first dot.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}


def shown(value: object, most: int = 60) -> str:
    """Return a value from outside for an error message: quoted, printable and short.

    Only text and plain numbers are shown themselves; of anything else, whose ``repr`` may be hostile, the type is.
    """
    if isinstance(value, str):
        short = value if len(value) <= most else value[:most] + "…"
        return repr(short) if short.isprintable() else ascii(short)
    if isinstance(value, bool | float) or value is None or (isinstance(value, int) and abs(value) < 10**most):
        return repr(value)
    return f"a value of type {type(value).__name__}"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's message, printable and short, or its kind where it has none."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return "".join(c if c.isprintable() else "?" for c in line[:200])


def table_cell(text: str) -> str:
    """Return text as a cell of a table with commas: quoted where it must be, and never taken for a formula.

    Spreadsheets compute what begins with ``=``, ``+``, ``-`` or ``@``; an apostrophe before it makes it text.
    """
    safe = f"'{text}" if text[:1] in _FORMULA else text
    return '"' + safe.replace('"', '""') + '"' if any(mark in safe for mark in ',;"\n\r\t') else safe


def from_cell(text: str) -> str:
    """Return the text of a cell that :func:`table_cell` kept from being a formula."""
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA and text[1:] else text


def check_label(name: object, what: str) -> str:
    """Return a label if it is text of printable characters, not empty, not blank and of bounded length.

    :param name: the label.
    :param what: what errors call it, such as ``"blendshape"``.
    :raises InputError: otherwise.
    """
    if not isinstance(name, str):
        raise InputError(f"the name of a {what} is not text", found=shown(name))
    # Control characters and lone surrogates are not printable.
    if not name.strip() or not name.isprintable() or len(name) > LONGEST_LABEL:
        raise InputError(
            f"not a name for a {what}", expected=f"1 to {LONGEST_LABEL} printable characters", found=shown(name)
        )
    return name


def check_labels(names: Sequence[object], what: str, error: type[InputError] = InputError) -> None:
    """Refuse labels that are none, or that repeat.

    :param names: labels of one kind.
    :param what: what errors call one of them.
    :param error: the type to raise.
    :raises InputError: of the type ``error``.
    """
    try:
        found = repeated(check_label(name, what) for name in names)
    except InputError as wrong:
        raise error(wrong.what, expected=wrong.expected, found=wrong.found) from wrong
    if found:
        raise error(f"repeated {what} names", found=[shown(name) for name in found[:4]])


def places_of(wanted: Sequence[str], known: Sequence[str], owner: str, error: type[InputError]) -> list[int]:
    """Return where blendshapes stand in a list of names.

    :param wanted: the names looked for.
    :param known: the list.
    :param owner: what errors call the list's owner, such as ``"track"``.
    :param error: the type to raise.
    :raises InputError: of the type ``error``, naming those that are not in the list, with the nearest that are.
    """
    index = {name: place for place, name in enumerate(known)}
    missing = [name for name in wanted if name not in index]
    if missing:
        some = ", ".join(name + nearest(name, known) for name in missing[:3])
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise error(f"the {owner} lacks blendshapes", found=f"no {some}{more}")
    return [index[name] for name in wanted]


def check_file_name(name: object, what: str) -> str:
    """Return the name of a speaker or sentence if it can name files and groups.

    :param name: the name.
    :param what: what errors call it, such as ``"speaker"``.
    :raises InputError: otherwise.
    """
    if not isinstance(name, str):
        raise InputError(f"the name of a {what} is not text", found=shown(name))
    if not _PLAIN.fullmatch(name) or len(name) > LONGEST_FILE_NAME or name.endswith("."):
        raise InputError(
            f"this {what} cannot name a file",
            expected=f"1 to {LONGEST_FILE_NAME} letters, digits and . _ -, beginning with a letter or digit",
            found=shown(name),
        )
    if name.split(".")[0].lower() in _DEVICES:
        raise InputError(f"this {what} names a device on some systems", found=repr(name), remedy="Rename it.")
    return name


def repeated(names: Iterable[str]) -> list[str]:
    """Return the names that occur more than once, sorted."""
    return sorted(name for name, count in Counter(names).items() if count > 1)


def check_distinct(names: Sequence[str], what: str) -> None:
    """Refuse names that would become one file where file systems ignore case.

    :param names: names of one kind.
    :param what: what errors call one of them.
    :raises InputError: if two differ in case alone, or not at all.
    """
    folded = set(repeated(name.casefold() for name in names))
    if folded:
        clash = sorted(name for name in names if name.casefold() in folded)[:4]
        raise InputError(f"two {what}s have one name, ignoring case", found=clash, remedy="Rename one of them.")


def inside(root: str | Path, *parts: str) -> Path:
    """Join parts under a root; every path that is made of names from outside is made here.

    :param root: the folder that must not be left.
    :param parts: plain relative paths of visible files, with ``/`` between folders.
    :returns: the path below ``root``.
    :raises FormatError: if a part is absolute, hidden, not printable or leads out of the folder.
    """
    for part in parts:
        names = part.split("/")
        plain = part.isprintable() and not any(character in part for character in "\\:")
        if not plain or any(name.startswith(".") or not name for name in names):
            raise FormatError(
                "a file's name leads out of the folder, or is none",
                expected="a plain relative path",
                found=shown(part),
                remedy="Do not use this source.",
            )
    return Path(root).joinpath(*parts)

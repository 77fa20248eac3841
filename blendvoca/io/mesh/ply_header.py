"""The header of a PLY file: what lies in the body, in which order and of which type (Turk 1994)."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from blendvoca.errors import FormatError

_TYPES = {
    **{"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"},
    **{"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4"},
    **{"float": "f4", "double": "f8", "float32": "f4", "float64": "f8", "int64": "i8", "uint64": "u8"},
}
_ORDERS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}
#: A header longer than this is none.
_MAX_HEADER = 1 << 16
#: A line of its own: comments may hold the word.
_END = re.compile(rb"[\r\n][ \t]*end_header[^\n]{0,60}\n")


@dataclass(frozen=True)
class Property:
    """One property: a scalar, or a list whose length has the type ``count``."""

    name: str
    type: str
    count: str | None = None


@dataclass(frozen=True)
class Element:
    """One element: ``count`` rows of the same properties."""

    name: str
    count: int
    properties: tuple[Property, ...]

    @property
    def has_lists(self) -> bool:
        """Whether rows differ in length."""
        return any(entry.count for entry in self.properties)

    def row_type(self, order: str) -> np.dtype[np.void]:
        """Return the type of a row of scalars, in byte order ``order``."""
        return np.dtype([(entry.name, order + entry.type) for entry in self.properties])

    def least_bytes(self, ascii_text: bool) -> int:
        """Return how many bytes all rows take at the least: what a file must hold before anything is allocated."""
        if ascii_text:
            return self.count * max(2 * len(self.properties) - 1, 1)
        return self.count * sum(np.dtype(entry.count or entry.type).itemsize for entry in self.properties)


@dataclass(frozen=True)
class PlyHeader:
    """What a PLY header declares.

    :param order: ``"="`` for text, ``"<"`` or ``">"`` for binary.
    :param elements: in file order.
    :param size: bytes of the header itself.
    """

    order: str
    elements: tuple[Element, ...]
    size: int

    @property
    def is_ascii(self) -> bool:
        """Whether the body is text."""
        return self.order == "="

    def element(self, name: str) -> Element | None:
        """Return the element called ``name``, or nothing."""
        return next((entry for entry in self.elements if entry.name == name), None)


def parse_header(data: bytes) -> PlyHeader:
    """Parse the header of PLY bytes and compare its claims with their number.

    :raises FormatError: for bytes that are no PLY, a header that cannot be read, or more rows than the file can hold.
    """
    if not data.startswith(b"ply"):
        raise FormatError("not a PLY file", expected="'ply' in the first line", found=repr(data[:16]))
    end = _END.search(data, 0, _MAX_HEADER)
    if end is None:
        raise FormatError("the PLY header does not end", expected="a line 'end_header'")
    order, elements, properties = "", list[tuple[str, int]](), list[list[Property]]()
    for line in data[: end.start()].decode("ascii", "replace").splitlines()[1:]:
        words = line.split()
        if not words or words[0] in ("comment", "obj_info"):
            continue
        if words[0] == "format" and len(words) >= 2 and words[1] in _ORDERS:
            order = _ORDERS[words[1]]
        elif words[0] == "element" and len(words) == 3 and words[2].isdecimal() and len(words[2]) < 19:
            elements.append((words[1], int(words[2])))
            properties.append([])
        elif words[0] == "property" and elements:
            properties[-1].append(_property(words, line))
        else:
            raise FormatError("a PLY header line cannot be read", found=repr(line[:80]))
    if not order:
        raise FormatError("the PLY header names no format", expected=f"one of {list(_ORDERS)}")
    header = PlyHeader(
        order, tuple(Element(*element, tuple(held)) for element, held in zip(elements, properties)), end.end()
    )
    _check_claims(header, len(data))
    return header


def _property(words: list[str], line: str) -> Property:
    if len(words) == 3 and words[1] in _TYPES:
        return Property(words[2], _TYPES[words[1]])
    if len(words) == 5 and words[1] == "list" and words[2] in _TYPES and words[3] in _TYPES:
        count = _TYPES[words[2]]
        if not count.startswith("f"):
            return Property(words[4], _TYPES[words[3]], count)
    raise FormatError("a PLY property cannot be read", found=repr(line[:80]))


def _check_claims(header: PlyHeader, size: int) -> None:
    """Refuse a header that promises more than the file holds, and rows that cannot be distinguished."""
    for element in header.elements:
        names = [entry.name for entry in element.properties]
        if len(set(names)) != len(names) or not names:
            raise FormatError(f"PLY element {element.name!r} has no or repeated properties", found=names)
    # The last line of a text file may lack its newline.
    needed = sum(element.least_bytes(header.is_ascii) for element in header.elements)
    if needed > size - header.size:
        claims = ", ".join(f"{element.count} × {element.name}" for element in header.elements)
        raise FormatError(
            "the PLY file is shorter than its header claims",
            expected=f"{needed} bytes or more for {claims}",
            found=f"{size - header.size} bytes after the header",
            remedy="The file is truncated or damaged: copy it again.",
        )

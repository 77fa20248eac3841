"""Lists of vertex indices as text, read one way everywhere.

Whole numbers counted from 0, separated by white space, commas or semicolons; ``#`` starts a comment; a byte order mark
and empty lines are passed over; ``12.0``, as some tools write, is 12. Order and repeats are the file's: who needs a set
sorts it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError, MeshError
from blendvoca.internal.names import shown
from blendvoca.io.files import StrPath, decode_text, naming, read_bytes

#: Largest list, in bytes: every vertex of a mesh of a million has seven.
MOST_BYTES = 1 << 25
#: A million indices of seven digits.
LONGEST_LINE = 8_000_000
#: Beyond every mesh.
_HIGHEST = 2**31


def read_vertex_list(path: StrPath, n_vertices: int | None = None) -> NDArray[np.int64]:
    """Read a list of vertex indices.

    :param path: of a text file.
    :param n_vertices: V of the mesh, to check the range; None where it is not known.
    :returns: (n,) indices in the file's order, repeats kept.
    :raises MissingInputError: if the file cannot be read.
    :raises FormatError: if it holds no number, or something else than whole numbers, naming the line.
    :raises MeshError: for an index that is negative or not below ``n_vertices``, naming the line.
    """
    return decode_vertex_list(read_bytes(path), n_vertices, path)


def decode_vertex_list(data: bytes, n_vertices: int | None = None, path: StrPath | None = None) -> NDArray[np.int64]:
    """Decode the bytes of a list; parameters and errors as for :func:`read_vertex_list`."""
    with naming(path):
        if len(data) > MOST_BYTES:
            most = f"at most {MOST_BYTES} bytes"
            raise FormatError("too large for a list of vertices", expected=most, found=len(data))
        indices: list[int] = []
        for number, line in enumerate(decode_text(data).splitlines(), 1):
            if len(line) > LONGEST_LINE:
                most = f"lines of at most {LONGEST_LINE} characters"
                raise FormatError("too long a line for a list of vertices", expected=most, found=len(line))
            words = line.split("#", 1)[0].replace(",", " ").replace(";", " ").split()
            indices += [_index(word, number, n_vertices) for word in words]
        if not indices:
            expected = "vertex indices, one or more a line"
            raise FormatError("a list of vertices without one", expected=expected, found="none")
        return np.array(indices, dtype=np.int64)


def _index(word: str, line: int, n_vertices: int | None) -> int:
    try:
        value = int(word) if word.lstrip("+-").isdigit() else float(word)
        index = int(value)
    except (ValueError, OverflowError):
        index, value = 0, float("nan")
    if index != value or "_" in word or not word.isascii():
        raise FormatError("no vertex index", expected="integers", found=f"{shown(word, 20)} in line {line}")
    limit = _HIGHEST if n_vertices is None else n_vertices
    if not 0 <= index < limit:
        counted = n_vertices is not None and index == n_vertices
        raise MeshError(
            "a vertex index out of range",
            expected="indices from 0" if n_vertices is None else f"indices 0..{n_vertices - 1}",
            found=f"{word[:20]} in line {line}",
            remedy="Does the list count from 1? Subtract 1 from every index."
            if counted
            else "The list belongs to another mesh.",
        )
    return index

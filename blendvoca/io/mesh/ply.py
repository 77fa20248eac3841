"""PLY meshes: text and both binary byte orders, any extra properties and elements."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError
from blendvoca.io.files import StrPath, naming, parse_numbers, read_bytes
from blendvoca.io.mesh.ply_header import Element, PlyHeader, parse_header
from blendvoca.io.mesh.polygons import PolygonMesh, strip
from blendvoca.mesh import Mesh

_FACE_LISTS = ("vertex_indices", "vertex_index")


def read_ply(path: StrPath) -> Mesh:
    """Read a PLY mesh; polygons become fans of triangles.

    :raises MissingInputError: if the file cannot be read.
    :raises FormatError: if it is no PLY, is truncated or malformed.
    :raises MeshError: if it holds no proper mesh.
    """
    return decode_ply(read_bytes(path), path)


def decode_ply(data: bytes, path: StrPath | None = None) -> Mesh:
    """Decode the bytes of a PLY file; ``path`` is what errors call it."""
    with naming(path):
        return decode_ply_polygons(data).triangulated()


def decode_ply_polygons(data: bytes) -> PolygonMesh:
    """Decode the bytes of a PLY file, polygons as they stand.

    Coordinates have the precision that the header declares, in text files too.
    """
    header = parse_header(data)
    vertices: NDArray[np.floating] | None = None
    counts = corners = np.empty(0, np.int64)
    place = header.size
    for element in header.elements:
        columns, place = _read_element(data, place, element, header)
        if element.name == "vertex":
            vertices = _positions(columns, element)
        elif element.name == "face":
            counts, corners = _indices(columns)
        elif element.name == "tristrips":
            lengths, entries = _indices(columns)
            triangles = strip(np.insert(entries, np.cumsum(lengths), -1))
            counts, corners = np.full(len(triangles), 3), triangles.ravel()
    if vertices is None:
        raise FormatError("the PLY file has no vertices", expected="an element 'vertex' with x, y, z")
    return PolygonMesh(vertices, counts, corners)


#: A column of an element: its values, or for lists the lengths and all entries after each other.
_Columns = dict[str, "NDArray[Any] | tuple[NDArray[np.int64], NDArray[Any]]"]


def _read_element(data: bytes, place: int, element: Element, header: PlyHeader) -> tuple[_Columns, int]:
    """Return the columns of ``element``, whose rows start at byte ``place``, and where its rows end."""
    if header.is_ascii:
        end = after_lines(data, place, element.count)
        return _text_columns(data[place:end], element), end
    if not element.has_lists:
        rows = binary_rows(data, place, element, header.order)
        return {entry.name: rows[entry.name] for entry in element.properties}, place + rows.nbytes
    return _binary_lists(data, place, element, header.order)


def binary_rows(data: bytes, place: int, element: Element, order: str) -> NDArray[np.void]:
    """Return the rows of an element without lists as a structured view of ``data``."""
    row = element.row_type(order)
    if place + element.count * row.itemsize > len(data):
        raise _truncated(element, len(data))
    return np.frombuffer(data, row, element.count, place)


def after_lines(data: bytes, place: int, lines: int) -> int:
    """Return the place after ``lines`` lines of text; the last may lack its newline."""
    if lines == 0:
        return place
    ends = np.flatnonzero(np.frombuffer(data, np.uint8, offset=place) == 10)
    if len(ends) >= lines:
        return place + int(ends[lines - 1]) + 1
    if len(ends) == lines - 1 and not data.endswith(b"\n"):
        return len(data)
    raise FormatError(
        "the PLY file ends too early", expected=f"{lines} more lines", found=len(ends), remedy="Copy it again."
    )


def _text_columns(text: bytes, element: Element) -> _Columns:
    whole = all(entry.type[0] in "iu" for entry in element.properties)
    numbers = parse_numbers(text, np.int64 if whole else np.float64, f"rows of PLY element {element.name!r}")
    if element.has_lists:
        return _split_lists(numbers, element)
    width = len(element.properties)
    if numbers.size != element.count * width:
        raise _wrong_count(element, numbers.size, element.count * width)
    table = numbers.reshape(element.count, width)
    with np.errstate(over="ignore"):
        # What does not fit becomes infinite, and the mesh refuses that.
        return {
            entry.name: table[:, column].astype(entry.type) if entry.type[0] == "f" else table[:, column]
            for column, entry in enumerate(element.properties)
        }


def _split_lists(numbers: NDArray[np.generic], element: Element) -> _Columns:
    """Split a flat text block with lists into columns."""
    fixed = _equal_lists(numbers, element)
    if fixed is not None:
        return fixed
    values, place = numbers.tolist(), 0
    rows: list[list[object]] = [[] for _ in element.properties]
    lengths: list[list[int]] = [[] for _ in element.properties]
    for _ in range(element.count):
        for column, entry in enumerate(element.properties):
            length = 1
            if entry.count:
                stated, place = values[place] if place < len(values) else -1, place + 1
                # Not a number and infinity are no lengths either.
                length = int(stated) if 0 <= stated <= len(values) else -1
            if length < 0 or place + length > len(values):
                raise _wrong_count(element, len(values), "more")
            rows[column] += values[place : place + length]
            lengths[column].append(length)
            place += length
    if place != len(values):
        raise _wrong_count(element, len(values), place)
    return _gather(element, rows, lengths)


def _equal_lists(numbers: NDArray[np.generic], element: Element) -> _Columns | None:
    """Columns of rows that all look like the first one, as triangle meshes have them; nothing if they do not."""
    if element.count == 0 or numbers.size % element.count:
        return None
    table = numbers.reshape(element.count, -1)
    columns: _Columns = {}
    place = 0
    for entry in element.properties:
        if not entry.count:
            columns[entry.name] = table[:, place : place + 1].ravel()
            place += 1
            continue
        stated = table[0, place] if place < table.shape[1] else -1
        length = int(stated) if 0 <= stated < table.shape[1] else -1
        if length < 0 or place + 1 + length > table.shape[1] or not (table[:, place] == length).all():
            return None
        entries = table[:, place + 1 : place + 1 + length].ravel()
        columns[entry.name] = (np.full(element.count, length, np.int64), entries)
        place += 1 + length
    return columns if place == table.shape[1] else None


def _binary_lists(data: bytes, place: int, element: Element, order: str) -> tuple[_Columns, int]:
    """Decode rows with lists: at once where all lists are as long as the first row's, else row by row."""
    first = _one_row(data, place, element, order)
    row = np.dtype(
        [
            part
            for (_, length), entry in zip(first, element.properties, strict=True)
            for part in (
                [(f"#{entry.name}", order + entry.count), (entry.name, order + entry.type, (length,))]
                if entry.count
                else [(entry.name, order + entry.type)]
            )
        ]
    )
    end = place + row.itemsize * element.count
    if end <= len(data):
        rows = np.frombuffer(data, row, element.count, place)
        lists = [
            (entry.name, length) for (_, length), entry in zip(first, element.properties, strict=True) if entry.count
        ]
        if all((rows[f"#{name}"] == length).all() for name, length in lists):
            columns: _Columns = {entry.name: rows[entry.name] for entry in element.properties}
            for name, length in lists:
                columns[name] = (np.full(element.count, length, np.int64), rows[name].ravel())
            return columns, end
    return _binary_row_by_row(data, place, element, order)


def _one_row(data: bytes, place: int, element: Element, order: str) -> list[tuple[int, int]]:
    """Return for every property of the row at ``place`` where its values start and how many they are."""
    if element.count == 0:
        return [(place, 0)] * len(element.properties)
    spans = []
    for entry in element.properties:
        length = 1
        if entry.count:
            kind = np.dtype(order + entry.count)
            if place + kind.itemsize > len(data):
                raise _truncated(element, len(data))
            length = int(np.frombuffer(data, kind, 1, place)[0])
            place += kind.itemsize
        stop = place + length * np.dtype(entry.type).itemsize
        if length < 0 or stop > len(data):
            raise _truncated(element, len(data))
        spans.append((place, length))
        place = stop
    return spans


def _binary_row_by_row(data: bytes, place: int, element: Element, order: str) -> tuple[_Columns, int]:
    rows: list[list[object]] = [[] for _ in element.properties]
    lengths: list[list[int]] = [[] for _ in element.properties]
    for _ in range(element.count):
        for column, (start, length) in enumerate(_one_row(data, place, element, order)):
            kind = np.dtype(order + element.properties[column].type)
            rows[column] += np.frombuffer(data, kind, length, start).tolist()
            lengths[column].append(length)
            place = start + length * kind.itemsize
    return _gather(element, rows, lengths), place


def _whole(values: NDArray[Any]) -> NDArray[np.int64]:
    """Return list entries as integers, which they are even where a file states them as 2.0."""
    if values.dtype.kind in "iu":
        return values.astype(np.int64)
    if not (np.abs(values) < 2**53).all() or (values != np.rint(values)).any():
        raise FormatError("PLY faces hold something other than indices", expected="whole numbers")
    return values.astype(np.int64)


def _gather(element: Element, rows: list[list[object]], lengths: list[list[int]]) -> _Columns:
    return {
        entry.name: (np.array(lengths[column], np.int64), np.array(rows[column]))
        if entry.count
        else np.array(rows[column])
        for column, entry in enumerate(element.properties)
    }


def _positions(columns: _Columns, element: Element) -> NDArray[np.floating]:
    axes = [columns.get(axis) for axis in "xyz"]
    if any(not isinstance(axis, np.ndarray) for axis in axes):
        names = [entry.name for entry in element.properties]
        raise FormatError("PLY vertices lack coordinates", expected="scalar properties x, y, z", found=names)
    return np.stack(axes, axis=1)  # type: ignore[arg-type]


def _indices(columns: _Columns) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    for name in _FACE_LISTS:
        column = columns.get(name)
        if isinstance(column, tuple):
            return column[0], _whole(column[1])
    raise FormatError("PLY faces lack their corners", expected=f"a list property {_FACE_LISTS}", found=list(columns))


def _truncated(element: Element, size: int) -> FormatError:
    return FormatError(
        f"the PLY file ends inside its element {element.name!r}",
        found=f"{size} bytes",
        remedy="The file is truncated or damaged: copy it again.",
    )


def _wrong_count(element: Element, found: int, expected: object) -> FormatError:
    return FormatError(f"PLY element {element.name!r} has a wrong count of numbers", expected=expected, found=found)

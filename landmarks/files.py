"""Landmark files: a text of 68 vertex indices, as the authors publish theirs, or JSON that names every point.

Text: one vertex index a line, in the order of the scheme; ``#`` starts a comment. JSON::

    {"format": "blendvoca-landmarks", "version": 1, "scheme": "ibug68", "vertices": 5023,
     "points": {"contour_right_1": 2210, ...}}

The same JSON with fewer names is a file of picked points (:func:`read_picks`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import FormatError, LandmarkError, MeshError, MissingInputError, VersionError, nearest
from blendvoca.ibug68 import INDEX, N_LANDMARKS, NAMES, OTHER_SCHEMES
from blendvoca.io.atomic import write_text
from blendvoca.io.files import read_bytes
from blendvoca.io.json_file import anything, parse_json
from blendvoca.io.vertex_list import decode_vertex_list
from blendvoca.mesh import Faces
from landmarks.embedding import is_embedding, read_embedding

FORMAT, VERSION, SCHEME = "blendvoca-landmarks", 1, "ibug68"
# A list of indices is small; anything larger is another kind of file.
_MAX_BYTES = 10_000_000
_WRONG = "the landmark file is no valid JSON"

Indices = NDArray[np.int64]


def checked_indices(
    values: ArrayLike, n_vertices: int | None = None, *, path: str | PathLike[str] | None = None
) -> Indices:
    """Return 68 vertex indices as (68,) int64.

    :param n_vertices: V of the mesh, to check the range.
    :raises LandmarkError: for a wrong length, numbers that are no index, a vertex that does not exist, or one twice.
    """
    array = np.asarray(values)
    if array.ndim != 1 or len(array) != N_LANDMARKS:
        found = f"{len(array)} points" if array.ndim == 1 else f"an array {array.shape}"
        if array.ndim == 1 and len(array) in OTHER_SCHEMES:
            found += f", perhaps {OTHER_SCHEMES[len(array)]}"
        raise LandmarkError(
            "wrong number of landmarks",
            expected=f"{N_LANDMARKS} vertex indices",
            found=found,
            remedy="Place the missing points with 'blendvoca landmarks pick'.",
            path=path,
        )
    if not np.issubdtype(array.dtype, np.integer):
        raise LandmarkError("landmarks are vertex indices", expected="integers", found=array.dtype, path=path)
    indices = array.astype(np.int64)
    check_range(indices, n_vertices, path=path)
    unique, count = np.unique(indices, return_counts=True)
    if (count > 1).any():
        vertex = int(unique[count > 1][0])
        names = [NAMES[point] for point in np.flatnonzero(indices == vertex)]
        raise LandmarkError(
            "two landmarks on one vertex",
            expected="68 different vertices",
            found=f"{' and '.join(names)} on vertex {vertex}",
            path=path,
        )
    return indices


def check_range(indices: Indices, n_vertices: int | None, *, path: str | PathLike[str] | None = None) -> None:
    """Raise a LandmarkError where an index is negative or not below ``n_vertices`` (None: unknown)."""
    low, high = (int(indices.min()), int(indices.max())) if len(indices) else (0, -1)
    if low >= 0 and (n_vertices is None or high < n_vertices):
        return
    remedy = "The list belongs to another mesh."
    if low > 0 and high == n_vertices:
        remedy = "Does the list count from 1? Subtract 1 from every index."
    expected = "indices from 0" if n_vertices is None else f"indices 0..{n_vertices - 1}"
    raise LandmarkError(
        "a landmark names a vertex that does not exist",
        expected=expected,
        found=low if low < 0 else high,
        remedy=remedy,
        path=path,
    )


def read_landmarks(path: str | PathLike[str], n_vertices: int | None = None, faces: Faces | None = None) -> Indices:
    """Read 68 vertex indices (68,) int64 from a text, JSON or embedding file (by its content, not its name).

    :param path: of the file.
    :param n_vertices: V of the mesh; None does not check the range.
    :param faces: (F, 3) triangles of the mesh, for a file that places points on them (:mod:`landmarks.embedding`).
    :raises MissingInputError: if there is no such file.
    :raises FormatError: if it is neither kind of file, or JSON of another format.
    :raises LandmarkError: for a wrong length, a vertex out of range or one twice, or a missing name.
    """
    if Path(path).is_file() and is_embedding(path):
        return _complete(read_embedding(path, faces), n_vertices, path)
    text = _text(path)
    if not text.lstrip().startswith(("{", "[")):
        return checked_indices(_numbers(text, path), n_vertices, path=path)
    content = parse_json(text, anything, _WRONG, path)
    if isinstance(content, list):
        return checked_indices(_integers(content, path), n_vertices, path=path)
    return _complete(_points(content, n_vertices, path), n_vertices, path)


def _complete(points: Mapping[str, int], n_vertices: int | None, path: str | PathLike[str]) -> Indices:
    """Return all 68 indices of named points.
    :raises LandmarkError: if some are missing."""
    missing = [name for name in NAMES if name not in points]
    if missing:
        shown = ", ".join(missing[:6]) + (", …" if len(missing) > 6 else "")
        raise LandmarkError(
            "landmarks are missing",
            expected=f"all {N_LANDMARKS} names",
            found=f"{len(points)}, no {shown}",
            remedy="'blendvoca landmarks transfer' completes picked points.",
            path=path,
        )
    return checked_indices([points[name] for name in NAMES], n_vertices, path=path)


def read_picks(path: str | PathLike[str], n_vertices: int | None = None, faces: Faces | None = None) -> dict[str, int]:
    """Read named points: name to vertex, any number of the 68; an embedding of 51 has all but the contour.

    :raises MissingInputError, FormatError, LandmarkError: as :func:`read_landmarks`; a text file must hold all 68.
    """
    if Path(path).is_file() and is_embedding(path):
        return checked_points(read_embedding(path, faces), n_vertices, path)
    text = _text(path)
    if not text.lstrip().startswith("{"):
        return dict(zip(NAMES, read_landmarks(path, n_vertices).tolist()))
    return _points(parse_json(text, anything, _WRONG, path), n_vertices, path)


def write_landmarks(path: str | PathLike[str], indices: ArrayLike, n_vertices: int | None = None) -> None:
    """Write 68 indices: JSON where the name ends in ``.json``, else text; atomically.

    :param path: of the file.
    :param indices: (68,) vertex indices.
    :param n_vertices: V of the mesh; None does not check the range.
    :raises LandmarkError: if the list is not valid.
    """
    checked = checked_indices(indices, n_vertices)
    if Path(path).suffix.lower() == ".json":
        write_picks(path, dict(zip(NAMES, checked.tolist())), n_vertices)
    else:
        write_text(path, "".join(f"{index}\n" for index in checked.tolist()))


def write_picks(path: str | PathLike[str], points: Mapping[str, int], n_vertices: int | None = None) -> None:
    """Write named points as JSON; atomically."""
    content: dict[str, Any] = {"format": FORMAT, "version": VERSION, "scheme": SCHEME}
    if n_vertices is not None:
        content["vertices"] = n_vertices
    content["points"] = {name: int(points[name]) for name in NAMES if name in points}
    write_text(path, json.dumps(content, indent=1) + "\n")


def checked_points(points: object, n_vertices: int | None, path: str | PathLike[str] | None = None) -> dict[str, int]:
    """Return named points, each a name of the scheme and a vertex.
    :raises LandmarkError: otherwise."""
    if not isinstance(points, Mapping) or not points:
        raise LandmarkError("no points", expected='{"nose_tip": vertex, …}', found=type(points).__name__, path=path)
    result: dict[str, int] = {}
    for name, vertex in points.items():
        if name not in INDEX:
            raise LandmarkError(
                f"unknown landmark {name!r}{nearest(str(name), NAMES)}",
                expected="a name of the 68-point scheme",
                path=path,
            )
        if isinstance(vertex, bool) or not isinstance(vertex, int):
            raise LandmarkError(f"{name} is no vertex index", expected="an integer", found=repr(vertex)[:40], path=path)
        if vertex in result.values():
            twin = next(other for other, used in result.items() if used == vertex)
            raise LandmarkError("two landmarks on one vertex", found=f"{twin} and {name} on vertex {vertex}", path=path)
        result[name] = vertex
    check_range(_integers(list(result.values()), path), n_vertices, path=path)
    return result


def _points(content: object, n_vertices: int | None, path: str | PathLike[str]) -> dict[str, int]:
    """Check the envelope of the JSON form and return its points."""
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise FormatError(
            "no landmark file",
            expected=f'"format": "{FORMAT}"',
            found=content.get("format") if isinstance(content, dict) else type(content).__name__,
            path=path,
        )
    if content.get("version") != VERSION:
        raise VersionError(
            "landmark file of another version", expected=VERSION, found=content.get("version"), path=path
        )
    if content.get("scheme") != SCHEME:
        raise LandmarkError("landmarks of another scheme", expected=SCHEME, found=content.get("scheme"), path=path)
    made_for = content.get("vertices")
    if n_vertices is not None and made_for is not None and made_for != n_vertices:
        raise LandmarkError(
            "the landmarks belong to another mesh",
            expected=f"a mesh of {made_for} vertices",
            found=n_vertices,
            path=path,
        )
    return checked_points(content.get("points"), n_vertices, path)


def _text(path: str | PathLike[str]) -> str:
    """Return the file's text.
    :raises: MissingInputError, FormatError."""
    file = Path(path)
    if not file.is_file():
        raise MissingInputError("no landmark file", expected="68 indices as text, or JSON", path=path)
    if file.stat().st_size > _MAX_BYTES:
        raise FormatError(
            "no landmark file", expected=f"at most {_MAX_BYTES} bytes", found=file.stat().st_size, path=path
        )
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FormatError("no landmark file", expected="UTF-8 text", found="other bytes", path=path) from error


def _numbers(text: str, path: str | PathLike[str]) -> Indices:
    """Return the integers of a text, one or more a line.

    :raises FormatError: naming the first line that holds others.
    :raises LandmarkError: for a negative one.
    """
    try:
        return decode_vertex_list(text.encode(), None, path) if text.strip() else np.empty(0, np.int64)
    except MeshError as error:
        raise LandmarkError(error.what, expected=error.expected, found=error.found, path=path) from error


def _integers(values: list[Any], path: str | PathLike[str] | None) -> Indices:
    if any(isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**62 for value in values):
        raise LandmarkError("landmarks are vertex indices", expected="integers", found="other values", path=path)
    return np.array(values, dtype=np.int64)

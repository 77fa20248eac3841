"""Wavefront OBJ meshes: positions and polygons; every other statement is passed over."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError, MeshError
from blendvoca.io.atomic import write_text
from blendvoca.io.files import StrPath, naming, parse_numbers, read_bytes
from blendvoca.io.mesh.polygons import PolygonMesh
from blendvoca.mesh import Mesh

#: Texture and normal indices of a corner: ``7/2/5``, ``7//5``, ``7/2``.
_AFTER_SLASH = re.compile(rb"/[-+0-9/]*")
#: Numbers a vertex line may have: x y z, with w, with a colour, with both.
_VERTEX_WIDTHS = (3, 4, 6, 7)


def read_obj(path: StrPath) -> Mesh:
    """Read an OBJ mesh; polygons become fans of triangles.

    Vertices keep the order of their ``v`` lines, whether a face uses them or not.

    :raises MissingInputError: if the file cannot be read.
    :raises FormatError: if it is no OBJ or malformed.
    :raises MeshError: if it holds no proper mesh.
    """
    return decode_obj(read_bytes(path), path)


def decode_obj(data: bytes, path: StrPath | None = None) -> Mesh:
    """Decode the bytes of an OBJ file; ``path`` is what errors call it."""
    with naming(path):
        return decode_obj_polygons(data).triangulated()


def decode_obj_polygons(data: bytes) -> PolygonMesh:
    """Decode the bytes of an OBJ file, polygons as they stand."""
    if b"\\" in data:
        data = data.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ")
    lines = data.split(b"\n")
    if b"#" in data:
        lines = [line.split(b"#", 1)[0] for line in lines]
    if b" v" in data or b" f" in data or b"\tv" in data or b"\tf" in data:
        lines = [line.lstrip() for line in lines]
    places = [place for place, line in enumerate(lines) if _states(line, b"v")]
    vertices = _positions([lines[place][2:] for place in places])
    faces = [(place, line[2:]) for place, line in enumerate(lines) if _states(line, b"f")]
    counts, corners = _corners([line for _, line in faces])
    if corners.size and corners.min() < 0:
        # A negative index counts back from the vertices that were defined before its line.
        before = np.searchsorted(places, [place for place, _ in faces])
        corners = np.where(corners < 0, corners + np.repeat(before, counts) + 1, corners)
    if corners.size and corners.min() < 1:
        raise MeshError("an OBJ face names a vertex that does not exist", expected="1 or more", found=corners.min())
    return PolygonMesh(vertices, counts, corners - 1)


def _states(line: bytes, keyword: bytes) -> bool:
    return line[:1] == keyword and (len(line) == 1 or line[1] in b" \t\r")


def _positions(lines: list[bytes]) -> NDArray[np.float64]:
    if not lines:
        raise FormatError("the OBJ file has no vertices", expected="lines 'v x y z'")
    numbers = parse_numbers(b" ".join(lines), np.float64, "OBJ vertices")
    width = numbers.size // len(lines)
    if width not in _VERTEX_WIDTHS or any(len(line.split()) != width for line in lines):
        bad = next((line for line in lines if len(line.split()) != width), lines[0])
        raise FormatError(
            "OBJ vertices differ in their count of numbers",
            expected="'v x y z' in every one",
            found=_quoted(b"v " + bad),
        )
    return numbers.reshape(len(lines), width)[:, :3]  # type: ignore[return-value]


def _corners(lines: list[bytes]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the number of corners of every face line and all position indices, still as the file counts them."""
    text = b"\n".join(lines)
    if b"/" in text:
        text = _AFTER_SLASH.sub(b"", text)
    counts = np.array([len(line.split()) for line in text.split(b"\n")] if lines else [], np.int64)
    corners = parse_numbers(text, np.int64, "OBJ face corners")
    if corners.size != counts.sum():
        raise FormatError("OBJ faces cannot be read", expected=f"{counts.sum()} corners", found=corners.size)
    return counts, corners  # type: ignore[return-value]


def _quoted(line: bytes) -> str:
    return repr(line[:60].decode("utf-8", "replace"))


def write_obj(path: StrPath, mesh: Mesh) -> None:
    """Write a mesh as OBJ text, atomically; nine digits keep all of float32."""
    vertices = "".join(f"v {x:.9g} {y:.9g} {z:.9g}\n" for x, y, z in mesh.vertices.tolist())
    faces = "".join(f"f {a} {b} {c}\n" for a, b, c in (mesh.faces + 1).tolist())
    write_text(path, vertices + faces)

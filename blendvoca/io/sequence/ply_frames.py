"""Fast PLY sequences: the topology is parsed once, then every frame costs only its vertex block.

The first frame's header and everything behind its vertices are kept as bytes. A frame that repeats both byte for byte
has the same topology, and only its vertices are decoded. Any other frame is decoded in full and compared.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import MeshError
from blendvoca.io.files import naming, parse_numbers
from blendvoca.io.mesh.ply import after_lines, decode_ply, decode_ply_polygons
from blendvoca.io.mesh.ply_header import Element, PlyHeader, parse_header
from blendvoca.io.stores import Store
from blendvoca.mesh import Faces


class PlyFrames:
    """Frames in PLY files, one a file, read on demand (a :class:`blendvoca.sequence.FrameSource`).

    :param store: where the files lie.
    :param names: their names, in time order.
    :raises MeshError: if the first frame is no mesh.
    """

    def __init__(self, store: Store, names: Sequence[str]) -> None:
        self._store, self._names = store, tuple(names)
        first = store.read(self._names[0])
        with naming(store.where(self._names[0])):
            polygons = decode_ply_polygons(first)
            mesh = polygons.triangulated()
            self._type = np.float64 if polygons.vertices.dtype == np.float64 else np.float32
            self.faces: Faces = mesh.faces
            self.n_vertices = mesh.n_vertices
            self._layout = _Layout.of(first)

    def __len__(self) -> int:
        return len(self._names)

    def read(self, start: int, stop: int) -> NDArray[np.floating]:
        """Return frames ``start`` to ``stop``, end excluded, as (n, V, 3), float64 where the first file is.

        :raises MeshError: naming the file, for another vertex count, another face list or values that are not finite.
        """
        names = self._names[start:stop]
        block = np.empty((len(names), self.n_vertices, 3), self._type)
        for row, name in zip(block, names, strict=True):
            data = self._store.read(name)
            with naming(self._store.where(name)):
                if self._layout is not None and self._layout.matches(data):
                    row[:] = self._layout.positions(data)
                else:
                    row[:] = self._decoded(data)
                if not np.isfinite(row.sum()) and not np.isfinite(row).all():
                    bad = int(np.flatnonzero(~np.isfinite(row).all(axis=1))[0])
                    raise MeshError("vertices are not finite", found=f"{row[bad].tolist()} at vertex {bad}")
        return block

    def _decoded(self, data: bytes) -> NDArray[np.float64]:
        """Decode a frame that is written differently, and compare its topology."""
        mesh = decode_ply(data)
        if mesh.n_vertices != self.n_vertices:
            raise MeshError(
                "another vertex count than the sequence's first frame", expected=self.n_vertices, found=mesh.n_vertices
            )
        if not np.array_equal(mesh.faces, self.faces):
            raise MeshError(
                "another face list than the sequence's first frame",
                expected=f"the same {len(self.faces)} faces",
                found=f"{mesh.n_faces} faces",
            )
        return mesh.vertices


class _Layout:
    """Where the vertices stand in files that look like ``first``, and the bytes around them."""

    def __init__(self, first: bytes, header: PlyHeader, vertex: Element) -> None:
        self._vertex, self._order = vertex, header.order
        self._start = header.size
        if header.is_ascii:
            end = after_lines(first, header.size, vertex.count)
        else:
            end = header.size + vertex.count * vertex.row_type(header.order).itemsize
        self._head, self._tail = first[: header.size], first[end:]
        self._size = None if header.is_ascii else len(first)
        names = [entry.name for entry in vertex.properties]
        self._axes = [names.index(axis) for axis in "xyz"]

    @classmethod
    def of(cls, first: bytes) -> _Layout | None:
        """Return the layout of a file whose vertices come first and have no lists, else nothing."""
        header = parse_header(first)
        vertex = header.elements[0]
        return cls(first, header, vertex) if vertex.name == "vertex" and not vertex.has_lists else None

    def matches(self, data: bytes) -> bool:
        """Whether header and face block are those of the first frame, byte for byte."""
        return (
            (self._size is None or len(data) == self._size)
            and len(data) >= len(self._head) + len(self._tail)
            and data.startswith(self._head)
            and data.endswith(self._tail)
        )

    def positions(self, data: bytes) -> NDArray[np.generic]:
        """Return the positions (V, 3) of a file that matches; binary ones as a view of ``data``."""
        count, width = self._vertex.count, len(self._vertex.properties)
        types = {entry.type for entry in self._vertex.properties}
        if self._order == "=":
            text = data[self._start : len(data) - len(self._tail)]
            numbers = parse_numbers(text, np.float64 if "f8" in types else np.float32, "PLY vertices")
            if numbers.size != count * width:
                raise MeshError(
                    "PLY vertices have a wrong count of numbers", expected=count * width, found=numbers.size
                )
            table = numbers.reshape(count, width)
        else:
            if len(types) > 1:
                rows = np.frombuffer(data, self._vertex.row_type(self._order), count, self._start)
                return np.stack([rows[axis] for axis in "xyz"], axis=1)
            table = np.frombuffer(data, self._order + types.pop(), count * width, self._start).reshape(count, width)
        return table if self._axes == [0, 1, 2] and width == 3 else table[:, self._axes]

"""Frames in one ``.npy`` array, memory-mapped block by block."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import FormatError, MissingInputError
from blendvoca.io.files import StrPath, naming, open_file
from blendvoca.io.npz import decode_arrays, frames_shape
from blendvoca.sequence import ArrayFrames

#: Shapes of frames, as errors call them.
SHAPES = "shape (T, V, 3) or (T, 3V), with axes of length 1 besides"
#: Bytes that the header is looked for in; NumPy writes 128.
_MAX_HEADER = 4096
#: Python 2 wrote an L behind long integers.
_FIELDS = re.compile(
    rb"\{'descr': '(?P<type>[<>]f[248])', 'fortran_order': (?P<fortran>False|True), "
    rb"'shape': \((?P<shape>\d{1,12}L?(, \d{1,12}L?){1,5})\),? *\} *\n?"
)


@dataclass(frozen=True)
class NpyFrames:
    """Rows of an ``.npy`` file (T, V, 3) or (T, 3V) as frames (a :class:`blendvoca.sequence.FrameSource`).

    Every block is mapped anew and unmapped with it, so that resident memory follows the block, not the file.

    :param path: the file.
    :param offset: bytes before its first number.
    :param type: of its numbers.
    :param shape: of the array, (T, V, 3) or (T, 3V).
    :param fortran: whether the first axis runs fastest, which reads slower: a frame lies all over the file.
    :param rows: the rows that are the frames, in order; all of them where nothing is given.
    """

    path: Path
    offset: int
    type: np.dtype[np.floating]
    shape: tuple[int, ...]
    fortran: bool = False
    rows: NDArray[np.int64] | None = None

    @classmethod
    def open(cls, path: StrPath) -> NpyFrames:
        """Look at a file and map all its rows.

        :raises MissingInputError: if it cannot be read.
        :raises FormatError: if it is no array of frames, or shorter than its header claims.
        """
        target = Path(path)
        with open_file(target) as file:
            start, size = file.read(_MAX_HEADER), os.fstat(file.fileno()).st_size
        with naming(path):
            dtype, shape, offset, fortran = _header(start)
            needed = offset + math.prod(shape) * dtype.itemsize
            if needed > size:
                raise FormatError("the array is shorter than its header claims", expected=needed, found=f"{size} bytes")
            return cls(target, offset, dtype, shape, fortran)

    def select(self, rows: ArrayLike) -> NpyFrames:
        """Return other frames of the same file: those at ``rows``."""
        chosen = np.asarray(rows, np.int64)
        if chosen.size and not (0 <= chosen.min() <= chosen.max() < self.rows_in_file):
            found = f"{chosen.min()}..{chosen.max()}"
            raise FormatError(
                "rows outside the array", expected=f"0..{self.rows_in_file - 1}", found=found, path=self.path
            )
        return replace(self, rows=chosen)

    @property
    def rows_in_file(self) -> int:
        """How many rows the file has."""
        return self.shape[0]

    @property
    def n_vertices(self) -> int:
        """V of every row."""
        return math.prod(self.shape[1:]) // 3

    def __len__(self) -> int:
        return self.rows_in_file if self.rows is None else len(self.rows)

    def read(self, start: int, stop: int) -> NDArray[np.floating]:
        """Return frames ``start`` to ``stop``, end excluded, as (n, V, 3); consecutive rows are a view of the file."""
        rows = np.arange(start, min(stop, len(self))) if self.rows is None else self.rows[start:stop]
        if len(rows) == 0:
            return np.empty((0, self.n_vertices, 3), self.type)
        low, high = int(rows.min()), int(rows.max()) + 1
        if high - low > 4 * len(rows):
            return np.concatenate([self._map(row, row + 1) for row in rows.tolist()])
        block = self._map(low, high)
        return block if (np.diff(rows) == 1).all() else block[rows - low]

    def _map(self, low: int, high: int) -> NDArray[np.floating]:
        width = 3 * self.n_vertices
        try:
            if self.fortran:
                whole = np.memmap(self.path, self.type, "r", self.offset, self.shape, "F")
                return np.ascontiguousarray(whole[low:high]).reshape(high - low, self.n_vertices, 3)
            place = self.offset + low * width * self.type.itemsize
            block = np.memmap(self.path, self.type, "r", place, (high - low, self.n_vertices, 3))
        except (OSError, ValueError) as error:
            raise MissingInputError(
                "the array went away while it was read", found=str(error), path=self.path
            ) from error
        return np.asarray(block)


def _header(start: bytes) -> tuple[np.dtype[np.floating], tuple[int, ...], int, bool]:
    """Parse an ``.npy`` header; return type, shape, where the numbers start, and whether they are in Fortran's order.

    Read by hand, since NumPy evaluates it as Python, and only arrays of floats can be mapped as frames.
    """
    width = {1: 2, 2: 4, 3: 4}.get(start[6]) if start.startswith(b"\x93NUMPY") and len(start) > 12 else None
    if width is None:
        raise FormatError("not a NumPy array file", expected=".npy of numbers", found=repr(start[:8]))
    offset = 8 + width + int.from_bytes(start[8 : 8 + width], "little")
    match = _FIELDS.fullmatch(start[8 + width : offset])
    if match is None or offset > len(start):
        raise FormatError(
            "not frames",
            expected="one array of floats",
            found=repr(start[8 + width : offset][:80].decode("latin-1")),
            remedy="Save it again as np.asarray(frames, dtype='float32').",
        )
    shape = tuple(int(axis) for axis in match["shape"].replace(b"L", b"").split(b","))
    frames = frames_shape(shape)
    if frames is None:
        raise FormatError("not frames", expected=SHAPES, found=shape)
    return np.dtype(match["type"].decode()), frames, offset, match["fortran"] == b"True"


def open_npz(path: StrPath) -> ArrayFrames:
    """Read the one array of frames in an ``.npz`` file.

    :param path: of the archive; arrays of other shapes in it are left alone.
    :raises MissingInputError: if it cannot be read.
    :raises FormatError: if it is no archive of arrays, or holds no or several arrays of frames.
    """
    with naming(path):
        with open_file(path, archive=True) as file:
            arrays = decode_arrays(file.read())
        found = {name: frames_shape(array.shape) for name, array in arrays.items() if array.dtype.kind == "f"}
        fitting = [name for name, shape in found.items() if shape is not None]
        if len(fitting) != 1:
            shapes = {name: array.shape for name, array in list(arrays.items())[:5]}
            raise FormatError("no clear frames in the archive", expected=f"one array of {SHAPES}", found=shapes)
        shape = found[fitting[0]] or (0,)
        return ArrayFrames(arrays[fitting[0]].reshape(shape[0], -1, 3))

"""The numbers of a glTF file: accessors, with sparse parts, strides, quantisation and compression undone."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.io.gltf.container import MESHOPT, GltfFile, reading
from blendvoca.io.gltf.meshopt import unpacked

_COMPONENTS: dict[int, Any] = {
    5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32
}  # fmt: skip
_WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_MOST = 1 << 40


def whole(entry: dict[str, Any], key: str, default: int | None = None) -> int:
    """Return a count, offset or stride of an entry.

    :raises ValueError: if it is no whole number from 0 on.
    """
    found = entry[key] if default is None else entry.get(key, default)
    if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found < _MOST:
        raise ValueError(f"{key} is {str(found)[:30]}, no whole number")
    return found


class Accessors:
    """Reads a file's accessors; compressed views are unpacked once.

    :param file: the file.
    """

    def __init__(self, file: GltfFile) -> None:
        self.file = file
        self._unpacked: dict[int, bytes] = {}

    def count(self, index: int) -> int:
        """Return how many elements an accessor states.

        :raises FormatError: if there is none of that index.
        """
        with reading(self.file.path, f"accessor {index}"):
            return whole(self.file.entry("accessors", index), "count")

    def read(self, index: int, *, count: int | None = None) -> NDArray[np.float64]:
        """Return an accessor's values (count, width): sparse parts in place, normalised integers scaled.

        :param count: how many there must be.
        :raises FormatError: if it is broken, or claims more than its buffers hold.
        """
        with reading(self.file.path, f"accessor {str(index)[:20]}"):
            entry = self.file.entry("accessors", index)
            values = self._values(entry, count)
            kind = values.dtype
            result = values.astype(np.float64)
            if entry.get("normalized") and kind.kind in "iu":
                result = np.maximum(result / float(2 ** (8 * kind.itemsize - (kind.kind == "i")) - 1), -1.0)
            return result

    def indices(self, index: int) -> NDArray[np.int64]:
        """Return an accessor of whole numbers, flat.

        :raises FormatError: if it is broken or not of integers.
        """
        with reading(self.file.path, f"accessor {str(index)[:20]}"):
            values = self._values(self.file.entry("accessors", index), None)
            if values.dtype.kind not in "iu":
                raise ValueError("indices that are no integers")
            return values.astype(np.int64).reshape(-1)

    def _values(self, entry: dict[str, Any], expected: int | None) -> NDArray[Any]:
        kind, width = np.dtype(_COMPONENTS[entry["componentType"]]), _WIDTHS[entry["type"]]
        count = whole(entry, "count")
        if expected is not None and count != expected:
            raise ValueError(f"{count} values where {expected} are needed")
        # An accessor may rest on nothing, so the file's size does not bound it.
        self.file.budget.charge(count * width * kind.itemsize)
        if "bufferView" in entry:
            values = self._rows(entry["bufferView"], whole(entry, "byteOffset", 0), kind, count, width)
        else:
            values = np.zeros((count, width), kind)
        return self._sparse(entry["sparse"], values) if "sparse" in entry else values

    def _sparse(self, sparse: dict[str, Any], values: NDArray[Any]) -> NDArray[Any]:
        """Return values with those of a sparse part put in place."""
        count, where, what = whole(sparse, "count"), sparse["indices"], sparse["values"]
        if count > len(values):
            raise ValueError(f"{count} sparse values for {len(values)}")
        index_kind = np.dtype(_COMPONENTS[where["componentType"]])
        if index_kind.kind != "u":
            raise ValueError("sparse indices that are no unsigned integers")
        rows = self._rows(where["bufferView"], whole(where, "byteOffset", 0), index_kind, count, 1)[:, 0]
        if count and int(rows.max()) >= len(values):
            raise ValueError(f"sparse index {int(rows.max())} of {len(values)} values")
        values = values.copy()
        offset = whole(what, "byteOffset", 0)
        values[rows] = self._rows(what["bufferView"], offset, values.dtype, count, values.shape[1])
        return values

    def _rows(self, view: int, offset: int, kind: np.dtype[Any], count: int, width: int) -> NDArray[Any]:
        entry = self.file.entry("bufferViews", view)
        stride = whole(entry, "byteStride", kind.itemsize * width)
        if stride < kind.itemsize * width:
            raise ValueError(f"a stride of {stride} bytes for elements of {kind.itemsize * width}")
        data, length = self._bytes(view, entry)
        end = offset + max(count - 1, 0) * stride + kind.itemsize * width
        if count and end > length:
            raise ValueError(f"reaches past its buffer view ({end} of {length} bytes)")
        if not count:
            return np.zeros((0, width), kind)
        return np.ndarray((count, width), kind, data, offset, (stride, kind.itemsize))

    def _bytes(self, view: int, entry: dict[str, Any]) -> tuple[memoryview, int]:
        """Return the bytes of a buffer view, unpacked where they are compressed, and how many there are."""
        extensions = entry.get("extensions", {})
        packed = next((extensions[name] for name in MESHOPT if name in extensions), None)
        if packed is not None:
            if view not in self._unpacked:
                size = whole(packed, "count") * whole(packed, "byteStride")
                # Each byte costs some work as well.
                self.file.budget.charge(3 * size)
                self._unpacked[view] = unpacked(self._slice(packed), packed)
            return memoryview(self._unpacked[view]), len(self._unpacked[view])
        data = self._slice(entry)
        return data, len(data)

    def _slice(self, entry: dict[str, Any]) -> memoryview:
        """Return the bytes that a view (or its compressed stand-in) covers of its buffer."""
        self.file.entry("buffers", entry["buffer"])
        data = memoryview(self.file.buffers[entry["buffer"]])
        start, length = whole(entry, "byteOffset", 0), whole(entry, "byteLength")
        if start + length > len(data):
            raise ValueError(f"a view that reaches past its buffer ({start + length} of {len(data)} bytes)")
        return data[start : start + length]

    def view_bytes(self, view: int) -> bytes:
        """Return the bytes of a buffer view as they lie in the file.

        :raises FormatError: if it reaches past its buffer.
        """
        with reading(self.file.path, f"buffer view {str(view)[:20]}"):
            return bytes(self._slice(self.file.entry("bufferViews", view)))

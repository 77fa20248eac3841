"""What a glTF file is written with: a buffer that grows with its views and accessors, and the container around it."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.io.gltf.container import BINARY_CHUNK, JSON_CHUNK, MAGIC, VERSION

#: glTF component types.
FLOAT, UNSIGNED_SHORT, UNSIGNED_INT = 5126, 5123, 5125
_VERTEX_TARGET, _INDEX_TARGET = 34962, 34963


@dataclass
class GrowingBuffer:
    """The binary chunk as it grows, with its views and accessors; what lies in it already stays where it is."""

    content: bytearray = field(default_factory=bytearray)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def view(self, data: bytes, target: int | None = None) -> int:
        """Append bytes, aligned to four, and return their view."""
        self.content.extend(b"\0" * (-len(self.content) % 4))
        entry: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.content), "byteLength": len(data)}
        self.views.append(entry | ({"target": target} if target else {}))
        self.content.extend(data)
        return len(self.views) - 1

    def add(self, accessor: dict[str, Any]) -> int:
        """Append an accessor and return its index."""
        self.accessors.append(accessor)
        return len(self.accessors) - 1

    def vectors(self, values: NDArray[np.float32]) -> int:
        """Append (n, 3) vectors with their bounds, as glTF asks of positions."""
        return self.add({"bufferView": self.view(_bytes(values), _VERTEX_TARGET), **_vector_header(values)})

    def scalars(self, values: NDArray[np.float32], bounded: bool = False) -> int:
        """Append (n,) numbers."""
        bounds = {"min": [float(values.min())], "max": [float(values.max())]} if bounded else {}
        header = {"componentType": FLOAT, "count": len(values), "type": "SCALAR", **bounds}
        return self.add({"bufferView": self.view(_bytes(values)), **header})

    def rows(self, values: NDArray[np.float32]) -> int:
        """Append (n, 3) or (n, 4) keys of an animation."""
        header = {"componentType": FLOAT, "count": len(values), "type": f"VEC{values.shape[1]}"}
        return self.add({"bufferView": self.view(_bytes(values)), **header})

    def triangles(self, faces: NDArray[np.int32], n_vertices: int) -> int:
        """Append (F, 3) triangles with the smallest index type that holds them."""
        small = n_vertices <= 65535
        flat = faces.astype(np.uint16 if small else np.uint32).ravel()
        kind = UNSIGNED_SHORT if small else UNSIGNED_INT
        view = self.view(_bytes(flat), _INDEX_TARGET)
        return self.add({"bufferView": view, "componentType": kind, "count": len(flat), "type": "SCALAR"})

    def deltas(self, values: NDArray[np.float32]) -> int:
        """Append (V, 3) displacements: only the moved vertices, where that is smaller."""
        moved = np.flatnonzero(values.any(axis=1))
        # A sparse accessor names at least one vertex.
        moved = moved if len(moved) else np.zeros(1, dtype=np.int64)
        small = len(values) <= 65535
        if len(moved) * (14 if small else 16) >= len(values) * 12:
            return self.vectors(values)
        indices = self.view(_bytes(moved.astype(np.uint16 if small else np.uint32)))
        kind = UNSIGNED_SHORT if small else UNSIGNED_INT
        sparse = {
            "count": len(moved),
            "indices": {"bufferView": indices, "componentType": kind},
            "values": {"bufferView": self.view(_bytes(values[moved]))},
        }
        return self.add({**_vector_header(values), "sparse": sparse})

    def animation(
        self, times: NDArray[np.float32], weights: dict[int, NDArray[np.float32]], fps: float, name: str
    ) -> dict[str, Any]:
        """Append an animation, one key a frame, linear in between.

        :param times: (T,) seconds.
        :param weights: (T, K) weights of all shapes of a node's mesh, by node; nodes of one table share its bytes.
        :param fps: is stated too, since times are float32.
        """
        return self.keyed(times, [(node, "weights", table) for node, table in weights.items()], fps, name)

    def keyed(
        self,
        times: NDArray[np.float32],
        channels: Sequence[tuple[int, str, NDArray[np.float32]]],
        fps: float,
        name: str,
    ) -> dict[str, Any]:
        """Append an animation of node, property and keys (T, K), linear in between; equal keys share their bytes."""
        keys = self.scalars(times, bounded=True)
        outputs: dict[bytes, int] = {}
        samplers, targets = [], []
        for node, path, table in channels:
            data = path.encode() + _bytes(table)
            if data not in outputs:
                outputs[data] = self.scalars(table.ravel()) if path == "weights" else self.rows(table)
            samplers.append({"input": keys, "output": outputs[data], "interpolation": "LINEAR"})
            targets.append({"sampler": len(samplers) - 1, "target": {"node": node, "path": path}})
        return {"name": name, "samplers": samplers, "channels": targets, "extras": {"fps": fps}}


def frame_times(count: int, fps: float) -> NDArray[np.float32]:
    """Return the times (count,) of frames in seconds."""
    return (np.arange(count) / fps).astype(np.float32)


def packed(document: dict[str, Any], buffer: GrowingBuffer) -> bytes:
    """Return the GLB container of a document whose buffer 0 is the binary chunk; the document is completed."""
    document |= {"accessors": buffer.accessors, "bufferViews": buffer.views}
    first: dict[str, Any] = {"byteLength": len(buffer.content)}
    document["buffers"] = [document.get("buffers", [{}])[0] | first, *document.get("buffers", [])[1:]]
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 4)
    binary = bytes(buffer.content) + b"\0" * (-len(buffer.content) % 4)
    chunks = struct.pack("<II", len(text), JSON_CHUNK) + text + struct.pack("<II", len(binary), BINARY_CHUNK) + binary
    return struct.pack("<III", MAGIC, VERSION, 12 + len(chunks)) + chunks


def _bytes(array: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def _vector_header(values: NDArray[np.float32]) -> dict[str, Any]:
    bounds = {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
    return {"componentType": FLOAT, "count": len(values), "type": "VEC3", **bounds}

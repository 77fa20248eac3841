"""glTF files made by hand, so that readers are not tested with the project's own writer."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

#: A bent square, its triangles, and how two shapes move it.
SQUARE = np.array([[0, 0, 0], [0.1, 0, 0], [0.1, 0.1, 0.02], [0, 0.1, 0]], np.float32)
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]])
OPEN = np.array([[0, -0.01, 0], [0, -0.02, 0], [0, 0, 0], [0, 0, 0]], np.float32)
SMILE = np.array([[0, 0, 0], [0.001, 0, 0], [0, 0.003, 0], [0, 0, 0.5]], np.float32)
_KINDS = {"b": 5120, "B": 5121, "h": 5122, "H": 5123, "I": 5125, "f": 5126}
_TYPES = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4", 16: "MAT4"}


class Gltf:
    """A document that grows, and its one buffer."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.document: dict[str, Any] = {
            "asset": {"version": "2.0"}, "accessors": [], "bufferViews": [], "meshes": [], "nodes": [],
            "scene": 0, "scenes": [{"nodes": []}],
        }  # fmt: skip

    def view(self, data: bytes, **more: Any) -> int:
        """Append bytes."""
        self.data += b"\0" * (-len(self.data) % 4)
        entry = {"buffer": 0, "byteOffset": len(self.data), "byteLength": len(data), **more}
        self.document["bufferViews"].append(entry)
        self.data += data
        return len(self.document["bufferViews"]) - 1

    def accessor(self, values: ArrayLike, kind: str = "f", stride: int = 0, **more: Any) -> int:
        """Append an accessor of (n,) or (n, width) values, padded to ``stride`` bytes each."""
        array = np.asarray(values, np.dtype(kind).newbyteorder("<"))
        rows = array.reshape(len(array), -1) if len(array) else array.reshape(0, 3)
        data = rows.tobytes()
        if stride:
            data = b"".join(row.tobytes().ljust(stride, b"\7") for row in rows)
            more["bufferView"] = self.view(data, byteStride=stride)
        more.setdefault("bufferView", self.view(data) if "bufferView" not in more else None)
        entry = {"componentType": _KINDS[kind], "count": len(rows), "type": _TYPES[rows.shape[1]], **more}
        self.document["accessors"].append(entry)
        return len(self.document["accessors"]) - 1

    def sparse(self, count: int, rows: ArrayLike, values: ArrayLike) -> int:
        """Append an accessor that rests on nothing but its sparse part."""
        where, what = self.view(np.asarray(rows, "<u2").tobytes()), self.view(np.asarray(values, "<f4").tobytes())
        sparse = {
            "count": len(np.asarray(rows)),
            "indices": {"bufferView": where, "componentType": 5123},
            "values": {"bufferView": what},
        }
        entry = {"componentType": 5126, "count": count, "type": "VEC3", "sparse": sparse}
        self.document["accessors"].append(entry)
        return len(self.document["accessors"]) - 1

    def primitive(
        self, vertices: ArrayLike = SQUARE, faces: ArrayLike | None = TRIANGLES, shapes: ArrayLike = (), **more: Any
    ) -> dict[str, Any]:
        """Return a primitive with the displacements (K, n, 3) of its shapes."""
        entry: dict[str, Any] = {"attributes": {"POSITION": self.accessor(vertices)}}
        if faces is not None:
            entry["indices"] = self.accessor(np.asarray(faces).ravel(), "H")
        if len(np.asarray(shapes)):
            entry["targets"] = [{"POSITION": self.accessor(shape)} for shape in np.asarray(shapes)]
        return entry | more

    def mesh(self, *primitives: dict[str, Any], names: tuple[str, ...] = (), **more: Any) -> int:
        """Append a mesh."""
        extras = {"extras": {"targetNames": list(names)}} if names else {}
        self.document["meshes"].append({"primitives": list(primitives), **extras, **more})
        return len(self.document["meshes"]) - 1

    def node(self, root: bool = True, **more: Any) -> int:
        """Append a node, to the scene unless it is another's child."""
        self.document["nodes"].append(more)
        index = len(self.document["nodes"]) - 1
        if root:
            self.document["scenes"][0]["nodes"].append(index)
        return index

    def animation(self, node: int, times: ArrayLike, weights: ArrayLike, kind: str = "LINEAR", **more: Any) -> None:
        """Append an animation of a node's weights; ``weights`` are (n, K), or (n, 3, K) for a cubic one."""
        keys = np.asarray(times, np.float32)
        sound = keys.size and np.isfinite(keys).all()
        bounds = {"min": [float(keys.min())], "max": [float(keys.max())]} if sound else {}
        sampler = {
            "input": self.accessor(times, **bounds),
            "output": self.accessor(np.asarray(weights, np.float32).ravel()),
            "interpolation": kind,
        }
        channel = {"sampler": 0, "target": {"node": node, "path": "weights"}}
        self.document.setdefault("animations", []).append({"samplers": [sampler], "channels": [channel], **more})

    def face(self, name: str = "Face", shapes: ArrayLike = (OPEN, SMILE), **node: Any) -> int:
        """Append a node with the bent square and its two shapes."""
        mesh = self.mesh(self.primitive(shapes=shapes), names=("jawOpen", "mouthSmile_L"))
        return self.node(name=name, mesh=mesh, **node)

    def write(self, path: Path, form: str = "glb") -> Path:
        """Write it: ``glb``, ``beside`` (a file beside the document) or ``inside`` (a data URI)."""
        buffer: dict[str, Any] = {"byteLength": len(self.data)}
        if form == "beside":
            path.with_suffix(".bin").write_bytes(self.data)
            buffer["uri"] = path.with_suffix(".bin").name
        elif form == "inside":
            buffer["uri"] = "data:application/octet-stream;base64," + base64.b64encode(self.data).decode()
        text = json.dumps(self.document | {"buffers": [buffer]}).encode()
        if form != "glb":
            path.write_bytes(text)
            return path
        text += b" " * (-len(text) % 4)
        data = bytes(self.data) + b"\0" * (-len(self.data) % 4)
        chunks = struct.pack("<II", len(text), 0x4E4F534A) + text + struct.pack("<II", len(data), 0x004E4942) + data
        path.write_bytes(struct.pack("<III", 0x46546C67, 2, 12 + len(chunks)) + chunks)
        return path

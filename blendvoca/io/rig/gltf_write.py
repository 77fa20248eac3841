"""glTF 2.0 binary: a rig as morph targets with their names, a track as their animation.

Deltas that rest on most vertices are written as sparse accessors. glTF shares our units and axes: metres, +y up, the
face looks along +z.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import MeshError
from blendvoca.geometry.normals import vertex_normals
from blendvoca.io.atomic import write_bytes
from blendvoca.io.gltf.container import BINARY_CHUNK, JSON_CHUNK, MAGIC, VERSION
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack

#: glTF component types.
FLOAT, UNSIGNED_SHORT, UNSIGNED_INT = 5126, 5123, 5125
_VERTEX_TARGET, _INDEX_TARGET = 34962, 34963
_SKIN = {
    "name": "skin",
    "pbrMetallicRoughness": {"baseColorFactor": [0.80, 0.62, 0.53, 1.0], "metallicFactor": 0.0, "roughnessFactor": 0.7},
    "doubleSided": True,
}


@dataclass
class _Buffer:
    """The binary chunk as it grows, with its views and accessors."""

    content: bytearray = field(default_factory=bytearray)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)

    def view(self, array: NDArray[Any], target: int | None = None) -> int:
        """Append an array, aligned to four bytes, and return its view."""
        self.content.extend(b"\0" * (-len(self.content) % 4))
        data = np.ascontiguousarray(array).tobytes()
        entry: dict[str, Any] = {"buffer": 0, "byteOffset": len(self.content), "byteLength": len(data)}
        self.views.append(entry | ({"target": target} if target else {}))
        self.content.extend(data)
        return len(self.views) - 1

    def add(self, accessor: dict[str, Any]) -> int:
        self.accessors.append(accessor)
        return len(self.accessors) - 1

    def vectors(self, values: NDArray[np.float32]) -> int:
        """Append (n, 3) vectors with their bounds, as glTF asks of positions."""
        return self.add({"bufferView": self.view(values, _VERTEX_TARGET), **_vector_header(values)})

    def scalars(self, values: NDArray[np.float32], bounded: bool = False) -> int:
        """Append (n,) numbers."""
        bounds = {"min": [float(values.min())], "max": [float(values.max())]} if bounded else {}
        header = {"componentType": FLOAT, "count": len(values), "type": "SCALAR", **bounds}
        return self.add({"bufferView": self.view(values), **header})

    def triangles(self, faces: NDArray[np.int32], n_vertices: int) -> int:
        """Append (F, 3) triangles with the smallest index type that holds them."""
        small = n_vertices <= 65535
        flat = faces.astype(np.uint16 if small else np.uint32).ravel()
        kind = UNSIGNED_SHORT if small else UNSIGNED_INT
        view = self.view(flat, _INDEX_TARGET)
        return self.add({"bufferView": view, "componentType": kind, "count": len(flat), "type": "SCALAR"})

    def deltas(self, values: NDArray[np.float32]) -> int:
        """Append (V, 3) displacements: only the moved vertices, where that is smaller."""
        moved = np.flatnonzero(values.any(axis=1))
        # A sparse accessor names at least one vertex.
        moved = moved if len(moved) else np.zeros(1, dtype=np.int64)
        small = len(values) <= 65535
        if len(moved) * (14 if small else 16) >= len(values) * 12:
            return self.vectors(values)
        indices = self.view(moved.astype(np.uint16 if small else np.uint32))
        kind = UNSIGNED_SHORT if small else UNSIGNED_INT
        sparse = {
            "count": len(moved),
            "indices": {"bufferView": indices, "componentType": kind},
            "values": {"bufferView": self.view(values[moved])},
        }
        return self.add({**_vector_header(values), "sparse": sparse})


def _vector_header(values: NDArray[np.float32]) -> dict[str, Any]:
    bounds = {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
    return {"componentType": FLOAT, "count": len(values), "type": "VEC3", **bounds}


def write_glb(
    path: str | PathLike[str], rig: BlendshapeRig, track: CoefficientTrack | None = None, name: str = "face"
) -> None:
    """Write a rig, and a track as its animation, as one GLB file.

    Positions, deltas and weights are stored as float32: the error is that rounding, below 1e-8 m on a head.

    :param track: its blendshapes must all be in the rig; shapes it lacks rest at zero.
    :raises MeshError: for a rig without faces.
    :raises RigError: if the rig lacks a blendshape of the track.
    """
    if rig.neutral.n_faces == 0:
        raise MeshError("glTF needs triangles", found="a rig without faces")
    buffer = _Buffer()
    primitive = {
        "attributes": {
            "POSITION": buffer.vectors(rig.neutral.vertices.astype(np.float32)),
            "NORMAL": buffer.vectors(_unit_normals(rig.neutral.vertices, rig.neutral.faces)),
        },
        "indices": buffer.triangles(rig.neutral.faces, rig.neutral.n_vertices),
        "material": 0,
        "targets": [{"POSITION": buffer.deltas(delta)} for delta in rig.deltas.astype(np.float32)],
    }
    mesh = {"name": name, "primitives": [primitive], "weights": [0.0] * len(rig.names)}
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "blendvoca"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": name, "mesh": 0}],
        "meshes": [mesh | {"extras": {"targetNames": list(rig.names)}}],
        "materials": [_SKIN],
    }
    if track is not None:
        document["animations"] = [_animation(buffer, rig, track)]
    document |= {"accessors": buffer.accessors, "bufferViews": buffer.views}
    document["buffers"] = [{"byteLength": len(buffer.content)}]
    write_bytes(path, _pack(document, bytes(buffer.content)))


def _animation(buffer: _Buffer, rig: BlendshapeRig, track: CoefficientTrack) -> dict[str, Any]:
    """Return the animation of all weights, one key a frame."""
    weights = np.zeros((len(track), len(rig.names)), dtype=np.float32)
    weights[:, rig.indices(track.names)] = track.values
    times = (np.arange(len(track)) / track.fps).astype(np.float32)
    sampler = {
        "input": buffer.scalars(times, bounded=True),
        "output": buffer.scalars(weights.ravel()),
        "interpolation": "LINEAR",
    }
    target = {"node": 0, "path": "weights"}
    return {"name": "speech", "samplers": [sampler], "channels": [{"sampler": 0, "target": target}]}


def _unit_normals(vertices: NDArray[np.float64], faces: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return area-weighted vertex normals; a vertex without a triangle points forward, since glTF wants unit length."""
    normals = vertex_normals(vertices, faces)
    normals[~normals.any(axis=1)] = (0.0, 0.0, 1.0)
    return normals.astype(np.float32)


def _pack(document: dict[str, Any], binary: bytes) -> bytes:
    """Return the GLB container of a document and its binary chunk."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = struct.pack("<II", len(text), JSON_CHUNK) + text + struct.pack("<II", len(binary), BINARY_CHUNK) + binary
    return struct.pack("<III", MAGIC, VERSION, 12 + len(chunks)) + chunks

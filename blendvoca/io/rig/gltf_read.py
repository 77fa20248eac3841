"""Morph targets and their animation out of glTF 2.0 files (``.glb``, or ``.gltf`` with its data in it or beside it)."""

from __future__ import annotations

import base64
import json
import struct
from os import PathLike
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError, MissingInputError
from blendvoca.io.files import read_bytes
from blendvoca.io.rig.gltf_write import BINARY_CHUNK, JSON_CHUNK, MAGIC, VERSION
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack

_COMPONENTS = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_MOST_VALUES = 20_000_000
_WIDTH = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


class GltfFile:
    """A parsed file: its document and its buffers.

    :raises MissingInputError: if there is no such file.
    :raises FormatError: if it is no glTF 2.0, or its data lies outside its folder.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.is_file():
            raise MissingInputError("no such file", path=self.path)
        content = self.path.read_bytes()
        self.document: dict[str, Any]
        try:
            self.document, binary = _chunks(content) if content[:4] == b"glTF" else (json.loads(content), b"")
            self.buffers = [_buffer(entry, binary, self.path) for entry in self.document.get("buffers", [])]
        except (ValueError, KeyError, struct.error, AttributeError, TypeError, RuntimeError) as error:
            raise FormatError("not a glTF file", expected="glTF 2.0", found=error, path=self.path) from error

    def accessor(self, index: int) -> NDArray[np.float64]:
        """Return an accessor's values (count, width), sparse parts put in place and normalised integers scaled."""
        try:
            return self._accessor(self.document["accessors"][index])
        except (KeyError, IndexError, ValueError, TypeError) as error:
            raise FormatError("broken accessor", found=f"{index}: {error!r}", path=self.path) from error

    def _accessor(self, entry: dict[str, Any]) -> NDArray[np.float64]:
        kind, width = np.dtype(_COMPONENTS[entry["componentType"]]), _WIDTH[entry["type"]]
        # A sparse accessor may rest on nothing, so the file's size does not bound it.
        if not 0 <= entry["count"] <= _MOST_VALUES:
            raise ValueError(f"claims {entry['count']} values")
        values = np.zeros((entry["count"], width))
        if "bufferView" in entry:
            values[:] = self._read(entry["bufferView"], entry.get("byteOffset", 0), kind, entry["count"], width)
        if "sparse" in entry:
            sparse = entry["sparse"]
            where, what = sparse["indices"], sparse["values"]
            index_kind = np.dtype(_COMPONENTS[where["componentType"]])
            rows = self._read(where["bufferView"], where.get("byteOffset", 0), index_kind, sparse["count"], 1)[:, 0]
            values[rows] = self._read(what["bufferView"], what.get("byteOffset", 0), kind, sparse["count"], width)
        if entry.get("normalized") and kind.kind in "iu":
            values = np.maximum(values / float(2 ** (8 * kind.itemsize - (kind.kind == "i")) - 1), -1.0)
        return values

    def _read(self, view: int, offset: int, kind: np.dtype[Any], count: int, width: int) -> NDArray[Any]:
        entry = self.document["bufferViews"][view]
        stride = entry.get("byteStride", kind.itemsize * width)
        start = entry.get("byteOffset", 0) + offset
        data = self.buffers[entry["buffer"]]
        end = offset + max(count - 1, 0) * stride + kind.itemsize * width
        if min(start, offset, count) < 0 or end > entry["byteLength"] or start - offset + end > len(data):
            raise ValueError("reaches past its buffer view")
        rows: NDArray[Any] = np.ndarray((count, width), kind, data, start, (stride, kind.itemsize))
        return rows


def _chunks(content: bytes) -> tuple[dict[str, Any], bytes]:
    """Return document and binary chunk of a GLB container."""
    magic, version, _ = struct.unpack_from("<III", content)
    if magic != MAGIC or version != VERSION:
        raise ValueError(f"version {version}")
    parts, position = {}, 12
    while position + 8 <= len(content):
        length, kind = struct.unpack_from("<II", content, position)
        if position + 8 + length > len(content):
            raise ValueError("truncated")
        parts[kind] = content[position + 8 : position + 8 + length]
        position += 8 + length
    return json.loads(parts[JSON_CHUNK]), parts.get(BINARY_CHUNK, b"")


def _buffer(entry: dict[str, Any], binary: bytes, path: Path) -> bytes:
    """Return a buffer: of the container, out of the document, or of a file in the folder of ``path`` or below."""
    if "uri" not in entry:
        return binary
    uri = entry["uri"]
    if uri.startswith("data:"):
        return base64.b64decode(uri.split(",", 1)[1], validate=True)
    folder = path.parent.resolve()
    # Resolved, so that neither "..", nor an absolute path, nor a link leads out.
    place = (folder / unquote(uri)).resolve()
    if "://" in uri or not place.is_relative_to(folder):
        raise ValueError(f"a buffer outside its folder ({uri[:80]}): save it as one .glb")
    return read_bytes(place)


def read_gltf(path: str | PathLike[str]) -> tuple[BlendshapeRig, CoefficientTrack | None]:
    """Read the mesh with the most morph targets, and its animation where there is one.

    Keys are put on an even grid at the median key distance by linear interpolation. Weights outside [0, 1] are clipped.

    :returns: rig (vertices in the file's own unit, which glTF says is metres) and track.
    :raises FormatError: for a file without named morph targets, or a broken one.
    """
    file = GltfFile(path)
    meshes = file.document.get("meshes", [])
    if not meshes:
        raise FormatError("no mesh in it", expected="a mesh with morph targets", path=file.path)
    try:
        index, mesh = max(enumerate(meshes), key=lambda pair: len(pair[1]["primitives"][0].get("targets", [])))
        primitive = mesh["primitives"][0]
        names = mesh.get("extras", {}).get("targetNames") or primitive.get("extras", {}).get("targetNames")
        targets = [target["POSITION"] for target in primitive.get("targets", [])]
        if not targets or names is None or len(names) != len(targets):
            raise FormatError("no named morph targets", expected="extras.targetNames for every target", path=file.path)
        vertices = file.accessor(primitive["attributes"]["POSITION"])
        faces = file.accessor(primitive["indices"]).astype(np.int32) if "indices" in primitive else _fan(vertices)
        deltas = np.stack([file.accessor(target) for target in targets])
        rig = BlendshapeRig(Mesh(vertices, faces.reshape(-1, 3)), deltas, tuple(map(str, names)))
        return rig, _track(file, index, rig.names)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise FormatError("broken mesh", found=repr(error), path=file.path) from error


def _fan(vertices: NDArray[np.float64]) -> NDArray[np.int32]:
    """Return the triangles of a primitive without indices: every three vertices."""
    return np.arange(len(vertices) // 3 * 3, dtype=np.int32)


def _track(file: GltfFile, mesh: int, names: tuple[str, ...]) -> CoefficientTrack | None:
    """Return the first animation of the mesh's weights on an even grid."""
    nodes = {i for i, node in enumerate(file.document.get("nodes", [])) if node.get("mesh") == mesh}
    for animation in file.document.get("animations", []):
        for channel in animation["channels"]:
            if channel["target"]["path"] != "weights" or channel["target"].get("node") not in nodes:
                continue
            sampler = animation["samplers"][channel["sampler"]]
            times = file.accessor(sampler["input"])[:, 0]
            weights = file.accessor(sampler["output"]).reshape(len(times), -1, len(names))
            # A cubic key holds in-tangent, value, out-tangent.
            values = weights[:, 1 if sampler.get("interpolation") == "CUBICSPLINE" else 0]
            return _even(times, values.clip(0, 1), names)
    return None


def _even(times: NDArray[np.float64], values: NDArray[np.float64], names: tuple[str, ...]) -> CoefficientTrack:
    if len(times) < 2:
        return CoefficientTrack(values, names, 60.0)
    # Times are float32: a rate within a thousandth of a whole number is that number.
    fps = float(1 / np.median(np.diff(times)))
    fps = float(round(fps)) if abs(fps - round(fps)) < 1e-3 * fps else fps
    steps = (times[-1] - times[0]) * fps
    # Two keys a moment apart and one far away would ask for years of frames.
    if not (np.diff(times) >= 0).all() or not steps < 100_000 + 100 * len(times):
        raise ValueError(f"key times that are no animation: {steps:.3g} frames between {len(times)} keys")
    grid = times[0] + np.arange(round(steps) + 1) / fps
    return CoefficientTrack(np.stack([np.interp(grid, times, column) for column in values.T], axis=1), names, fps)

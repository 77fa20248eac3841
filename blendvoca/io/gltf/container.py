"""glTF files as they lie on disk: the JSON document and its buffers, of ``.glb``, ``.vrm`` and ``.gltf``."""

from __future__ import annotations

import base64
import binascii
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from blendvoca.errors import BlendvocaError, FormatError, MissingInputError
from blendvoca.io.files import StrPath, naming, read_bytes
from blendvoca.io.gltf.limits import MOST_ENTRIES, Budget
from blendvoca.io.json_file import anything, parse_json

_WRONG = "not a glTF file"
#: Suffixes of files that are read here; a VRM avatar is a GLB.
SUFFIXES: tuple[str, ...] = (".glb", ".gltf", ".vrm")
MAGIC, VERSION = 0x46546C67, 2
JSON_CHUNK, BINARY_CHUNK = 0x4E4F534A, 0x004E4942

DRACO = "KHR_draco_mesh_compression"
MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
#: Extensions that a file may require: what they change is read, or does not concern geometry and morph targets.
_KNOWN = (DRACO, *MESHOPT, "KHR_mesh_quantization", "KHR_texture_transform", "KHR_texture_basisu", "EXT_texture_webp",
          "EXT_texture_avif", "MSFT_texture_dds", "KHR_lights_punctual", "KHR_xmp_json_ld", "KHR_node_visibility",
          "VRM")  # fmt: skip
_KNOWN_FAMILIES = ("KHR_materials_", "VRMC_", "EXT_materials_", "EXT_lights_")


@dataclass(frozen=True)
class GltfFile:
    """A parsed file.

    :param path: where it lies.
    :param document: its JSON.
    :param buffers: the bytes of each buffer; empty for one that only a decompressor fills.
    :param binary: whether it is a container (``.glb``).
    """

    path: Path
    document: dict[str, Any]
    buffers: tuple[bytes, ...]
    binary: bool
    _lists: dict[str, list[dict[str, Any]]] = field(default_factory=dict, repr=False)

    @cached_property
    def budget(self) -> Budget:
        """What reading it may cost."""
        return Budget(sum(map(len, self.buffers)), self.path)

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """Return a top-level list such as ``meshes``, empty where there is none.

        :raises FormatError: if it is no list of objects, or absurdly long.
        """
        if kind in self._lists:
            return self._lists[kind]
        found = self.document.get(kind, [])
        if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
            raise FormatError(f"{kind} are no list of objects", expected="glTF 2.0", path=self.path)
        if len(found) > MOST_ENTRIES:
            raise FormatError(f"too many {kind}", expected=f"at most {MOST_ENTRIES}", found=len(found), path=self.path)
        self._lists[kind] = found
        return found

    def entry(self, kind: str, index: object) -> dict[str, Any]:
        """Return one entry of a top-level list.

        :raises FormatError: if there is no such entry.
        """
        found = self.entries(kind)
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(found):
            shown = f"{kind}[{str(index)[:20]}]"
            raise FormatError("a reference leads nowhere", expected=f"one of {len(found)} {kind}", found=shown,
                              path=self.path)  # fmt: skip
        return found[index]


@contextmanager
def reading(path: StrPath, what: str) -> Iterator[None]:
    """Turn what a document of wrong form causes further in into one kind of error.

    :raises FormatError: in place of Python's own errors.
    """
    with naming(path):
        try:
            yield
        except BlendvocaError:
            raise
        except KeyError as error:
            raise FormatError(f"broken glTF: {what}", found=f"no {error}", path=path) from error
        except (IndexError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
            raise FormatError(f"broken glTF: {what}", found=str(error)[:120], path=path) from error
        except MemoryError as error:
            raise FormatError(f"broken glTF: {what}", found="more than the memory holds", path=path) from error


def open_gltf(path: StrPath) -> GltfFile:
    """Read a file's document and buffers.

    :raises MissingInputError: if it, or a buffer beside it, cannot be read.
    :raises FormatError: if it is no glTF 2.0, its data lies outside its folder, or it requires an unknown extension.
    """
    place = Path(path)
    content = read_bytes(place)
    binary = content[:4] == b"glTF"
    try:
        with naming(place):
            document, chunk = _chunks(content) if binary else (_parsed(content), b"")
        if not isinstance(document, dict):
            raise ValueError("the document is no object")
    except (ValueError, KeyError, struct.error, RecursionError) as error:
        found = f"no {error}" if isinstance(error, KeyError) else str(error)[:120]
        raise FormatError(_WRONG, expected="glTF 2.0", found=found, path=place) from error
    with reading(place, "its buffers"):
        _check_version(document)
        _check_extensions(document)
        entries = document.get("buffers", [])
        if len(entries) > MOST_ENTRIES:
            raise ValueError(f"{len(entries)} buffers")
        return GltfFile(place, document, tuple(_buffer(entry, chunk, place) for entry in entries), binary)


def _chunks(content: bytes) -> tuple[Any, bytes]:
    """Return document and binary chunk of a GLB container."""
    magic, version, _ = struct.unpack_from("<III", content)
    if magic != MAGIC or version != VERSION:
        raise ValueError(f"version {version}")
    parts: dict[int, bytes] = {}
    position = 12
    while position + 8 <= len(content):
        length, kind = struct.unpack_from("<II", content, position)
        if position + 8 + length > len(content):
            raise ValueError(f"cut off: a chunk of {length} bytes at byte {position} of {len(content)}")
        parts.setdefault(kind, content[position + 8 : position + 8 + length])
        position += 8 + length
    if JSON_CHUNK not in parts:
        raise ValueError("a container without a document")
    return _parsed(parts[JSON_CHUNK]), parts.get(BINARY_CHUNK, b"")


def _parsed(content: bytes) -> Any:
    return parse_json(content, anything, _WRONG)


def _check_version(document: dict[str, Any]) -> None:
    asset = document.get("asset", {})
    version = str(asset.get("minVersion") or asset.get("version", "2.0"))[:20]
    if not version.startswith("2"):
        raise FormatError("another version of glTF", expected="2.0", found=version,
                          remedy="Save it again as glTF 2.0, for example with Blender.")  # fmt: skip


def _check_extensions(document: dict[str, Any]) -> None:
    """Refuse an extension without which the file would be misread.

    :raises FormatError: naming it.
    """
    required = [str(name)[:80] for name in document.get("extensionsRequired", [])]
    unknown = [name for name in required if name not in _KNOWN and not name.startswith(_KNOWN_FAMILIES)]
    if unknown:
        raise FormatError(
            f"the file requires {', '.join(unknown[:5])}, which is not read here",
            expected="plain glTF 2.0, or its quantised and Draco-compressed meshes",
            remedy="Save it without that extension, for example by importing it in Blender and exporting it again.",
        )


def _buffer(entry: dict[str, Any], binary: bytes, path: Path) -> bytes:
    """Return a buffer: of the container, out of the document, or of a file in the folder of ``path`` or below."""
    length = entry.get("byteLength", 0)
    if not isinstance(length, int) or length < 0:
        raise ValueError(f"a buffer of {str(length)[:20]} bytes")
    if "uri" not in entry:
        # A buffer that only a decompressor fills has no bytes of its own.
        filled = any(name in entry.get("extensions", {}) for name in MESHOPT)
        return b"" if filled else binary
    data = read_uri(str(entry["uri"]), path)
    if len(data) < length:
        raise FormatError("a buffer is cut off", expected=f"{length} bytes", found=len(data), path=path)
    return data


def read_uri(uri: str, path: Path) -> bytes:
    """Return the bytes of a buffer or image that a document at ``path`` names.

    :raises FormatError: for a place outside its folder, or text that is no base64.
    """
    if uri.startswith("data:"):
        head, _, text = uri.partition(",")
        try:
            return base64.b64decode(unquote(text), validate=True) if head.endswith(";base64") else _percent(text)
        except (binascii.Error, ValueError) as error:
            raise FormatError("a data URI that is no base64", found=str(error)[:80], path=path) from error
    folder = path.parent.resolve()
    # Resolved, so that neither "..", nor an absolute path, nor a link leads out.
    try:
        place = (folder / unquote(uri)).resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise FormatError("a buffer whose name is no path", found=repr(uri[:80]), path=path) from error
    if "://" in uri or not place.is_relative_to(folder):
        raise FormatError(f"a buffer outside its folder ({uri[:80]})", expected="data in it or beside it",
                          remedy="Save it as one .glb.", path=path)  # fmt: skip
    try:
        return read_bytes(place)
    except MissingInputError as error:
        error.remedy = error.remedy or f"Put it beside {path.name}, or save all as one .glb."
        raise


def _percent(text: str) -> bytes:
    from urllib.parse import unquote_to_bytes

    return unquote_to_bytes(text)

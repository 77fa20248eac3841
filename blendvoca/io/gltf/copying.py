"""A glTF file made ready to be added to: its own document and bytes, in one container."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from blendvoca.errors import BlendvocaError
from blendvoca.io.gltf.container import MESHOPT, GltfFile, read_uri, reading
from blendvoca.io.gltf.write import GrowingBuffer

_IMAGES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp", b"\xabKTX": "image/ktx2"}


def opened_copy(file: GltfFile, on_report: Callable[[str], None]) -> tuple[dict[str, Any], GrowingBuffer]:
    """Return a copy of the document and a buffer that holds all bytes of the file, both to be added to.

    A container's bytes stay where they are. Buffers and images beside a document are taken in, so that what is written
    stands on its own.

    :raises FormatError: if its buffers are none.
    """
    with reading(file.path, "its buffers"):
        document = copy.deepcopy(file.document)
        content = bytearray()
        bases: dict[int, tuple[int, int]] = {}
        kept: list[dict[str, Any]] = []
        for index, (entry, data) in enumerate(zip(document.get("buffers", []), file.buffers)):
            if any(name in entry.get("extensions", {}) for name in MESHOPT) and "uri" not in entry:
                # Only a decompressor fills this one: it stays an entry of its own.
                bases[index] = (1 + len(kept), 0)
                kept.append(entry)
                continue
            # Eight bytes, as the largest element asks.
            content.extend(b"\0" * (-len(content) % 8))
            bases[index] = (0, len(content))
            content.extend(data[: entry["byteLength"]])
        views = document.setdefault("bufferViews", [])
        for view in views:
            for part in (view, *(view.get("extensions", {}).get(name) for name in MESHOPT)):
                if part is not None:
                    _moved(part, bases)
        first = document["buffers"][0] if file.binary and document.get("buffers") else {}
        document["buffers"] = [{key: value for key, value in first.items() if key != "uri"}, *kept]
        buffer = GrowingBuffer(content, views, document.setdefault("accessors", []))
        for image in document.get("images", []):
            _take_in(image, file, buffer, on_report)
    return document, buffer


def _moved(view: dict[str, Any], bases: dict[int, tuple[int, int]]) -> None:
    """Point a view at the buffer that holds its bytes now; what is where it was stays as it was written."""
    buffer, base = bases[view["buffer"]]
    if buffer != view["buffer"]:
        view["buffer"] = buffer
    if base:
        view["byteOffset"] = view.get("byteOffset", 0) + base


def _take_in(image: dict[str, Any], file: GltfFile, buffer: GrowingBuffer, on_report: Callable[[str], None]) -> None:
    uri = image.get("uri")
    if not isinstance(uri, str) or uri.startswith("data:"):
        return
    try:
        data = read_uri(uri, file.path)
    except BlendvocaError:
        on_report(f"the image {uri[:80]} is not there: the file goes on naming it")
        return
    kind = next((kind for magic, kind in _IMAGES.items() if data.startswith(magic)), None)
    if kind is not None:
        del image["uri"]
        image |= {"bufferView": buffer.view(data), "mimeType": kind}

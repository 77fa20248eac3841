"""The digest of a shard's content: the same for the same values, however a library laid out or compressed the file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np


def content_digest(file: h5py.File) -> str:
    """Return the SHA-256 (hex) of everything in an open shard but the root attribute ``content_sha256``.

    Objects come in the order of their paths (``/`` for the root), each as a line ``object <path>``, then its attributes
    in the order of their names as ``attribute <name> <dtype> <shape>``, then its values, if it has any, as
    ``values <dtype> <shape>``; every line ends with a newline, and
    the raw little-endian values in C order follow it.
    """
    digest = hashlib.sha256()
    for path, item in sorted(_objects(file)):
        digest.update(f"object {path}\n".encode())
        for name in sorted(item.attrs):
            if (path, name) == ("/", "content_sha256"):
                continue
            _feed(digest, f"attribute {name}", _attribute(item, name))
        if isinstance(item, h5py.Dataset):
            _feed(digest, "values", item[()])
    return digest.hexdigest()


def _objects(file: h5py.File) -> Iterator[tuple[str, Any]]:
    yield "/", file
    found: list[tuple[str, Any]] = []
    file.visititems(lambda name, item: found.append((f"/{name}", item)))
    yield from found


def _attribute(item: Any, name: str) -> Any:
    attribute = item.attrs.get_id(name)
    values = np.empty(attribute.shape, dtype=attribute.dtype)
    attribute.read(values)
    return values


def _feed(digest: Any, title: str, values: Any) -> None:
    array = np.asarray(values)
    little = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    shape = "x".join(str(size) for size in array.shape) or "scalar"
    digest.update(f"{title} {little.dtype.str} {shape}\n".encode())
    digest.update(little.tobytes())

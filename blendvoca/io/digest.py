"""SHA-256 digests of content, and fingerprints: has this input changed since it was used?

Small files are hashed by content. Raw frames are not: VOCASET is 20 to 40 GB, and hashing it would cost a resumed build
minutes instead of seconds. They are fingerprinted by name, size and modification time, as make and rsync do it. A file
changed within one tick of the clock and without changing its size would be missed; ``blendvoca build --check`` reads
everything again and would notice. Paths count relative to the corpus, so moving the corpus rebuilds nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from os import PathLike
from pathlib import Path
from typing import Any


def digest_bytes(content: bytes) -> str:
    """Return the SHA-256 of ``content`` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def digest_json(value: Any) -> str:
    """Return the SHA-256 of a plain value, written as JSON with sorted keys."""
    return digest_bytes(json.dumps(value, sort_keys=True, separators=(",", ":")).encode())


def digest_file(path: str | PathLike[str]) -> str:
    """Return the SHA-256 of a file's content.

    :raises OSError: if it cannot be read.
    """
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def digest_folder(folder: Path) -> str:
    """Return the SHA-256 over name, size and modification time of the files directly in ``folder``, by name.

    One pass over the directory: about 2 µs a file.

    :raises OSError: if the folder is gone.
    """
    sha = hashlib.sha256()
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda found: found.name):
            if entry.is_file():
                stat = entry.stat()
                sha.update(f"{entry.name}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return sha.hexdigest()

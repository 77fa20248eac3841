"""Is this the file that was promised? SHA-256, or git's blob id where only that is known."""

from __future__ import annotations

import hashlib
from pathlib import Path

from blendvoca.errors import IntegrityError
from blendvoca.fetch.registry import RemoteFile
from blendvoca.io.digest import digest_file


def git_blob_sha1(path: Path) -> str:
    """Return git's blob id of a file: SHA-1 of ``blob <size>\\0`` and the content."""
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def check_download(path: Path, file: RemoteFile) -> None:
    """Check a file's size and hash against what is known of it.

    :raises IntegrityError: if one of them differs.
    """
    if file.bytes is not None and (size := path.stat().st_size) != file.bytes:
        raise IntegrityError(f"{file.path} has the wrong size", expected=f"{file.bytes} bytes", found=size)
    for kind, expected, compute in (
        ("SHA-256", file.sha256, digest_file),
        ("git blob id", file.git_blob_sha1, git_blob_sha1),
    ):
        if expected is not None and (found := compute(path)) != expected:
            raise IntegrityError(f"{file.path} has the wrong {kind}", expected=expected, found=found)


def is_good(path: Path, file: RemoteFile) -> bool:
    """Whether a file is there already, with the size and hash that are known of it; never true if nothing is known."""
    if not path.is_file() or (file.sha256 is None and file.git_blob_sha1 is None):
        return False
    try:
        check_download(path, file)
    except IntegrityError:
        return False
    return True

"""Zip archives within limits: nothing outside, nothing that a few bytes blow up."""

from __future__ import annotations

import stat
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from blendvoca.errors import FormatError, MissingInputError
from blendvoca.internal.limits import ARCHIVE_MEMBER, ARCHIVE_UNPACKED
from blendvoca.internal.names import first_line, inside, shown
from blendvoca.io.files import StrPath, check_file

#: What damaged archives make :mod:`zipfile` and :mod:`numpy` raise.
DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, ValueError, struct.error, MemoryError, OSError, NotImplementedError,
    RuntimeError, KeyError, TypeError,
)  # fmt: skip
#: bz2 and lzma may inflate a few bytes to gigabytes in one call, which cannot be stopped half-way.
_METHODS = {zipfile.ZIP_STORED: "stored", zipfile.ZIP_DEFLATED: "deflated"}
#: Entries that an archive may list: VOCASET as one zip has 123,341 frames.
_MOST_MEMBERS = 2_000_000


def open_zip(path: StrPath) -> zipfile.ZipFile:
    """Open a zip archive.

    :param path: of the archive.
    :raises MissingInputError: if it cannot be read.
    :raises FormatError: if it is no zip archive, or lists an absurd number of members.
    """
    check_file(path, archive=True)
    return decode_zip(path, path)


def decode_zip(source: StrPath | BinaryIO, path: StrPath | None = None) -> zipfile.ZipFile:
    """Open a zip archive that is known to be a plain file, or bytes; parameters and errors as for :func:`open_zip`.

    :param source: a path, or an open file.
    :param path: what errors call it.
    """
    try:
        archive = zipfile.ZipFile(source)
    except OSError as error:
        raise MissingInputError("cannot read this archive", found=error.strerror, path=path) from error
    except DAMAGE as error:
        remedy = "Fetch it again if its download was cut off."
        raise FormatError("not a zip archive", found=first_line(error), remedy=remedy, path=path) from error
    if len(archive.filelist) > _MOST_MEMBERS:
        raise FormatError("the archive lists too many members", expected=f"at most {_MOST_MEMBERS}",
                          found=len(archive.filelist), path=path)  # fmt: skip
    return archive


def members(archive: zipfile.ZipFile, path: StrPath) -> dict[str, zipfile.ZipInfo]:
    """Return an archive's plain files by name, without hidden ones and macOS' leftovers.

    :raises FormatError: for a name that leads outside, or a link.
    """
    return {info.filename: info for info in archive.infolist() if _is_wanted(info, path)}


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int, where: StrPath) -> bytes:
    """Return the content of a member.

    :param archive: the open archive.
    :param info: the member.
    :param size: bytes of the archive.
    :param where: what errors call the member.
    :raises FormatError: if it is damaged, encrypted, too large, or compressed in a way that cannot be bounded.
    """
    if info.compress_size > size:
        raise FormatError("a damaged member", found="more bytes than the archive has", path=where)
    if info.compress_type not in _METHODS:
        raise FormatError(
            "a member is compressed in an unusual way",
            expected=" or ".join(_METHODS.values()),
            found=f"method {info.compress_type}",
            remedy="Unpack the archive, or pack it again with deflate.",
            path=where,
        )
    ARCHIVE_MEMBER.check(info.file_size, size, where)
    try:
        # Deflated members end at the size that they state; one that is longer fails its checksum.
        return archive.read(info)
    except DAMAGE as error:
        raise FormatError(
            "a damaged member", found=first_line(error), remedy="Download the archive again.", path=where
        ) from error


@contextmanager
def extracted(path: StrPath, suffixes: tuple[str, ...]) -> Iterator[Path]:
    """Yield a temporary folder with the files of a zip that end in ``suffixes``; gone afterwards.

    :param path: the archive.
    :param suffixes: endings in lower case.
    :raises MissingInputError: if it cannot be read.
    :raises FormatError: for a damaged zip, one that unpacks to an absurd size, or names that lead outside.
    """
    archive, size = open_zip(path), Path(path).stat().st_size
    wanted = [i for i in members(archive, path).values() if PurePosixPath(i.filename).suffix.lower() in suffixes]
    ARCHIVE_UNPACKED.check(sum(info.file_size for info in wanted), size, path)
    with archive, tempfile.TemporaryDirectory(prefix="blendvoca-") as name:
        for info in wanted:
            target = inside(name, info.filename)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(read_member(archive, info, size, f"{path}/{info.filename}"))
        yield Path(name)


def _is_wanted(info: zipfile.ZipInfo, path: StrPath) -> bool:
    name = info.filename
    parts = PurePosixPath(name).parts
    if not parts or name.startswith(("/", "\\")) or ".." in parts or "\\" in name or ":" in name or "\0" in name:
        raise FormatError(
            "a member's name leads outside the archive",
            found=shown(name),
            remedy="Do not trust this archive: download it again from its source.",
            path=path,
        )
    if stat.S_ISLNK(info.external_attr >> 16):
        raise FormatError("a member is a link", found=shown(name), path=path)
    return not name.endswith("/") and parts[0] != "__MACOSX" and not any(part.startswith(".") for part in parts)

"""Folders and zip archives behind one interface: named files, read whole, never a path outside."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Protocol

from blendvoca.errors import MissingInputError
from blendvoca.io.archive import members, open_zip, read_member
from blendvoca.io.files import StrPath, read_bytes
from blendvoca.io.stand_in import refuse_stand_in


class Store(Protocol):
    """A place with named files. Names use ``/`` and are relative to it."""

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""

    def read(self, name: str) -> bytes:
        """Return the content of a file."""

    def stamp(self, name: str) -> str:
        """Return a text that changes with a file's content, without reading it."""

    def where(self, name: str) -> str:
        """Return what errors call a file."""


class FolderStore:
    """The files below a folder. Symbolic links are followed, as users keep large data elsewhere.

    :raises MissingInputError: if it is no folder.
    """

    def __init__(self, root: StrPath) -> None:
        self.root = Path(root)
        self._prefix = os.path.join(self.root, "")  # a hundred thousand paths are made of it
        if not self.root.is_dir():
            raise MissingInputError("not a folder", path=root)

    def names(self) -> list[str]:
        """Return the names of all files, sorted; hidden ones are left out, and folders that may not be read."""
        return self._walked()[0]

    def unreadable(self) -> list[str]:
        """Return the folders that may not be read, with why."""
        return self._walked()[1]

    def _walked(self) -> tuple[list[str], list[str]]:
        found: list[str] = []
        closed: list[str] = []
        seen: set[str] = set()

        def note(error: OSError) -> None:
            closed.append(f"{error.filename} ({error.strerror})")

        for folder, subfolders, files in os.walk(self.root, onerror=note, followlinks=True):
            real = os.path.realpath(folder)
            if real in seen:
                # A link back up would be walked for ever.
                subfolders.clear()
                continue
            seen.add(real)
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            prefix = Path(folder).relative_to(self.root).as_posix()
            found += [name if prefix == "." else f"{prefix}/{name}" for name in files if not name.startswith(".")]
        return sorted(found), sorted(closed)

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        return read_bytes(self.where(name))

    def stamp(self, name: str) -> str:
        """Return size and modification time.

        :raises MissingInputError: if the file is gone.
        """
        try:
            found = os.stat(f"{self._prefix}{name}")
        except OSError as error:
            raise MissingInputError("cannot look at this file", found=error.strerror, path=self.where(name)) from error
        return f"{found.st_size} {found.st_mtime_ns}"

    def where(self, name: str) -> str:
        """Return the path of a file."""
        return os.path.join(self.root, name)


class ZipStore:
    """The members of a zip archive, read in place and never extracted.

    The archive is opened anew in every process: a file position shared after a fork would mix members up.

    :raises MissingInputError: if it cannot be read.
    :raises FormatError: if it is no zip archive, or a member's name leads outside.
    """

    def __init__(self, path: StrPath) -> None:
        self.path = Path(path)
        self._owner = -1
        self._open()

    def _open(self) -> zipfile.ZipFile:
        if self._owner != os.getpid():
            self._archive = open_zip(self.path)
            self._members = members(self._archive, self.path)
            self._owner, self._size = os.getpid(), self.path.stat().st_size
        return self._archive

    def __getstate__(self) -> dict[str, object]:
        return {"path": self.path, "_owner": -1}

    def names(self) -> list[str]:
        """Return the names of all members that are files, sorted; hidden ones are left out."""
        self._open()
        return sorted(self._members)

    def read(self, name: str) -> bytes:
        """Return the content of a member.

        :raises FormatError: if it is damaged, encrypted or too large.
        """
        archive, info = self._open(), self._member(name)
        content = read_member(archive, info, self._size, self.where(name))
        refuse_stand_in(content, self.where(name))
        return content

    def stamp(self, name: str) -> str:
        """Return size and checksum, as the archive states them."""
        self._open()
        info = self._member(name)
        return f"{info.file_size} {info.CRC:08x}"

    def _member(self, name: str) -> zipfile.ZipInfo:
        if name not in self._members:
            raise MissingInputError("no such member", path=self.where(name))
        return self._members[name]

    def where(self, name: str) -> str:
        """Return ``archive.zip/member``."""
        return f"{self.path}/{name}"

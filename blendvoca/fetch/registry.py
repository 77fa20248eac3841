"""What can be downloaded: names, addresses, sizes, hashes, licences and citations, from ``registry.json``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.resources import files
from pathlib import PurePosixPath
from typing import Any

from blendvoca.errors import ConfigurationError, nearest


@dataclass(frozen=True)
class RemoteFile:
    """One file.

    :param path: where it goes below the entry's folder.
    :param url: where it comes from (``http``, ``https`` or ``file``).
    :param sha256: its SHA-256 (hex), where known.
    :param git_blob_sha1: git's blob id, where known: SHA-1 of ``blob <size>\\0`` and the content.
    :param bytes: its size, where known.
    """

    path: str
    url: str
    sha256: str | None = None
    git_blob_sha1: str | None = None
    bytes: int | None = None


@dataclass(frozen=True)
class HubSource:
    """Files of a Hugging Face repository.

    :param repository: ``owner/name``.
    :param revision: commit; ``None`` where none could be pinned, and the newest is taken.
    :param patterns: which files.
    """

    repository: str
    revision: str | None
    patterns: tuple[str, ...]


@dataclass(frozen=True)
class Entry:
    """One thing that can be downloaded by name.

    :param name: what to ask for.
    :param title: what it is.
    :param licence: under which licence its owners give it.
    :param citation: whom to cite.
    :param homepage: where it is described.
    :param files: its files; empty for ``hub`` entries.
    :param hub: its repository on Hugging Face, if it lives there.
    """

    name: str
    title: str
    licence: str
    citation: str
    homepage: str
    files: tuple[RemoteFile, ...] = ()
    hub: HubSource | None = None

    @property
    def bytes(self) -> int | None:
        """Size of all files together; ``None`` if one of them is not known."""
        sizes = [file.bytes for file in self.files]
        return None if not sizes or None in sizes else sum(size for size in sizes if size is not None)

    def select(self, patterns: tuple[str, ...]) -> tuple[RemoteFile, ...]:
        """Return the files whose path fits one of the patterns (``*.txt``); all without patterns.

        :raises ConfigurationError: if none fits.
        """
        chosen = tuple(file for file in self.files if any(fnmatch(file.path, pattern) for pattern in patterns or "*"))
        if not chosen:
            known = [file.path for file in self.files[:8]]
            raise ConfigurationError(f"no file of {self.name} fits", expected=f"{known} …", found=list(patterns))
        return chosen


def load_registry() -> dict[str, Entry]:
    """Return all entries by name."""
    text = files(__package__).joinpath("registry.json").read_text(encoding="utf-8")
    return {name: _entry(name, values) for name, values in json.loads(text).items()}


def find_entry(name: str) -> Entry:
    """Return one entry.

    :raises ConfigurationError: if there is none of that name.
    """
    registry = load_registry()
    if name not in registry:
        raise ConfigurationError(
            f"nothing to download is called {name!r}{nearest(name, registry)}",
            expected=f"one of {sorted(registry)} or an address",
            remedy="blendvoca download --list shows what can be had.",
        )
    return registry[name]


def _entry(name: str, values: dict[str, Any]) -> Entry:
    """Make an entry; files lie under ``base`` plus their ``from`` path, and are stored by their last name part."""
    hub = values.get("hub")
    return Entry(
        name,
        values["title"],
        values["licence"],
        values["citation"],
        values["homepage"],
        tuple(
            RemoteFile(
                PurePosixPath(file["from"]).name,
                values["base"] + file["from"],
                file.get("sha256"),
                file.get("git_blob_sha1"),
                file.get("bytes"),
            )
            for file in values.get("files", ())
        ),
        HubSource(hub["repository"], hub["revision"], tuple(hub["patterns"])) if hub else None,
    )

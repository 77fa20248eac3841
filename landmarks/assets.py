"""Where fetched files lie: the folder that BLENDVOCA_ASSETS names, else the download cache."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

from blendvoca.errors import MissingInputError
from blendvoca.fetch.places import cache_folder
from blendvoca.fetch.registry import load_registry


def asset_folders(first: Path | None = None) -> list[Path]:
    """Return the folders that are looked through, in order: ``first``, BLENDVOCA_ASSETS, the download cache."""
    named = os.environ.get("BLENDVOCA_ASSETS")
    return [Path(folder) for folder in (first, named, cache_folder()) if folder]


def find_asset(name: str, first: Path | None = None) -> Path:
    """Return the path of a file by its name, in an asset folder or up to three levels below.

    :raises MissingInputError: saying where it was looked for.
    """
    folders = asset_folders(first)
    for folder in folders:
        for pattern in ("", "*/", "*/*/", "*/*/*/"):
            for path in sorted(folder.glob(pattern + name)) if folder.is_dir() else ():
                return path
    raise MissingInputError(
        f"no file {name}",
        expected=f"it in {' or '.join(str(folder) for folder in folders)}",
        remedy=f"Fetch it: blendvoca download {_entry_with(name)}; or point BLENDVOCA_ASSETS at its folder.",
    )


def _entry_with(name: str) -> str:
    """Return which entry of the registry brings a file, or the option that lists them all."""
    for entry in load_registry().values():
        if any(PurePosixPath(file.path).name == name for file in entry.files):
            return entry.name
    return "--list"

"""The Blender add-on that comes with the wheel."""

from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path

from blendvoca.errors import MissingInputError
from blendvoca.io.atomic import atomic_path

#: What to ask for, and its file.
ADDON, _FILE = "blender-addon", "blendvoca_track.py"


def copy_addon(out: Path) -> Path:
    """Copy the add-on into a folder, for Blender's *Install from Disk*.

    :param out: the folder.
    :returns: the copy.
    :raises MissingInputError: where this installation has none.
    :raises OutputError: if it cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    with atomic_path(out / _FILE) as temporary:
        shutil.copyfile(_installed(), temporary)
    return out / _FILE


def _installed() -> Path:
    """Return the file: of the checkout, else where the wheel put it."""
    checkout = Path(__file__).resolve().parents[2] / "docs" / "blender" / _FILE
    try:
        listed = [Path(str(file.locate())) for file in metadata.files("blendvoca") or () if file.name == _FILE]
    except metadata.PackageNotFoundError:
        listed = []
    found = next((path for path in (checkout, *listed) if path.is_file()), None)
    if found is None:
        raise MissingInputError(f"{_FILE} is not part of this installation", remedy="Install from the wheel.")
    return found

"""What a file is named, and what is in it."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from blendvoca.errors import InputError


def check_suffix(path: str | PathLike[str], suffix: str) -> None:
    """Check that a file will be named for what is in it.

    :raises InputError: for another suffix.
    """
    if Path(path).suffix.lower() != suffix:
        what = "unknown kind of output"
        raise InputError(what, expected=f"a name that ends in {suffix}", found=Path(path).name)

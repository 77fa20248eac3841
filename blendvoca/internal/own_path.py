"""Which folder ``python -m`` looks in first: ours, not the one that the reader stands in."""

from __future__ import annotations

import sys
from pathlib import Path


def leave_working_folder_out() -> None:
    """Take the working folder off the import path, where ``python -m`` has put it, unless this project lies there.

    A folder ``landmarks`` of the reader's would otherwise be taken for the package of that name.
    """
    home = Path(__file__).resolve().parents[2]
    if not sys.flags.safe_path and sys.path and Path(sys.path[0] or ".").resolve() == Path.cwd() != home:
        del sys.path[0]

"""How long work says how far it is."""

from __future__ import annotations

from collections.abc import Callable

#: Called with what is being worked on, how much is done and how much there is (None where that is not known), in the
#: work's own unit. It may be called from several threads.
Progress = Callable[[str, int, int | None], None]


def no_progress(name: str, done: int, total: int | None) -> None:
    """Report nothing."""

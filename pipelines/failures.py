"""What could not be built, in few lines: failures of one kind are counted, and the first of them is told whole."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Protocol


class Failed(Protocol):
    """An item and why it failed."""

    @property
    def stage(self) -> str:
        """Name of the stage."""

    @property
    def item(self) -> str:
        """Name of the item: a speaker, or ``<speaker>/<sentence>``."""

    @property
    def error(self) -> str:
        """The reason, in one line."""


def kind(error: str) -> str:
    """Return what an error has in common with others of its kind: its clause, without place and numbers.

    :param error: ``PLACE: CLAUSE; expected …, found …``, as :class:`blendvoca.errors.BlendvocaError` writes it.
    """
    clause = re.split(r"; |, found |, expected ", error, maxsplit=1)[0]
    clause = re.sub(r"^(?:\S*[/\\.]\S*: )+", "", clause)
    return re.sub(r"[\d.]+", "#", clause)


def grouped(failures: Iterable[Failed]) -> list[str]:
    """Return a line for each kind of failure at each stage, in the order of the first of each."""
    groups: dict[tuple[str, str], list[Failed]] = {}
    for failure in failures:
        groups.setdefault((failure.stage, kind(failure.error)), []).append(failure)
    return [_line(group) for group in groups.values()]


def each(failures: Iterable[Failed]) -> list[str]:
    """Return a line for each failure."""
    return [f"{failure.item} ({failure.stage}): {failure.error}" for failure in failures]


def _line(group: list[Failed]) -> str:
    told = each(group[:1])[0]
    if len(group) == 1:
        return told
    what = "clips" if all("/" in failure.item for failure in group) else "speakers"
    return f"{len(group)} {what}; first: {told}"

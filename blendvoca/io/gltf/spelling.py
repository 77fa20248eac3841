"""Names of shapes, parts and clips as glTF files spell them."""

from __future__ import annotations

from collections.abc import Sequence

from blendvoca.arkit import canonical_name
from blendvoca.errors import TrackError


def arkit_spelling(name: str) -> str:
    """Return ARKit's name where the spelling is one of its, else the spelling itself."""
    try:
        return canonical_name(name)
    except TrackError:
        return name


def distinct(names: Sequence[str]) -> list[str]:
    """Return names of which no two are alike: a repeated one gets a number."""
    taken: set[str] = set()
    counts: dict[str, int] = {}
    result = []
    for name in names:
        free = name
        while free in taken:
            counts[name] = counts.get(name, 1) + 1
            free = f"{name} ({counts[name]})"
        taken.add(free)
        result.append(free)
    return result

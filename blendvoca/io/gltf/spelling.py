"""Names of shapes, parts and clips as glTF files spell them."""

from __future__ import annotations

from collections.abc import Sequence

from blendvoca.arkit import arkit_name


def arkit_spelling(name: str) -> str:
    """Return ARKit's name where the spelling is one of its, else the spelling itself."""
    return arkit_name(name) or name


def arkit_spellings(names: Sequence[str]) -> list[str]:
    """Return ARKit's names where they are known, no two alike: of two that mean the same, the later keeps its own."""
    taken: set[str] = set()
    result = []
    for name in names:
        known = arkit_spelling(name)
        result.append(name if known in taken else known)
        taken.add(known)
    return distinct(result)


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

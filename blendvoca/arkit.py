"""ARKit's blendshape names: the one place that knows their spelling, order and mirror pairs.

Apple's ``ARFaceAnchor.BlendShapeLocation`` names 52 shapes. BlendVOCA uses 32 of them, in the order of every file its
authors published (``ARKit_blendshapes.txt``, yunik1004/SAiD). Other tools order and spell them differently, so columns
are always mapped by name and never by position (:mod:`blendvoca.internal.spelling` is how).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from blendvoca.errors import TrackError, nearest
from blendvoca.internal.spelling import split_name

_EYE = ("Blink", "LookDown", "LookIn", "LookOut", "LookUp", "Squint", "Wide")

#: The 32 shapes of BlendVOCA in published order (paper 4.1.1).
BLENDVOCA_NAMES: tuple[str, ...] = (
    *("jawForward", "jawLeft", "jawRight", "jawOpen"),
    *("mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight"),
    *("mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight"),
    *("mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft", "mouthStretchRight"),
    *("mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper"),
    *("mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
    *("mouthUpperUpLeft", "mouthUpperUpRight"),
    *("cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight"),
)

#: All 52 names, in Live Link Face's column order (Right stands before Left for Jaw and Mouth there).
ARKIT_NAMES: tuple[str, ...] = (
    *(f"eye{action}Left" for action in _EYE),
    *(f"eye{action}Right" for action in _EYE),
    *("jawForward", "jawRight", "jawLeft", "jawOpen"),
    *("mouthClose", "mouthFunnel", "mouthPucker", "mouthRight", "mouthLeft"),
    *BLENDVOCA_NAMES[9:27],
    *("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight"),
    *BLENDVOCA_NAMES[27:],
    "tongueOut",
)

#: Facial groups, in the order in which people look for them.
GROUPS: dict[str, tuple[str, ...]] = {
    group: tuple(name for name in ARKIT_NAMES if name.startswith(group))
    for group in ("jaw", "mouth", "cheek", "nose", "brow", "eye", "tongue")
}

#: ICT-FaceKit's names for one ARKit shape: several mean that their sum is the shape.
ICT_PARTS: dict[str, tuple[str, ...]] = {
    "browInnerUp": ("browInnerUp_L", "browInnerUp_R"),
    "cheekPuff": ("cheekPuff_L", "cheekPuff_R"),
}


def mirror_name(name: str) -> str:
    """Return the shape on the other side of the face; a shape on the midline is its own mirror."""
    if name.endswith("Left"):
        return name[:-4] + "Right"
    if name.endswith("Right"):
        return name[:-5] + "Left"
    return name


def mirror_permutation(names: Sequence[str]) -> list[int]:
    """Return for every column the column of its mirror shape.

    :param names: blendshape names; both sides of every pair must be present.
    :raises TrackError: if a shape's partner is missing.
    """
    index = {name: column for column, name in enumerate(names)}
    unpaired = [name for name in names if mirror_name(name) not in index]
    if unpaired:
        raise TrackError(
            "cannot mirror these blendshapes", expected="both sides of every Left/Right pair", found=f"only {unpaired}"
        )
    return [index[mirror_name(name)] for name in names]


def ict_parts(name: str) -> tuple[str, ...]:
    """Return the ICT-FaceKit expression names whose sum is the ARKit shape ``name``."""
    if name in ICT_PARTS:
        return ICT_PARTS[name]
    for side in ("Left", "Right"):
        # jawLeft and mouthLeft are directions, and ICT keeps them whole.
        if name.endswith(side) and name not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
            return (f"{name[: -len(side)]}_{side[0]}",)
    return (name,)


def arkit_name(spelling: str) -> str | None:
    """Return the ARKit name that a spelling means, or nothing.

    Known are ``JawOpen``, ``jaw_open``, ``eyeBlink_L``, ``Left Eye Blink`` and prefixes before them (``bs_jawOpen``,
    ``CTRL_expressions_jawOpen``, ``Head.jawOpen``), as long as the prefix holds no word of ARKit's own.
    """
    words, side = split_name(spelling)
    found = _BY_LETTERS.get(("".join(words), side))
    if found is not None:
        return found
    for start in range(1, len(words)):
        found = _BY_WORDS.get((words[start:], side))
        if found is not None:
            return None if _WORDS.intersection(words[:start]) else found
    return None


def arkit_half(spelling: str) -> tuple[str, str] | None:
    """Return the shape without sides that a spelling is one half of, and the side: ``browInnerUp_L``; else nothing."""
    words, side = split_name(spelling)
    whole = arkit_name(" ".join(words)) if side and words and arkit_name(spelling) is None else None
    return None if whole is None or mirror_name(whole) != whole else (whole, side)


def canonical_name(spelling: str) -> str:
    """Return the ARKit name that a spelling means (:func:`arkit_name`).

    :raises TrackError: if no ARKit shape is spelt like it.
    """
    found = arkit_name(spelling)
    if found is None:
        shown = spelling[:60]
        raise TrackError(
            f"{shown!r} is no ARKit blendshape{nearest(shown, ARKIT_NAMES)}", expected="one of ARKit's 52 names"
        )
    return found


_BY_WORDS = {split_name(name): name for name in ARKIT_NAMES}
_BY_LETTERS = {("".join(words), side): name for (words, side), name in _BY_WORDS.items()}
_WORDS = {word for words, _ in _BY_WORDS for word in words}


def select_names(shapes: str | Iterable[str], available: Sequence[str]) -> tuple[str, ...]:
    """Resolve a choice of shapes against what a rig has.

    :param shapes: ``"blendvoca"`` (the 32), ``"all"`` (every available one) or names.
    :raises TrackError: if a name is not available.
    """
    if shapes == "all":
        return tuple(available)
    wanted = BLENDVOCA_NAMES if shapes == "blendvoca" else (shapes,) if isinstance(shapes, str) else tuple(shapes)
    known = set(available)
    missing = [name + nearest(name, available) for name in wanted if name not in known]
    if missing:
        raise TrackError("the source lacks blendshapes", expected=f"{len(wanted)} shapes", found=f"no {missing}")
    return wanted

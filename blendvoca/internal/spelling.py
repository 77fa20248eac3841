"""How tools spell the names of blendshapes: words and a side, whatever the case, the separators and the prefix.

The part below the line stands word for word in ``docs/blender/blendvoca_track.py``, which has to work alone; a test
holds both to each other. So it uses nothing but Python's own library.
"""

from __future__ import annotations

import re

# ---- the same in both files ------------------------------------------------------------------------------

SIDES = {"l": "left", "left": "left", "r": "right", "right": "right"}
#: Words of a key that may be its name, counted from its end.
MOST_WORDS = 6
#: What VRM 1.0's expressions and Oculus' visemes are called elsewhere: VRM 0.x, VRoid (``Fcl_MTH_A``), Ready Player Me.
#: A single letter is a name by itself only; more words may have others before them.
ALIASES = {
    "aa": ("A", "MTH A"),
    "ih": ("I", "MTH I", "viseme I"),
    "ou": ("U", "MTH U", "viseme U"),
    "ee": ("E", "MTH E", "viseme E"),
    "oh": ("O", "MTH O", "viseme O"),
    "E": ("viseme E", "v E"),
    "blink": ("EYE Close",),
    "blinkLeft": ("EYE Close L",),
    "blinkRight": ("EYE Close R",),
    "happy": ("Joy", "ALL Joy"),
    "angry": ("ALL Angry",),
    "sad": ("Sorrow", "ALL Sorrow"),
    "relaxed": ("Fun", "ALL Fun"),
    "surprised": ("ALL Surprised",),
}


def split_name(name: str) -> tuple[tuple[str, ...], str]:
    """Split a spelling into its words and its side.

    ``eyeBlink_L``, ``EyeBlinkLeft``, ``L.eye_blink`` and ``EYE BLINK LEFT`` are all ``("eye", "blink"), "left"``; the
    side is empty where none is named. Of two sides the last counts, and what stands before the first is left out.
    """
    spaced = re.sub(r"([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])", r"\1\3 \2", name)
    words = [word.lower() for word in re.split(r"[^A-Za-z0-9]+", spaced) if word]
    sides = [place for place, word in enumerate(words) if word in SIDES]
    if sides:
        first = sides[-2] + 1 if len(sides) > 1 else 0
        return tuple(word for word in words[first:] if word not in SIDES), SIDES[words[sides[-1]]]
    for side in ("left", "right"):
        # All in one case, word borders are lost; the side still can.
        if words and words[-1].endswith(side):
            return (*words[:-1], words[-1].removesuffix(side)), side
        if len(words) == 1 and words[0].startswith(side):
            return (words[0].removeprefix(side),), side
    return tuple(words), ""


def match_names(names: list[str], keys: list[str]) -> dict[str, list[str]]:
    """Find the keys of a mesh, rig or table that are meant by names.

    A key of the very same name comes first, then one of the same words and side, then one whose last words they are
    (an unknown prefix). Where two keys fit equally well, none is taken.

    :param names: such as ARKit's, or those of a track.
    :param keys: such as those of a mesh.
    :return: name to keys, for those that are found. A name without a side whose shape the keys hold in two halves has
        both of them.
    """
    exact: dict[tuple[str, str], list[str]] = {}
    tails: dict[tuple[str, ...], list[str]] = {}
    for key in dict.fromkeys(keys):
        words, side = split_name(key)
        exact.setdefault(("".join(words), side), []).append(key)
        for count in range(1, min(len(words), MOST_WORDS) + 1):
            tails.setdefault((side, *words[-count:]), []).append(key)
    known, matched = set(keys), {}
    for name in names:
        words, side = split_name(name)

        def find(side: str, words: tuple[str, ...] = words) -> list[str]:
            alone = exact.get(("".join(words), side))
            found = alone or ([] if len(words[0]) == len(words) == 1 else tails.get((side, *words), []))
            return found if len(found) == 1 else []

        found = [name] if name in known else find(side) if words else []
        for spelling in () if found else ALIASES.get(name, ()):
            also, side_of_it = split_name(spelling)
            found = found or find(side_of_it, also)
        if words and not found and not side:
            halves = [find("left"), find("right")]
            found = halves[0] + halves[1] if all(halves) else []
        if found:
            matched[name] = found
    return matched


# ---- the same in both files, to here ---------------------------------------------------------------------

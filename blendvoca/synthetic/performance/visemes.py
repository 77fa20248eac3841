"""What the mouth does for every speech sound, as targets of BlendVOCA's 32 coefficients, and how strongly it insists.

How far the lips meet is no target: :mod:`.closure` makes it from the times of the sounds that close them.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

#: Targets by kind of sound. A name without Left or Right stands for both sides.
TARGETS: Mapping[str, dict[str, float]] = MappingProxyType({
    "rest": {"jawOpen": 0.02, "mouthPress": 0.05},
    "lips": {"jawOpen": 0.08, "mouthPress": 0.26, "mouthRollLower": 0.10, "mouthRollUpper": 0.09},
    "teeth_lip": {"jawOpen": 0.09, "mouthRollLower": 0.26, "mouthUpperUp": 0.22, "mouthShrugLower": 0.14},
    "tongue_teeth": {"jawOpen": 0.17, "mouthLowerDown": 0.20, "mouthUpperUp": 0.12},
    "tongue": {"jawOpen": 0.14, "mouthLowerDown": 0.22, "mouthUpperUp": 0.10, "mouthStretch": 0.10},
    "lateral": {"jawOpen": 0.24, "mouthLowerDown": 0.18, "mouthUpperUp": 0.12},
    "hiss": {"jawOpen": 0.05, "jawForward": 0.22, "mouthStretch": 0.24, "mouthLowerDown": 0.34, "mouthUpperUp": 0.16,
             "mouthSmile": 0.05},
    "hush": {"jawOpen": 0.10, "jawForward": 0.20, "mouthFunnel": 0.24, "mouthPucker": 0.18, "mouthUpperUp": 0.14,
             "mouthLowerDown": 0.18},
    "back": {"jawOpen": 0.20, "mouthLowerDown": 0.10},
    "breath": {"jawOpen": 0.26},
    "r": {"jawOpen": 0.13, "mouthPucker": 0.22, "mouthFunnel": 0.10, "mouthShrugUpper": 0.10},
    "w": {"jawOpen": 0.05, "mouthPucker": 0.60, "mouthFunnel": 0.07},
    "y": {"jawOpen": 0.10, "mouthSmile": 0.08, "mouthStretch": 0.18},
    "ee": {"jawOpen": 0.13, "mouthSmile": 0.13, "mouthStretch": 0.28, "mouthLowerDown": 0.20, "mouthUpperUp": 0.08},
    "ih": {"jawOpen": 0.22, "mouthSmile": 0.08, "mouthStretch": 0.18, "mouthLowerDown": 0.14},
    "eh": {"jawOpen": 0.32, "mouthSmile": 0.05, "mouthStretch": 0.22, "mouthLowerDown": 0.22, "mouthUpperUp": 0.12},
    "ae": {"jawOpen": 0.44, "mouthSmile": 0.04, "mouthStretch": 0.32, "mouthLowerDown": 0.26, "mouthUpperUp": 0.18},
    "ah": {"jawOpen": 0.50, "mouthLowerDown": 0.18, "mouthUpperUp": 0.08},
    "uh": {"jawOpen": 0.34, "mouthLowerDown": 0.14, "mouthUpperUp": 0.06},
    "schwa": {"jawOpen": 0.24, "mouthLowerDown": 0.08},
    "er": {"jawOpen": 0.24, "mouthFunnel": 0.13, "mouthPucker": 0.14, "mouthShrugUpper": 0.10},
    "aw": {"jawOpen": 0.46, "mouthFunnel": 0.20, "mouthPucker": 0.18},
    "oo_short": {"jawOpen": 0.20, "mouthPucker": 0.36, "mouthFunnel": 0.12},
    "oo": {"jawOpen": 0.14, "mouthPucker": 0.52, "mouthFunnel": 0.10},
})  # fmt: skip

#: How strongly a sound insists on its targets: (on those it names, on the others).
INSISTENCE: Mapping[str, tuple[float, float]] = MappingProxyType({
    "rest": (0.5, 0.5), "lips": (4.0, 0.5), "teeth_lip": (2.5, 0.6), "tongue_teeth": (1.0, 0.3), "tongue": (0.6, 0.25),
    "lateral": (0.6, 0.25), "hiss": (1.4, 0.5), "hush": (1.6, 0.6), "back": (0.4, 0.2), "breath": (0.2, 0.1),
    "r": (1.1, 0.4), "w": (2.2, 0.8), "y": (0.8, 0.4),
})  # fmt: skip
VOWEL_INSISTENCE = (1.2, 0.7)
#: Kinds of sound that are vowels.
VOWELS = frozenset(("ee", "ih", "eh", "ae", "ah", "uh", "schwa", "er", "aw", "oo_short", "oo"))

#: espeak-ng's mnemonics by kind; a diphthong is two kinds one after the other.
_SYMBOLS = {
    "lips": "p b m", "teeth_lip": "f v", "tongue_teeth": "T D", "tongue": "t d n t# n- ?", "lateral": "l L l- l#",
    "hiss": "s z ts dz", "hush": "S Z tS dZ", "back": "k g N x C", "breath": "h", "r": "r r- R r/", "w": "w", "y": "j",
    "ee": "i", "ih": "I I#", "eh": "E e", "ae": "a aa a#", "ah": "A 0 A~", "uh": "V", "schwa": "@ @- @L", "er": "3 @r",
    "aw": "O", "oo_short": "U", "oo": "u",
}  # fmt: skip
_DIPHTHONGS = {
    "eI": ("eh", "ih"), "aI": ("ae", "ih"), "OI": ("aw", "ih"), "oU": ("aw", "oo_short"), "aU": ("ah", "oo_short"),
    "e@": ("eh", "schwa"), "i@": ("ih", "schwa"), "U@": ("oo_short", "schwa"), "I@": ("ih", "schwa"),
    "A@": ("ah", "er"), "O@": ("aw", "er"), "o@": ("aw", "er"), "aI@": ("ae", "schwa"), "aI3": ("ae", "er"),
    "aU@": ("ah", "schwa"), "@U": ("schwa", "oo_short"), "ju": ("y", "oo"), "o": ("aw", "aw"), "E@": ("eh", "schwa"),
}  # fmt: skip
_KINDS: dict[str, tuple[str, ...]] = {
    **{symbol: (kind,) for kind, symbols in _SYMBOLS.items() for symbol in symbols.split()},
    **_DIPHTHONGS,
    "_": ("rest",),
}


#: The provenance of a clip that holds its phones in one line: mnemonics, each with its end in seconds.
PHONES = "phones"
#: All kinds of sound, in the order of the numbers that :func:`kind_frames` gives.
KINDS: tuple[str, ...] = tuple(TARGETS)


def kind_frames(spelled: str, frames: int, fps: float) -> NDArray[np.int64]:
    """Return the number of the kind of sound at every frame: (frames,).

    :param spelled: as in a clip's provenance (:data:`PHONES`).
    """
    words, start = spelled.split(), 0.0
    result = np.full(frames, KINDS.index("rest"), np.int64)
    for symbol, end in zip(words[::2], map(float, words[1::2]), strict=True):
        passed = kinds(symbol)
        edges = np.round(np.linspace(start, end, len(passed) + 1) * fps).astype(int)
        for kind, (first, last) in zip(passed, pairwise(edges.tolist()), strict=True):
            result[first:last] = KINDS.index(kind)
        start = end
    return result


def kinds(symbol: str) -> tuple[str, ...]:
    """Return the kinds of sound a phoneme passes through; one that is unknown is taken by its first letter."""
    plain = symbol.replace(":", "")
    for length in range(len(plain), 0, -1):
        if plain[:length] in _KINDS:
            return _KINDS[plain[:length]]
    return ("schwa",)

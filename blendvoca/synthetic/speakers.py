"""The sample's people: a face, a voice and a manner each, drawn from the seed."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from blendvoca.synthetic.identity import Identity
from blendvoca.synthetic.performance.coarticulation import Style
from blendvoca.synthetic.voice.speech import VOICES, Voice


@dataclass(frozen=True)
class Speaker:
    """A speaker of the sample.

    :param name: folder name.
    :param identity: the face.
    :param voice: the voice.
    :param style: the manner.
    """

    name: str
    identity: Identity
    voice: Voice
    style: Style


def make_speaker(number: int, seed: int) -> Speaker:
    """Return speaker ``number``, counted from 1; it does not depend on how many speakers there are."""
    name = f"speaker{number:02d}"
    identity = Identity.random(stream(seed, name, "identity"), spread=1.3)
    style = Style.random(stream(seed, name, "style"))
    return Speaker(name, identity, VOICES[(number - 1) % len(VOICES)], style)


def stream(seed: int, *words: str) -> np.random.Generator:
    """Return the random numbers for one purpose, independent of every other purpose and of their order."""
    return np.random.default_rng([seed, *(zlib.crc32(word.encode()) for word in words)])

"""What every speech engine offers, and how a voice is described."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blendvoca.audio import Waveform


@dataclass(frozen=True)
class Voice:
    """How a speaker sounds.

    :param name: a voice of the engine; of espeak-ng, with a variant after a plus sign; of Kokoro, also two of its
        voices with the second's share in percent (``af_bella+am_puck:35``).
    :param words_per_minute: speaking rate, 160 is ordinary.
    :param pitch: 0 to 99, 50 is the voice's own.
    :param pitch_range: 0 (monotone) to 99.
    :param engine: which engine has the voice.
    """

    name: str = "en-us"
    words_per_minute: int = 160
    pitch: int = 50
    pitch_range: int = 50
    engine: str = "espeak"


@dataclass(frozen=True, eq=False)
class Spoken:
    """What an engine said.

    :param sound: at the engine's own rate.
    :param phones: espeak-ng's mnemonic and start in seconds, rising; ``_`` is a pause.
    """

    sound: Waveform
    phones: tuple[tuple[str, float], ...]


class VoiceSource(ABC):
    """A speech engine: voices, and sentences spoken by them with the time of every phone."""

    #: As in :attr:`Voice.engine`.
    name: str
    #: Sentences of each voice in a corpus, as a field of :class:`blendvoca.synthetic.config.VoicesConfig`.
    sentences: str = "recorded_sentences"
    #: What to do where the engine is missing.
    remedy: str

    @abstractmethod
    def available(self) -> bool:
        """Return whether this machine has the engine."""

    @abstractmethod
    def voices(self) -> tuple[Voice, ...]:
        """Return the engine's voices at their ordinary rate and pitch."""

    def mixed(self, voices: Sequence[Voice], count: int, rng: np.random.Generator) -> tuple[Voice, ...]:
        """Return new voices between given ones; none where the engine cannot mix.

        :param voices: of the engine.
        :param count: how many.
        """
        return ()

    @abstractmethod
    def speak(self, text: str, voice: Voice) -> Spoken:
        """Speak a sentence; the same text and voice give the same samples every time.

        :raises BlendvocaError: if the engine fails or lacks the voice.
        """

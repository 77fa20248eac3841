"""Sentences spoken by a machine voice, with the time of every phoneme."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from blendvoca.audio import Waveform
from blendvoca.speakers import VOCASET_AUDIO_RATE
from blendvoca.synthetic.voice.engines import Voice, source_of
from blendvoca.synthetic.voice.sentences import SENTENCE_TEXTS

#: Silence before and after a sentence, seconds.
LEAD_IN, LEAD_OUT = 0.15, 0.2
#: Samples and frames agree where both are whole: 22 kHz and 60 fps do every three frames.
_FRAMES_PER_BLOCK = 3
_LOUDEST = 0.95


VOICES: tuple[Voice, ...] = (
    Voice("en-us+f2", 158, 58, 55),
    Voice("en-us+m3", 150, 38, 45),
    Voice("en-gb-x-rp+f4", 168, 62, 60),
    Voice("en-gb-scotland+m7", 162, 44, 60),
    Voice("en-us+m1", 172, 34, 50),
    Voice("en-029+f3", 154, 55, 55),
    Voice("en-us-nyc+f5", 164, 66, 50),
    Voice("en-gb-x-gbclan+m5", 146, 48, 65),
)


@dataclass(frozen=True)
class Phoneme:
    """A speech sound.

    :param symbol: espeak-ng's mnemonic without stress marks; ``_`` is a pause.
    :param start: seconds.
    :param end: seconds.
    """

    symbol: str
    start: float
    end: float


@dataclass(frozen=True, eq=False)
class Utterance:
    """A spoken sentence: its sound, a whole number of frames long, and its phonemes.

    :param text: what is said.
    :param sound: 22 kHz mono.
    :param phonemes: in order, without gaps.
    :param frames: length in frames at 60 fps; the sound lasts exactly ``frames / 60`` seconds.
    """

    text: str
    sound: Waveform
    phonemes: tuple[Phoneme, ...]
    frames: int


def sentence_text(number: int) -> str:
    """Return the text of ``sentence<number>``, counted from 1."""
    return SENTENCE_TEXTS[number - 1]


def say(text: str, voice: Voice, lead_in: float = LEAD_IN, lead_out: float = LEAD_OUT) -> Utterance:
    """Speak a sentence; the same text and voice give the same samples every time.

    :param lead_in: silence before it, seconds.
    :param lead_out: silence after it, seconds.
    :raises MissingDependencyError: without ``espeakng_loader``, where the voice is espeak-ng's.
    :raises ConfigurationError: if this machine lacks another engine.
    :raises BlendvocaError: if the engine fails or lacks the voice.
    """
    spoken = source_of(voice).speak(text, voice)
    sound = spoken.sound.resampled(VOCASET_AUDIO_RATE)
    seconds = lead_in + len(sound) / VOCASET_AUDIO_RATE + lead_out
    frames = _FRAMES_PER_BLOCK * int(np.ceil(seconds * 60 / _FRAMES_PER_BLOCK))
    samples = np.zeros(frames * VOCASET_AUDIO_RATE // 60, dtype=np.float32)
    first = round(lead_in * VOCASET_AUDIO_RATE)
    # Some engines speak louder than full scale.
    loudest = float(np.abs(sound.samples).max())
    samples[first : first + len(sound)] = sound.samples * min(1.0, _LOUDEST / max(loudest, 1e-9))
    phonemes = _phonemes(spoken.phones, lead_in, frames / 60)
    return Utterance(text, Waveform(samples, VOCASET_AUDIO_RATE), phonemes, frames)


def _phonemes(starts: tuple[tuple[str, float], ...], lead_in: float, seconds: float) -> tuple[Phoneme, ...]:
    """Turn start times into phonemes that follow each other from 0 to the end; neighbouring pauses are one."""
    times = [("_", 0.0), *((symbol, lead_in + start) for symbol, start in starts)]
    result: list[Phoneme] = []
    for (symbol, start), (_, end) in zip(times, [*times[1:], ("_", seconds)], strict=True):
        if end <= start:
            continue
        if result and symbol == "_" == result[-1].symbol:
            result[-1] = Phoneme("_", result[-1].start, end)
        else:
            result.append(Phoneme(symbol, start, end))
    return tuple(result)

"""Sentences spoken by a machine voice, with the time of every phoneme."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from blendvoca.audio import Waveform
from blendvoca.errors import BlendvocaError, MissingDependencyError
from blendvoca.speakers import VOCASET_AUDIO_RATE
from blendvoca.synthetic.sentences import SENTENCE_TEXTS

#: Silence before and after a sentence, seconds.
LEAD_IN, LEAD_OUT = 0.15, 0.2
#: Samples and frames agree where both are whole: 22 kHz and 60 fps do every three frames.
_FRAMES_PER_BLOCK = 3


@dataclass(frozen=True)
class Voice:
    """How a speaker sounds.

    :param name: an espeak-ng voice, with a variant after a plus sign.
    :param words_per_minute: speaking rate.
    :param pitch: 0 to 99.
    :param pitch_range: 0 (monotone) to 99.
    """

    name: str = "en-us"
    words_per_minute: int = 160
    pitch: int = 50
    pitch_range: int = 50


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


def say(text: str, voice: Voice) -> Utterance:
    """Speak a sentence; the same text and voice give the same samples every time.

    :raises MissingDependencyError: without ``espeakng_loader``.
    :raises BlendvocaError: if espeak-ng fails or lacks the voice.
    """
    answer, raw = _run(text, voice)
    rate = int(answer["rate"])
    sound = Waveform.from_int16(np.frombuffer(raw, "<i2"), rate).resampled(VOCASET_AUDIO_RATE)
    seconds = LEAD_IN + len(sound) / VOCASET_AUDIO_RATE + LEAD_OUT
    frames = _FRAMES_PER_BLOCK * int(np.ceil(seconds * 60 / _FRAMES_PER_BLOCK))
    samples = np.zeros(frames * VOCASET_AUDIO_RATE // 60, dtype=np.float32)
    first = round(LEAD_IN * VOCASET_AUDIO_RATE)
    samples[first : first + len(sound)] = sound.samples
    return Utterance(text, Waveform(samples, VOCASET_AUDIO_RATE), _phonemes(answer["phonemes"], frames / 60), frames)


def _run(text: str, voice: Voice) -> tuple[dict[str, Any], bytes]:
    if importlib.util.find_spec("espeakng_loader") is None:
        raise MissingDependencyError("espeakng_loader", "demo", "speaking the sample's sentences")
    request = {
        "text": text, "voice": voice.name, "words_per_minute": voice.words_per_minute, "pitch": voice.pitch,
        "pitch_range": voice.pitch_range,
    }  # fmt: skip
    program = Path(__file__).with_name("espeak.py")
    done = subprocess.run(
        [sys.executable, "-I", str(program)], input=json.dumps(request).encode(), capture_output=True, check=False
    )
    line, _, raw = done.stdout.partition(b"\n")
    if done.returncode != 0 or not line:
        words = done.stderr.decode(errors="replace").strip()[-300:]
        raise BlendvocaError("espeak-ng failed", found=words or "no output")
    answer = json.loads(line)
    if "error" in answer:
        raise BlendvocaError("espeak-ng failed", found=answer["error"])
    return answer, raw


def _phonemes(events: list[tuple[str, float]], seconds: float) -> tuple[Phoneme, ...]:
    """Turn start times into phonemes that follow each other from 0 to the end."""
    starts = [LEAD_IN + time for _, time in events] + [seconds]
    result = [Phoneme("_", 0.0, starts[0])]
    for (symbol, _), start, end in zip(events, starts, starts[1:], strict=False):
        plain = symbol.strip("',=%|: ").rstrip("0123456789:") if not symbol.startswith("_") else "_"
        if end > start:
            result.append(Phoneme(plain or "_", start, end))
    return tuple(result)

"""People's recordings as voices: sound files with the times of their phones beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from blendvoca.audio import Waveform
from blendvoca.errors import MissingInputError
from blendvoca.io.phones import read_phones
from blendvoca.io.sound.wav import read_audio
from blendvoca.phones import PhoneTrack
from blendvoca.speakers import VOCASET_AUDIO_RATE
from blendvoca.synthetic.voice.engines.phone_sets import ARPABET, translate
from blendvoca.synthetic.voice.speech import Phoneme, Utterance

#: The phone times of a folder's recordings.
PHONES_FILE = "phones.json"
_SUFFIXES = (".flac", ".wav", ".ogg", ".mp3")


def recorded(folder: str | os.PathLike[str]) -> Iterator[tuple[str, Utterance]]:
    """Yield the recordings of a folder that have phone times: name and utterance, in order of their names.

    :param folder: sound files and :data:`PHONES_FILE`.
    :raises MissingInputError: if there are no phone times, or none of a recording that is here.
    :raises FormatError: for phones that are not ARPAbet.
    """
    place = Path(folder)
    tracks = read_phones(place / PHONES_FILE)
    found = [path for path in sorted(place.iterdir()) if path.suffix in _SUFFIXES and path.stem in tracks]
    if not found:
        raise MissingInputError("no recording with phone times", expected=f"sounds named in {PHONES_FILE}", path=place)
    for path in found:
        if tracks[path.stem].phones:
            yield path.stem, utterance_of(read_audio(path), tracks[path.stem])


def utterance_of(sound: Waveform, track: PhoneTrack) -> Utterance:
    """Return a recording as an utterance, filled up with its last moments to whole blocks of three frames.

    :param sound: at any rate.
    :param track: ARPAbet phones with their times.
    :raises FormatError: for phones of another set; ``said align`` makes ARPAbet.
    """
    audio = sound.resampled(VOCASET_AUDIO_RATE)
    frames = 3 * max(int(np.ceil(len(audio) * 20 / VOCASET_AUDIO_RATE)), 1)
    count = frames * VOCASET_AUDIO_RATE // 60
    samples = np.pad(audio.samples, (0, count - len(audio)))
    spoken: list[tuple[str, float]] = [("_", 0.0)]
    for phone in track.phones:
        symbol = "_" if phone.is_pause else translate(phone.label.lower(), ARPABET)
        spoken += [(symbol, phone.start), ("_", phone.end)]
    ends = [start for _, start in spoken[1:]] + [frames / 60]
    phonemes = [Phoneme(symbol, start, end) for (symbol, start), end in zip(spoken, ends, strict=True) if end > start]
    return Utterance(track.text or "", Waveform(samples, VOCASET_AUDIO_RATE), tuple(phonemes), frames)

"""Phone times of a recording whose text is known, by pocketsphinx, which ships its English model."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from blendvoca.audio import Waveform
from blendvoca.errors import InputError, MissingDependencyError
from blendvoca.phones import Phone, PhoneTrack

#: Samples a second that the aligner's model takes, and the seconds of its frames.
RATE, FRAME = 16_000, 0.01


def align(waveform: Waveform, text: str) -> PhoneTrack:
    """Return the phones (ARPAbet) of a recording; good to about 30 ms on clear speech.

    :param waveform: mono at 16,000 Hz.
    :param text: what is said, in English words.
    :raises InputError: for sound at another rate, or text that the aligner does not know or cannot find.
    :raises MissingDependencyError: without pocketsphinx.
    """
    try:
        from pocketsphinx import Decoder
    except ModuleNotFoundError as error:
        raise MissingDependencyError("pocketsphinx", "align", "making phone times") from error
    if waveform.rate != RATE:
        raise InputError("sound at another rate", expected=f"{RATE} Hz", found=waveform.rate)
    decoder = Decoder(samprate=RATE, lm=None, bestpath=False, loglevel="FATAL")
    words = _words(text, decoder)
    samples = (np.clip(waveform.samples, -1, 1) * 32767).astype("<i2").tobytes()
    decoder.set_align_text(" ".join(words))
    _decode(decoder, samples)
    found = None
    if decoder.hyp() is not None:
        decoder.set_alignment()
        _decode(decoder, samples)
        found = decoder.get_alignment()
    if found is None:
        raise InputError("the aligner does not find this text in the sound", expected="the words that are said",
                         found=text[:80], remedy="Check the text, or cut the sound to it.")  # fmt: skip
    phones = [phone for word in found for phone in word]
    return PhoneTrack(
        tuple(Phone(one.name, one.start * FRAME, (one.start + one.duration) * FRAME) for one in phones), text
    )


def _words(text: str, decoder: Any) -> list[str]:
    words = re.findall(r"[a-z']+", text.lower().replace("’", "'"))
    if not words:
        raise InputError("no words to align", expected="English text", found=text[:80])
    unknown = [word for word in words if decoder.lookup_word(word) is None]
    if unknown:
        raise InputError("words that the aligner does not know", found=sorted(set(unknown))[:8],
                         remedy="Spell them as English words that sound alike.")  # fmt: skip
    return words


def _decode(decoder: Any, samples: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(samples, full_utt=True)
    decoder.end_utt()

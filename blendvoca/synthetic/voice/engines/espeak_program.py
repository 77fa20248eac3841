"""The machine voice: espeak-ng through ctypes, run as a program of its own, one sentence a run.

The library keeps hidden state (its noise generator, the phase of its waves), so the sound of a sentence depends on
what was said before. A fresh process for every sentence makes it the same bytes each time. This file uses the standard
library and ``espeakng_loader`` only; it reads one JSON object from standard input and writes a JSON line, then the
samples.
"""

from __future__ import annotations

import ctypes
import json
import sys
from typing import Any

_SYNCHRONOUS, _PHONEME_EVENTS, _DONT_EXIT = 2, 1, 0x8000
_RATE, _PITCH, _RANGE = 1, 3, 4
_UTF8, _END_PAUSE = 1, 0x1000
_PHONETIC = 2
_PHONEME = 7


class _Name(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int), ("identifier", ctypes.c_uint), ("text_position", ctypes.c_int),
        ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p), ("id", _Name),
    )  # fmt: skip


_Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


def speak(text: str, voice: str, words_per_minute: int, pitch: int, pitch_range: int) -> dict[str, Any]:
    """Return ``{"rate", "phonemes": [[symbol, seconds]], "samples": bytes}``; on failure ``{"error"}``."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    data = espeakng_loader.get_data_path().encode()
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, data, _PHONEME_EVENTS | _DONT_EXIT)
    if rate <= 0 or library.espeak_SetVoiceByName(voice.encode()) != 0:
        return {"error": f"espeak-ng has no voice {voice!r} (sample rate {rate})"}
    samples = bytearray()
    phonemes: list[tuple[str, float]] = []

    def collect(wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            samples.extend(ctypes.string_at(wave, 2 * count))
        position = 0
        while events[position].type:
            event = events[position]
            if event.type == _PHONEME:
                phonemes.append((bytes(event.id.string).decode(errors="replace"), event.sample / rate))
            position += 1
        return 0

    callback = _Callback(collect)
    library.espeak_SetSynthCallback(callback)
    for parameter, value in ((_RATE, words_per_minute), (_PITCH, pitch), (_RANGE, pitch_range)):
        library.espeak_SetParameter(parameter, value, 0)
    # The library seeds its generators with the time of day.
    library.espeak_ng_SetRandSeed(ctypes.c_long(1))
    encoded = text.encode()
    library.espeak_Synth(encoded, len(encoded) + 1, 0, 1, 0, _UTF8 | _END_PAUSE, None, None)
    library.espeak_Synchronize()
    return {"rate": rate, "phonemes": phonemes, "samples": bytes(samples)}


def sounds(text: str, voice: str) -> dict[str, Any]:
    """Return ``{"clauses": [...]}`` in the phonetic alphabet, sounds parted by underscores; else ``{"error"}``."""
    import espeakng_loader

    library = ctypes.CDLL(espeakng_loader.get_library_path())
    rate = library.espeak_Initialize(_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), _DONT_EXIT)
    if rate <= 0 or library.espeak_SetVoiceByName(voice.encode()) != 0:
        return {"error": f"espeak-ng has no voice {voice!r} (sample rate {rate})"}
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    # The library moves the pointer on by a clause with every call, and to null at the end.
    rest = ctypes.c_char_p(text.encode())
    clauses = []
    while rest.value:
        written = library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, (ord("_") << 8) | _PHONETIC)
        clauses.append(written.decode())
    return {"clauses": [clause for clause in clauses if clause.strip()]}


def main() -> None:
    """Speak the sentence described on standard input, or say its sounds."""
    request = json.load(sys.stdin)
    answer = sounds(**request) if request.pop("sounds", False) else speak(**request)
    samples = answer.pop("samples", b"")
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.write(bytes(samples))


if __name__ == "__main__":
    main()

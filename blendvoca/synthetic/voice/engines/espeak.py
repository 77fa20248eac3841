"""espeak-ng's voices (``pip install 'blendvoca[demo]'``): formant synthesis, one process a sentence."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from blendvoca.audio import Waveform
from blendvoca.errors import BlendvocaError
from blendvoca.synthetic.voice.engines.base import Spoken, Voice, VoiceSource

#: English voices, and the variants that sound like a person: formants, breath, roughness and pitch of their own.
_ACCENTS = ("en-us", "en-gb-x-rp", "en-gb-scotland", "en-029", "en-us-nyc", "en-gb-x-gbclan", "en-us", "en-gb-x-gbcwmd")
_VARIANTS = """
    f1 f2 f3 f4 f5 m1 m2 m3 m4 m5 m6 m7 m8 Alex Alicia Andrea Andy Annie Denis Diogo Gene Gene2 Henrique Hugo
    Jacky Lee Marco Mario Michael Mike Nguyen Reed Storm adam anika antonio aunty belinda benjamin boris caleb
    david ed edward edward2 grandma grandpa gustave ian iven iven2 iven3 iven4 john klatt klatt2 klatt3 klatt4
    linda marcelo max michel miguel mike2 norbert pablo paul pedro quincy rob robert sandro shelby steph steph2
    steph3 travis victor zac
""".split()  # noqa: SIM905  # a table of words


class Espeak(VoiceSource):
    """Speaks through ``espeakng_loader``."""

    name = "espeak"
    sentences = "sentences"
    remedy = "pip install 'blendvoca[demo]'"

    def available(self) -> bool:
        return importlib.util.find_spec("espeakng_loader") is not None

    def voices(self) -> tuple[Voice, ...]:
        return tuple(Voice(f"{_ACCENTS[place % len(_ACCENTS)]}+{variant}") for place, variant in enumerate(_VARIANTS))

    def speak(self, text: str, voice: Voice) -> Spoken:
        request = {
            "text": text, "voice": voice.name, "words_per_minute": voice.words_per_minute, "pitch": voice.pitch,
            "pitch_range": voice.pitch_range,
        }  # fmt: skip
        answer, raw = _run(request)
        sound = Waveform.from_int16(np.frombuffer(raw, "<i2"), int(answer["rate"]))
        return Spoken(sound, tuple((_plain(symbol), float(start)) for symbol, start in answer["phonemes"]))


def _run(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    program = Path(__file__).with_name("espeak_program.py")
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


def _plain(symbol: str) -> str:
    """Take marks of stress and number off a mnemonic."""
    if symbol.startswith("_"):
        return "_"
    return symbol.strip("',=%|: ").rstrip("0123456789:") or "_"

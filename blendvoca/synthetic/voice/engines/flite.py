"""flite's voices (Debian: ``apt install flite``), recorded from people; one program run a sentence."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from blendvoca.errors import BlendvocaError
from blendvoca.io.sound.wav import read_audio
from blendvoca.synthetic.voice.engines.base import Spoken, Voice, VoiceSource
from blendvoca.synthetic.voice.engines.phone_sets import ARPABET, translate

_NAMES = ("rms", "slt", "awb", "kal16")
#: Words a minute and mean pitch in Hz that the voices have of themselves.
_RATE = 160
_PITCH = {"rms": 100, "slt": 170, "awb": 125, "kal16": 105}


class Flite(VoiceSource):
    """Speaks through the program ``flite``; ``pitch`` 50 is the voice's own, 0 an octave below, 99 an octave above."""

    name = "flite"
    remedy = "Install flite, for example: apt install flite"

    def available(self) -> bool:
        return shutil.which("flite") is not None

    def voices(self) -> tuple[Voice, ...]:
        return tuple(Voice(name, _RATE, 50, 50, engine=self.name) for name in _NAMES)

    def speak(self, text: str, voice: Voice) -> Spoken:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech.wav"
            pitch = _PITCH.get(voice.name, 120) * 2 ** ((voice.pitch - 50) / 50)
            done = subprocess.run(
                ["flite", "-voice", voice.name, "--setf", f"duration_stretch={_RATE / voice.words_per_minute:.4f}",
                 "--setf", f"int_f0_target_mean={pitch:.1f}",
                 "--setf", f"int_f0_target_stddev={voice.pitch_range / 3:.1f}",
                 "-psdur", "-t", text, "-o", str(path)],
                capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode != 0 or not path.is_file():
                raise BlendvocaError("flite failed", found=(done.stderr or done.stdout).strip()[-300:] or "no sound")
            sound = read_audio(path)
        ends = [word.rsplit(":", 1) for word in done.stdout.split() if ":" in word]
        starts = [0.0, *(float(end) for _, end in ends)]
        phones = [translate(phone, ARPABET) for phone, _ in ends]
        return Spoken(sound, tuple(zip(phones, starts, strict=False)))

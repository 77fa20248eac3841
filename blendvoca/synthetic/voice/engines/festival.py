"""Festival's voices (Debian: ``apt install festival festvox-…``), recorded from people; one program run a sentence.

Voices of other languages read English text by their own letters: other sounds follow each other, and the speakers are
other people.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from blendvoca.errors import BlendvocaError
from blendvoca.io.sound.wav import read_audio
from blendvoca.synthetic.voice.engines.base import Spoken, Voice, VoiceSource
from blendvoca.synthetic.voice.engines.phone_sets import ARPABET, EUROPEAN, translate

_FOLDER = Path("/usr/share/festival/voices")
_RATE = 160
#: Voices that this file knows how to read, and whether their phones are English.
_KNOWN = {
    "cmu_us_slt_arctic_hts": True, "kal_diphone": True, "ked_diphone": True, "lp_diphone": False, "pc_diphone": False,
    "hy_fi_mv_diphone": False, "suo_fi_lj_diphone": False, "czech_dita": False, "czech_krb": False,
    "czech_machac": False, "czech_ph": False, "msu_ru_nsh_clunits": False,
}  # fmt: skip
_SCRIPT = """(voice_{voice})
(Parameter.set 'Duration_Stretch {stretch:.4f})
(set! said (utt.synth (Utterance Text "{text}")))
(mapcar (lambda (s) (format t "PHONE %s %f\\n" (item.name s) (item.feat s 'segment_end)))
        (utt.relation.items said 'Segment))
(utt.save.wave said "{path}" 'riff)
"""


class Festival(VoiceSource):
    """Speaks through the program ``festival`` with the voices that are installed; pitch is each voice's own."""

    name = "festival"
    remedy = "Install festival and voices, for example: apt install festival festvox-kallpc16k festvox-us-slt-hts"

    def available(self) -> bool:
        return shutil.which("festival") is not None and bool(self.voices())

    def voices(self) -> tuple[Voice, ...]:
        found = {path.name for path in _FOLDER.glob("*/*")}
        return tuple(Voice(name, _RATE, 50, 50, engine=self.name) for name in _KNOWN if name in found)

    def speak(self, text: str, voice: Voice) -> Spoken:
        with tempfile.TemporaryDirectory() as folder:
            path, script = Path(folder) / "speech.wav", Path(folder) / "speech.scm"
            plain = text.replace("\\", "").replace('"', "")
            stretch = _RATE / voice.words_per_minute
            script.write_text(_SCRIPT.format(voice=voice.name, stretch=stretch, text=plain, path=path))
            done = subprocess.run(
                ["festival", "-b", str(script)], capture_output=True, text=True, check=False, errors="replace"
            )
            if done.returncode != 0 or not path.is_file():
                raise BlendvocaError("festival failed", found=(done.stderr or done.stdout).strip()[-300:] or "no sound")
            sound = read_audio(path)
        rows = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("PHONE ")]
        phones = ARPABET if _KNOWN.get(voice.name, True) else EUROPEAN
        starts = [0.0, *(float(end) for _, end in rows)]
        return Spoken(sound, tuple(zip((translate(phone, phones) for phone, _ in rows), starts, strict=False)))

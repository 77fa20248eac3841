"""Recorded prompts of Debian's asterisk-core-sounds-en-g722 as a voice for ``blendvoca synth --voices --recordings``.

    apt install asterisk-core-sounds-en asterisk-core-sounds-en-g722 && pip install G722
    python docs/read_prompts.py prompts/ && said align prompts/*.flac --out prompts/phones.json

The prompts are spoken by Allison Smith and licensed CC BY-SA 3.0; nothing of them is in this repository.
"""

from __future__ import annotations

import gzip
import re
import sys
from pathlib import Path

import numpy as np
import soundfile

SOUNDS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
RATE = 16_000


def main(out: Path) -> None:
    """Decode every prompt whose text is known, with the text beside it."""
    from G722 import G722

    out.mkdir(parents=True, exist_ok=True)
    for line in gzip.decompress(TEXTS.read_bytes()).decode().splitlines():
        found = re.match(r"([^:;]+): ([^\[(]+)$", line.strip())
        if found is None or not (sound := SOUNDS / f"{found[1]}.g722").is_file():
            continue
        samples = np.asarray(G722(RATE, 64_000).decode(sound.read_bytes()), dtype=np.int16)
        name = found[1].replace("/", "_")
        soundfile.write(out / f"{name}.flac", samples, RATE)
        (out / f"{name}.txt").write_text(re.sub(r"\d", lambda digit: f" {DIGITS[int(digit[0])]} ", found[2]))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

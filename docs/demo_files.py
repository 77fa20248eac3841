"""Take a voice and a head from the sample corpus of ``make demo``: ``python docs/demo_files.py DEMO``.

``speech.wav`` is a sentence, ``speech.raw`` the same as `said stream` reads it, ``long.wav`` all sentences of a
speaker, ``head.ply`` the speaker's head.
"""

import shutil
import sys
from pathlib import Path

import numpy as np
import soundfile

from blendvoca.io.sound.wav import read_audio

SPEAKER = "speaker04"
#: Seconds between the sentences of the long sound.
PAUSE = 0.4


def main(demo: Path) -> None:
    """Write the files into the folder of the demo, beside its ``corpus``."""
    sentences = sorted((demo / "corpus" / "audio" / SPEAKER).glob("*.wav"))
    shutil.copyfile(sentences[0], demo / "speech.wav")
    shutil.copyfile(demo / "corpus" / "templates" / f"{SPEAKER}.ply", demo / "head.ply")
    samples = read_audio(sentences[0]).resampled(16_000).samples
    (demo / "speech.raw").write_bytes(np.rint(samples.clip(-1, 1) * 32767).astype("<i2").tobytes())
    sounds = [read_audio(path) for path in sentences]
    pause = np.zeros(round(PAUSE * sounds[0].rate), np.float32)
    joined = np.concatenate([part for sound in sounds for part in (sound.samples, pause)])
    soundfile.write(demo / "long.wav", joined, sounds[0].rate)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

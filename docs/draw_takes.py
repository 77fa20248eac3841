"""Draw the moving picture at the top of README: three takes of one sentence, by the demo model, on the sample head.

``python docs/draw_takes.py`` writes ``docs/images/takes.webp``. Everything in it comes from this repository: the
sentence is spoken by the sample's voice, each take is a seed of the model; the lids blink by themselves.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from blendvoca.audio import Waveform
from blendvoca.io.sound.wav import read_audio
from blendvoca.synthetic.config import SampleConfig
from blendvoca.synthetic.corpus import write_sample
from blendvoca.synthetic.head import CanonicalHead, SyntheticHead
from blendvoca.synthetic.performance.upper_face import blinks
from blendvoca.synthetic.speakers import make_speaker
from blendvoca.track import CoefficientTrack
from blendvoca.view.appearance import appearance_of
from blendvoca.view.render import Renderer
from blendvoca.view.sheet import face_camera
from said_model import SAiD

PICTURE = Path(__file__).parent / "images" / "takes.webp"
SPEAKER, SENTENCE = 4, "sentence01"
SEEDS = (0, 1, 2)
#: Seeds of the takes' blinks, so that each has one and no two at the same time.
BLINKS = (21, 16, 7)
#: Frames a second of the picture; the tracks have 60.
FPS = 20
SIZE, GAP, STRIP = 320, 4, 74
YAW = 18.0
INK, DIM, PAPER = (35, 38, 44), (150, 156, 166), (242, 244, 248)
#: Of the three takes.
COLOURS = ((214, 84, 61), (38, 128, 116), (72, 96, 180))

Pixels = NDArray[np.uint8]


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as folder:
        write_sample(Path(folder) / "sample", SampleConfig(SPEAKER, 1))
        sound = read_audio(Path(folder) / "sample" / "audio" / f"speaker{SPEAKER:02}" / f"{SENTENCE}.wav")
    model = SAiD.load()
    takes = [model.sample(sound, seed=seed) for seed in SEEDS]
    heads = np.concatenate([_head(take, seed) for take, seed in zip(takes, SEEDS)], axis=2)
    strip = _Strip(takes, sound, heads.shape[2])
    frames = [Image.fromarray(np.vstack([head, strip.at(n / len(heads))])) for n, head in enumerate(heads)]
    PICTURE.parent.mkdir(exist_ok=True)
    frames[0].save(PICTURE, save_all=True, append_images=frames[1:], duration=round(1000 / FPS), loop=0, quality=72,
                   method=5)  # fmt: skip
    print(f"{PICTURE}: {len(frames)} frames of {frames[0].size}, {PICTURE.stat().st_size / 1e6:.2f} MB")


def _head(track: CoefficientTrack, seed: int) -> Pixels:
    """Return the pictures (F, SIZE, SIZE, 3) of a take on a head of its own seed, with blinks."""
    head = SyntheticHead(make_speaker(SPEAKER, 0).identity, CanonicalHead())
    rig, landmarks = head.rig(), head.landmarks()
    lids = blinks(len(track), track.fps, np.random.default_rng(BLINKS[SEEDS.index(seed)]))
    values = np.column_stack([track.values, lids, lids])
    shown = rig.select((*track.names, "eyeBlinkLeft", "eyeBlinkRight"))
    camera = face_camera(rig.neutral, landmarks, YAW, rig.deltas)
    camera = replace(camera, height=1.06 * camera.height)
    with Renderer(rig.neutral, (SIZE, SIZE), look=appearance_of(rig.neutral, landmarks)) as renderer:
        step = round(track.fps / FPS)
        pictures = [renderer.draw(shown.pose(frame), camera) for frame in values[::step]]
    pictures = [np.pad(picture, ((0, 0), (0, GAP), (0, 0)), constant_values=255) for picture in pictures]
    return np.stack([_titled(picture, seed) for picture in pictures])


def _titled(picture: Pixels, seed: int) -> Pixels:
    image = Image.fromarray(picture)
    pen = ImageDraw.Draw(image)
    pen.ellipse((14, 14, 26, 26), fill=COLOURS[SEEDS.index(seed)])
    pen.text((34, 20), f"take {SEEDS.index(seed) + 1}", fill=INK, font=ImageFont.load_default(17), anchor="lm")
    return np.asarray(image)


class _Strip:
    """The line below the heads: the sound, how far each take opens the jaw, and where the picture is in time."""

    def __init__(self, takes: list[CoefficientTrack], sound: Waveform, width: int) -> None:
        self._image = Image.new("RGB", (width, STRIP), PAPER)
        pen, middle = ImageDraw.Draw(self._image), STRIP / 2
        loudness = np.abs(sound.samples)
        edges = np.linspace(0, len(loudness), width + 1).astype(int)
        peaks = np.array([loudness[a:b].max(initial=0.0) for a, b in pairwise(edges)])
        peaks /= max(loudness.max(), 1e-9)
        for x, peak in enumerate(peaks):
            pen.line((x, middle - 0.46 * STRIP * peak, x, middle + 0.46 * STRIP * peak), fill=(222, 226, 233))
        for take, colour in zip(takes, COLOURS):
            jaw = take.values[:, take.names.index("jawOpen")]
            x = np.linspace(0, width - 1, len(jaw))
            pen.line([(a, STRIP - 6 - (STRIP - 14) * b) for a, b in zip(x, jaw / 0.6)], fill=colour, width=3)
        pen.text((width - 8, 12), "jawOpen", fill=DIM, font=ImageFont.load_default(13), anchor="rm")

    def at(self, share: float) -> Pixels:
        """Return the strip with its playhead."""
        image = self._image.copy()
        x = share * image.width
        ImageDraw.Draw(image).line((x, 0, x, STRIP), fill=INK, width=2)
        return np.asarray(image)


if __name__ == "__main__":
    main()

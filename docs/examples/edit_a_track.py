"""Generate the middle of a track anew; what is kept comes back exactly."""

import numpy as np

from blendvoca import Waveform
from said_model import SAiD, build_mask
from said_model.checkpoints.folder import DEMO

sound = np.random.default_rng(0).normal(scale=0.1, size=32_000)
speech = Waveform(sound.clip(-1, 1), 16_000)

model = SAiD.load(DEMO)
track = model.sample(speech, seed=0)
mask = build_mask(len(track), track.names, track.fps, keep=["0:0.5", "1.5:"], pin=["jawOpen"])
for edited in model.edit(track, speech, mask, count=2, seed=3):
    kept = np.broadcast_to(mask, track.values.shape) == 1
    assert (edited.track.values[kept] == track.values[kept]).all()
    print(edited.track, edited.borders)

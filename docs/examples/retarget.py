"""Write a track for other tools and read it back."""

import numpy as np

from blendvoca import CoefficientTrack, load_track
from blendvoca.arkit import BLENDVOCA_NAMES

wave = np.abs(np.sin(np.arange(120) / 10))[:, None]
track = CoefficientTrack(np.repeat(0.5 * wave, len(BLENDVOCA_NAMES), axis=1), BLENDVOCA_NAMES, fps=60)

track.to_csv("speech.csv")
again = load_track("speech.csv")
assert again.names == track.names
assert np.abs(again.values - track.values).max() < 1e-6

half = track.mirrored().resampled(30).select(["jawOpen", "mouthSmileLeft"])
print(half)

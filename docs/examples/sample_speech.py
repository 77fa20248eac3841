"""Draw two samples of a recording with the demo model that comes with the package."""

import numpy as np

from blendvoca import Waveform
from said_model import SAiD
from said_model.checkpoints.folder import DEMO

time = np.arange(16_000) / 16_000
speech = Waveform(0.3 * np.sin(2 * np.pi * 140 * time) * (1 + np.sin(2 * np.pi * 4 * time)) / 2, 16_000)

model = SAiD.load(DEMO)
first, second = model.samples(speech, 2, seed=0)
print(first, f"of which the samples differ by {np.abs(first.values - second.values).mean():.3f}")
assert (model.sample(speech, seed=1).values == second.values).all()  # a sample depends on its seed alone

"""Fit coefficients to frames of a mesh, and check the certificate."""

import numpy as np

from blendvoca import BlendshapeRig, FitSettings, Fitter, Mesh, MeshSequence

rng = np.random.default_rng(0)
neutral = Mesh(0.1 * rng.standard_normal((40, 3)), [[0, 1, 2], [1, 2, 3]])
rig = BlendshapeRig(neutral, 0.01 * rng.standard_normal((2, 40, 3)), ("jawOpen", "mouthPucker"))

wave = 0.5 - 0.5 * np.cos(np.arange(60) / 12)
coefficients = np.stack([wave, 1 - wave], axis=1)  # (T, K)
frames = MeshSequence.from_array(rig.pose(coefficients), neutral.faces, fps=60)

result = Fitter(rig, FitSettings(rate_limit=0.1)).fit(frames)
print(result.track, result.certificate.status)
assert result.certificate.problems() == []
assert np.abs(result.track.values - coefficients).max() < 1e-4

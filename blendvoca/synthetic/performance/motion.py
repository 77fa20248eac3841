"""Frames of a sequence: the true pose, a smooth movement that no blendshape explains, and measuring noise. Metres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack

Array = NDArray[np.float64]

#: Standard deviation of the noise, and the largest unmodelled movement, metres.
NOISE, RESIDUAL = 1e-4, 3e-4
_MODES, _WAVES = 3, 4
#: Shortest wavelength of the unmodelled movement, metres, and its fastest change, Hz.
_WAVELENGTH, _FASTEST = 0.09, 1.5


def frames(rig: BlendshapeRig, track: CoefficientTrack, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return positions (T, V, 3) of a track on a rig, as a scanner would have seen them."""
    poses = rig.select(track.names).pose(track.values)
    poses += residual(rig.neutral.vertices, len(track), track.fps, rng)
    noise = rng.standard_normal(poses.shape, dtype=np.float32)
    return poses.astype(np.float32) + np.float32(NOISE) * noise


def residual(rest: Array, count: int, fps: float, rng: np.random.Generator) -> Array:
    """Return a slow, smooth, low-rank movement (count, V, 3) of points (V, 3), at most :data:`RESIDUAL` long."""
    fields = np.stack([_smooth_field(rest, rng) for _ in range(_MODES)])
    time = np.arange(count)[:, None] / fps
    speed = rng.uniform(0.3, _FASTEST, _MODES)
    activity = np.sin(2 * np.pi * (time * speed + rng.uniform(0, 1, _MODES)))
    movement: Array = np.einsum("tm,mvk->tvk", activity, fields)
    longest = np.sqrt((movement**2).sum(axis=2).max())
    return movement * (RESIDUAL / max(longest, 1e-12))


def _smooth_field(rest: Array, rng: np.random.Generator) -> Array:
    """Return a random vector field (V, 3) made of a few long waves in space."""
    total = np.zeros_like(rest)
    for _ in range(_WAVES):
        direction = rng.standard_normal(3)
        direction *= 2 * np.pi / (_WAVELENGTH * rng.uniform(1.0, 2.5) * np.linalg.norm(direction))
        total += np.sin(rest @ direction + rng.uniform(0, 2 * np.pi))[:, None] * rng.standard_normal(3)
    return total

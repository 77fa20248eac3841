"""A ball for tests that draw."""

from __future__ import annotations

import numpy as np

from blendvoca.mesh import Mesh


def ball(rings: int = 24) -> Mesh:
    """A unit ball without poles, wound outwards."""
    down, turn = np.linspace(0.05, np.pi - 0.05, rings), np.arange(2 * rings) * np.pi / rings
    polar, around = np.meshgrid(down, turn, indexing="ij")
    vertices = np.stack([np.sin(polar) * np.sin(around), np.cos(polar), np.sin(polar) * np.cos(around)], -1)
    index = np.arange(polar.size).reshape(polar.shape)
    a, b = index[:-1], np.roll(index, -1, axis=1)[:-1]
    c, d = index[1:], np.roll(index, -1, axis=1)[1:]
    faces = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([b, c, d], -1).reshape(-1, 3)])
    return Mesh(vertices.reshape(-1, 3), faces)

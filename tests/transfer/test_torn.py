"""Displacements that are torn at the lips: what is laid anew, and what is kept."""

from __future__ import annotations

import numpy as np

from blendvoca.geometry.adjacency import umbrella
from blendvoca.geometry.surface import Surface
from blendvoca.transfer.openings.torn import TORN, laid_where_torn


def _plate() -> tuple[Surface, np.ndarray]:
    """A plate of 41 × 41 vertices, 1 × 1 large, with the 20 landmarks of the lips along its middle."""
    x, y = np.meshgrid(np.linspace(-0.5, 0.5, 41), np.linspace(-0.5, 0.5, 41))
    vertices = np.column_stack([x.ravel(), y.ravel(), np.zeros(41 * 41)])
    corner = (np.arange(40)[:, None] * 41 + np.arange(40)).ravel()
    faces = np.concatenate([np.column_stack([corner, corner + 1, corner + 42]),
                            np.column_stack([corner, corner + 42, corner + 41])])  # fmt: skip
    marks = np.zeros(68, dtype=np.int64)
    # Far ones in a corner; the lips' at two heights beside the middle.
    marks[48:58], marks[58:] = 12 * 41 + np.arange(10, 30, 2), 28 * 41 + np.arange(10, 30, 2)
    return Surface(vertices, faces), marks


def test_a_step_becomes_a_slope_between_the_lips() -> None:
    surface, marks = _plate()
    step = np.zeros((2, 41 * 41, 3))
    step[0, :, 1] = 0.7 * (surface.vertices[:, 1] > 0.01)
    step[1] = 0.01 * np.sin(9 * surface.vertices)
    laid = laid_where_torn(surface, marks, step)
    apart = umbrella(surface.faces, 41 * 41)
    middle = np.abs(surface.vertices[:, 0]) < 0.2
    rough = [np.linalg.norm(apart @ each[0], axis=1)[middle].max() for each in (step, laid)]
    assert rough[0] > 2 * TORN > 2 * rough[1]
    assert np.array_equal(laid[0, marks], step[0, marks])
    # Shapes that are not torn, and what lies far from the lips, stay to the last bit.
    assert np.array_equal(laid[1], step[1])
    far = np.abs(surface.vertices[:, 1]) > 0.3
    assert np.array_equal(laid[0, far], step[0, far])

"""Rays: what stands foremost, in any unit."""

import numpy as np
import pytest

from blendvoca.geometry.rays import RayIndex


def two_sheets() -> tuple[np.ndarray, np.ndarray]:
    """Two squares of fine triangles, 0.5 behind each other."""
    x, y = np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 41))
    front = np.column_stack([x.ravel(), y.ravel(), np.zeros(x.size)])
    cells = (np.arange(40)[:, None] * 41 + np.arange(40)).ravel()
    faces = np.concatenate(
        [np.column_stack([cells, cells + 1, cells + 42]), np.column_stack([cells, cells + 42, cells + 41])]
    )
    return np.concatenate([front, front - [0, 0, 0.5]]), np.concatenate([faces, faces + len(front)])


@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
def test_the_foremost_face_and_how_far_it_is(unit: float) -> None:
    vertices, faces = two_sheets()
    points = np.random.default_rng(0).uniform(0.01, 0.99, (200, 3)) * [1, 1, 0] + [0, 0, 2.0]
    face, along = RayIndex(unit * vertices, faces).first(unit * points, np.array([0, 0, -1.0]))
    assert (face >= 0).all() and (face < len(faces) // 2).all()
    np.testing.assert_allclose(along, 2.0 * unit, rtol=1e-9)
    corners = vertices[faces[face]]
    assert (corners[..., :2].min(axis=1) - 1e-9 <= points[:, :2]).all()
    assert (points[:, :2] <= corners[..., :2].max(axis=1) + 1e-9).all()


def test_rays_past_the_mesh_hit_nothing() -> None:
    face, along = RayIndex(*two_sheets()).first(np.array([[2.0, 2.0, 1.0]]), np.array([0, 0, -1.0]))
    assert face.tolist() == [-1] and np.isnan(along).all()

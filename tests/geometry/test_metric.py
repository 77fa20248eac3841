"""Normals, alignment, closest points and distances, against slow and obvious references."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blendvoca.errors import MeshError
from blendvoca.geometry import (
    SurfaceIndex,
    closest_points,
    edge_lengths,
    face_areas,
    face_normals,
    fit_similarity,
    geodesic_distances,
    ring_distances,
    vertex_normals,
)
from blendvoca.geometry.closest import barycentric, closest_on_triangles

TRIANGLE = np.array([[0.0, 0, 0], [2, 0, 0], [0, 1, 0]])


def soup(seed: int, count: int = 30) -> tuple[np.ndarray, np.ndarray]:
    """Loose random triangles."""
    return np.random.default_rng(seed).normal(size=(3 * count, 3)), np.arange(3 * count).reshape(-1, 3)


def rotation(seed: int) -> np.ndarray:
    """A random rotation."""
    q = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]
    return q * np.sign(np.linalg.det(q))


def test_normals_and_areas() -> None:
    faces = np.array([[0, 1, 2]])
    assert face_areas(TRIANGLE, faces) == pytest.approx([1.0])
    assert face_normals(TRIANGLE, faces).tolist() == [[0, 0, 1]]
    assert vertex_normals(TRIANGLE, faces)[1].tolist() == [0, 0, 1]
    assert face_normals(np.zeros((3, 3)), faces).tolist() == [[0, 0, 0]]


@settings(max_examples=30)
@given(seed=st.integers(0, 10**6), scale=st.floats(1e-3, 1e3))
def test_similarity_is_found_and_undone(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    points, turn, shift = rng.normal(size=(12, 3)), rotation(seed), rng.normal(size=3)
    found = fit_similarity(points, scale * points @ turn.T + shift)
    assert found.scale == pytest.approx(scale)
    np.testing.assert_allclose(found.rotation, turn, atol=1e-9)
    np.testing.assert_allclose(found.inverse.points(found.points(points)), points, atol=1e-9)
    assert found.rms < 1e-9 * max(scale, 1)


def test_similarity_never_reflects() -> None:
    points = np.random.default_rng(0).normal(size=(20, 3))
    found = fit_similarity(points, points * [-1, 1, 1])
    assert np.linalg.det(found.rotation) == pytest.approx(1.0) and found.rms > 0.1


def test_similarity_refuses_lines_and_unequal_lists() -> None:
    line = np.outer(np.arange(5.0), [1.0, 2.0, 3.0])
    with pytest.raises(MeshError, match="one line"):
        fit_similarity(line, line)
    with pytest.raises(MeshError, match="paired"):
        fit_similarity(line, line[:3])


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_closest_points_beat_every_sample(seed: int) -> None:
    vertices, faces = soup(seed)
    queries = np.random.default_rng(seed + 1).normal(size=(10, 3)) * 2
    found = closest_points(queries, vertices, faces)
    weights = np.random.default_rng(2).dirichlet(np.ones(3), size=200)
    samples = np.einsum("sc,fck->fsk", weights, vertices[faces]).reshape(-1, 3)
    brute = np.linalg.norm(queries[:, None] - samples[None], axis=2).min(axis=1)
    assert (found.distance <= brute + 1e-12).all()
    rebuilt = (vertices[faces[found.face]] * found.barycentric[..., None]).sum(axis=1)
    np.testing.assert_allclose(rebuilt, found.point, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(found.point - queries, axis=1), found.distance, atol=1e-12)


@settings(max_examples=20)
@given(seed=st.integers(0, 10**6))
def test_own_triangle_foot_agrees_with_libigl(seed: int) -> None:
    vertices, faces = soup(seed, 12)
    queries = np.random.default_rng(seed + 1).normal(size=(12, 3)) * 2
    ours = closest_on_triangles(queries, vertices[faces])
    theirs = np.stack([closest_points(queries[i : i + 1], vertices, faces[i : i + 1]).point[0] for i in range(12)])
    np.testing.assert_allclose(ours, theirs, atol=1e-9)


def test_query_where_takes_the_nearest_that_is_allowed() -> None:
    vertices, faces = soup(4)
    queries = np.random.default_rng(5).normal(size=(15, 3))
    even = lambda query, face: face % 2 == 0  # noqa: E731
    found, good = SurfaceIndex(vertices, faces).query_where(queries, even)
    only = closest_points(queries, vertices, faces[::2])
    assert good.all() and (found.face % 2 == 0).all()
    np.testing.assert_allclose(found.distance, only.distance, atol=1e-12)
    _, none = SurfaceIndex(vertices, faces).query_where(queries, lambda query, face: np.zeros(len(face), dtype=bool))
    assert not none.any()


def test_barycentric_of_a_triangle_without_area() -> None:
    np.testing.assert_allclose(barycentric(np.zeros((1, 3)), np.ones((1, 3, 3))), 1 / 3)


def test_distances_on_a_strip() -> None:
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0], [1.5, 1, 0], [9, 9, 9]])
    faces = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4]])
    found = geodesic_distances(vertices, faces, np.array([0]))
    assert found[:4].tolist() == [0, 1, 2, 3] and np.isinf(found[5])
    assert ring_distances(faces, 6, np.array([0]))[:5].tolist() == [0, 1, 2, 2, 1]
    assert edge_lengths(vertices, faces)[0] == 1.0

"""A surface's derived figures: each as its function gives it, computed once."""

import numpy as np

from blendvoca.geometry import Surface, closest_points, face_areas, face_normals, geodesic_distances, vertex_normals


def grid(holes: tuple[tuple[int, int], ...] = ()) -> Surface:
    """A square of 6 × 6 cells without some of them."""
    x, y = np.meshgrid(np.arange(7.0), np.arange(7.0))
    vertices = np.column_stack([x.ravel(), y.ravel(), 0.1 * x.ravel() * y.ravel()])
    cells = [7 * row + column for row in range(6) for column in range(6) if (row, column) not in holes]
    faces = [face for a in cells for face in ((a, a + 1, a + 8), (a, a + 8, a + 7))]
    return Surface(vertices, np.array(faces))


def test_figures_are_those_of_the_functions() -> None:
    surface = grid()
    points, faces = surface.vertices, surface.faces
    np.testing.assert_array_equal(surface.face_normals, face_normals(points, faces))
    np.testing.assert_array_equal(surface.face_areas, face_areas(points, faces))
    np.testing.assert_array_equal(surface.vertex_normals, vertex_normals(points, faces))
    np.testing.assert_allclose(surface.vertex_areas.sum(), surface.face_areas.sum())
    np.testing.assert_allclose(surface.vertex_areas[0], surface.face_areas[(faces == 0).any(axis=1)].sum() / 3)
    np.testing.assert_array_equal(
        surface.graph.distances(np.array([0])), geodesic_distances(points, faces, np.array([0]))
    )
    queries = np.random.default_rng(0).uniform(0, 6, (20, 3))
    np.testing.assert_array_equal(surface.index.query(queries).point, closest_points(queries, points, faces).point)
    assert surface.index is surface.index and surface.face_normals is surface.face_normals


def test_the_outer_boundary_is_the_most_extended_loop() -> None:
    """Holes come after it, the most extended first."""
    surface = grid(((1, 1), (4, 4), (4, 3)))
    assert len(surface.outer_boundary) == 24
    assert [len(hole) for hole in surface.holes] == [6, 4]


def test_a_closed_surface_has_no_boundary() -> None:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1.0]])
    closed = Surface(corners, np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]]))
    assert len(closed.outer_boundary) == 0 and closed.holes == ()


def test_moving_keeps_the_triangles_and_recomputes_the_rest() -> None:
    surface = grid()
    moved = surface.moved(2.0 * surface.vertices)
    assert moved.faces is surface.faces
    np.testing.assert_allclose(moved.face_areas, 4.0 * surface.face_areas)

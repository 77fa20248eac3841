"""Adjacency, boundary loops and components on meshes small enough to count by hand."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from blendvoca.geometry import (
    boundary_edges,
    boundary_loops,
    face_adjacency,
    face_components,
    undirected_edges,
    vertex_adjacency,
    vertex_components,
    vertex_face_matrix,
)
from blendvoca.geometry.adjacency import grown
from blendvoca.geometry.distance import ring_distances

SQUARE = np.array([[0, 1, 2], [0, 2, 3]])
TETRAHEDRON = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]])


def grid_faces(rows: int, columns: int) -> np.ndarray:
    """Triangles of a grid of rows × columns vertices."""
    corner = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]
    return np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)])


def test_edges_of_a_square() -> None:
    assert undirected_edges(SQUARE).tolist() == [[0, 1], [0, 2], [0, 3], [1, 2], [2, 3]]
    assert face_adjacency(SQUARE).tolist() == [[0, 1]]
    assert vertex_adjacency(SQUARE, 4).sum() == 10
    assert vertex_face_matrix(SQUARE, 4).toarray().tolist() == [[1, 1], [1, 0], [1, 1], [0, 1]]


def test_a_closed_surface_has_no_boundary() -> None:
    assert boundary_loops(TETRAHEDRON) == [] and len(boundary_edges(TETRAHEDRON)) == 0
    assert len(face_adjacency(TETRAHEDRON)) == 6


def test_three_faces_on_one_edge_are_all_neighbours() -> None:
    book = np.array([[0, 1, 2], [0, 1, 3], [1, 0, 4]])
    assert face_adjacency(book).tolist() == [[0, 1], [0, 2], [1, 2]]


def test_loop_runs_in_the_winding_and_starts_at_the_smallest() -> None:
    assert [loop.tolist() for loop in boundary_loops(SQUARE)] == [[0, 1, 2, 3]]


def test_holes_that_touch_in_one_vertex_stay_two_loops() -> None:
    faces = grid_faces(5, 5)
    centre = np.arange(25).reshape(5, 5)
    holes = [{int(centre[1, 1]), int(centre[1, 2]), int(centre[2, 2]), int(centre[2, 1])},
             {int(centre[2, 2]), int(centre[2, 3]), int(centre[3, 3]), int(centre[3, 2])}]  # fmt: skip
    kept = np.array([face for face in faces if not any(set(face.tolist()) <= hole for hole in holes)])
    loops = boundary_loops(kept)
    assert sorted(len(loop) for loop in loops) == [4, 4, 16]
    assert sum(len(loop) for loop in loops) == len(boundary_edges(kept))


def test_components_are_numbered_by_size() -> None:
    faces = np.concatenate([SQUARE + 3, [[0, 1, 2]]])
    assert vertex_components(faces, 8).tolist() == [1, 1, 1, 0, 0, 0, 0, 2]
    assert face_components(faces).tolist() == [0, 0, 1]


@given(rows=st.integers(2, 6), columns=st.integers(2, 6))
def test_euler_and_the_boundary_of_a_grid(rows: int, columns: int) -> None:
    faces = grid_faces(rows, columns)
    edges = undirected_edges(faces)
    assert rows * columns - len(edges) + len(faces) == 1
    loops = boundary_loops(faces)
    assert len(loops) == 1 and len(loops[0]) == 2 * (rows + columns) - 4
    inner = len(edges) - len(boundary_edges(faces))
    assert len(face_adjacency(faces)) == inner


@given(st.integers(0, 5), st.integers(0, 34))
def test_rings_around_a_set_are_what_so_few_edges_reach(rings: int, first: int) -> None:
    faces, chosen = grid_faces(5, 7), np.zeros(35, dtype=bool)
    chosen[[first, 17]] = True
    reached = ring_distances(faces, 35, np.flatnonzero(chosen)) <= rings
    np.testing.assert_array_equal(grown(vertex_adjacency(faces, 35), chosen, rings), reached)
    assert chosen.sum() <= 2

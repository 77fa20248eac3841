"""Who touches whom: edges, vertex neighbours, face neighbours."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray


def directed_edges(faces: NDArray[np.integer]) -> NDArray[np.int64]:
    """Half-edges (3F,2): edge k of face i is row k*F + i, in the face's winding."""
    faces = np.asarray(faces, dtype=np.int64)
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def undirected_edges(faces: NDArray[np.integer]) -> NDArray[np.int64]:
    """Every edge once, (E,2) with the smaller vertex first, sorted.

    :param faces: (F, 3) vertex indices.
    """
    edges = directed_edges(faces)
    if not len(edges):
        return edges
    base = int(edges.max()) + 1
    keys = np.unique(edges.min(axis=1) * base + edges.max(axis=1))  # one number an edge sorts far faster than rows
    return np.column_stack([keys // base, keys % base])


def vertex_adjacency(faces: NDArray[np.integer], n_vertices: int) -> sp.csr_matrix:
    """Symmetric 0/1 matrix (V,V) of vertices that share an edge.

    :param faces: (F, 3) vertex indices.
    :param n_vertices: V, number of vertices.
    """
    i, j = undirected_edges(faces).T
    ones = np.ones(2 * len(i))
    return sp.csr_matrix((ones, (np.r_[i, j], np.r_[j, i])), shape=(n_vertices, n_vertices))


def grown(neighbours: sp.csr_matrix, chosen: NDArray[np.bool_], rings: int) -> NDArray[np.bool_]:
    """Return a set of vertices (V,) with so many rings of neighbours around it.

    :param neighbours: (V, V), of :func:`vertex_adjacency`.
    :param chosen: (V,).
    :param rings: 0 for the set itself.
    """
    result = chosen
    for _ in range(rings):
        result = result | np.asarray(neighbours @ result > 0)
    return result


def vertex_face_matrix(faces: NDArray[np.integer], n_vertices: int) -> sp.csr_matrix:
    """0/1 matrix (V,F): which faces use a vertex.

    :param faces: (F, 3) vertex indices.
    :param n_vertices: V, number of vertices.
    """
    n_faces = len(faces)
    columns = np.repeat(np.arange(n_faces), 3)
    return sp.csr_matrix((np.ones(3 * n_faces), (np.asarray(faces).ravel(), columns)), shape=(n_vertices, n_faces))


def face_adjacency(faces: NDArray[np.integer]) -> NDArray[np.int64]:
    """Pairs (P,2) of faces that share an edge, each pair once, sorted.

    At a non-manifold edge every two of its faces form a pair.

    :param faces: (F, 3) vertex indices.
    """
    edges = np.sort(directed_edges(faces), axis=1)
    owner = np.tile(np.arange(len(faces)), 3)
    order = np.lexsort((owner, edges[:, 1], edges[:, 0]))
    edges, owner = edges[order], owner[order]
    pairs = []
    step = 1
    while step < len(edges):
        same = np.all(edges[:-step] == edges[step:], axis=1)
        if not same.any():
            break
        pairs.append(np.column_stack([owner[:-step][same], owner[step:][same]]))
        step += 1
    if not pairs:
        return np.zeros((0, 2), dtype=np.int64)
    return np.unique(np.concatenate(pairs), axis=0)


def umbrella(faces: NDArray[np.integer], n_vertices: int) -> sp.csr_matrix:
    """Matrix (V, V) that takes values of the vertices to their distance from the mean of their neighbours (one ring).

    Rows of vertices without neighbours are zero.

    :param faces: (F, 3) vertex indices.
    :param n_vertices: V.
    """
    neighbours = vertex_adjacency(faces, n_vertices)
    count = np.asarray(neighbours.sum(axis=1)).ravel()
    mean = sp.diags(1.0 / np.maximum(count, 1.0)) @ neighbours
    return sp.csr_matrix(sp.diags((count > 0).astype(np.float64)) - mean)

"""Connected components."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from blendvoca.geometry.adjacency import face_adjacency, vertex_adjacency


def _by_size(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """Renumber labels so that 0 is the largest group, ties by first member."""
    count = np.bincount(labels)
    first = np.full(len(count), len(labels))
    np.minimum.at(first, labels, np.arange(len(labels)))
    rank = np.empty(len(count), dtype=np.int64)
    rank[np.lexsort((first, -count))] = np.arange(len(count))
    return rank[labels]


def vertex_components(faces: NDArray[np.integer], n_vertices: int) -> NDArray[np.int64]:
    """Component label of each vertex (V,), 0 the largest; an unused vertex is a component of its own.

    :param faces: (F, 3) vertex indices.
    :param n_vertices: V, number of vertices.
    """
    return _by_size(connected_components(vertex_adjacency(faces, n_vertices), directed=False)[1])


def face_components(faces: NDArray[np.integer]) -> NDArray[np.int64]:
    """Component label of each face (F,), connected across edges, 0 the largest.

    :param faces: (F, 3) vertex indices.
    """
    pairs = face_adjacency(faces)
    n = len(faces)
    graph = sp.csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    return _by_size(connected_components(graph, directed=False)[1])

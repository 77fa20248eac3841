"""Boundary edges and the loops they form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.adjacency import directed_edges


def boundary_edges(faces: NDArray[np.integer]) -> NDArray[np.int64]:
    """Half-edges (B,2) whose opposite is in no face, in the winding of their face.

    :param faces: (F, 3) vertex indices.
    """
    edges = directed_edges(faces)
    if not len(edges):
        return edges
    base = int(edges.max()) + 1
    forward = edges[:, 0] * base + edges[:, 1]
    backward = edges[:, 1] * base + edges[:, 0]
    return edges[~np.isin(forward, backward)]


def boundary_loops(faces: NDArray[np.integer]) -> list[NDArray[np.int64]]:
    """Closed boundary loops as vertex index arrays, longest first, ties by smallest vertex.

    Each loop starts at its smallest vertex and runs in the winding of the faces. Where two holes touch in one vertex
    the walk leaves it by the edge it has not used, so that every boundary edge belongs to exactly one loop.

    :param faces: (F, 3) vertex indices.
    """
    edges = boundary_edges(faces)
    following: dict[int, list[int]] = {}
    for a, b in edges[np.lexsort((edges[:, 1], edges[:, 0]))].tolist():
        following.setdefault(a, []).append(b)
    loops = []
    while following:
        start = min(following)
        walk = [start]
        while walk[-1] in following:
            ways = following[walk[-1]]
            step = ways.pop(0)
            if not ways:
                del following[walk[-1]]
            if step in walk:  # closes here; what came before goes on walking
                first = walk.index(step)
                loops.append(np.array(walk[first:], dtype=np.int64))
                walk = walk[: first + 1]
                if first == 0:
                    break
            else:
                walk.append(step)
    loops = [np.roll(loop, -int(np.argmin(loop))) for loop in loops]
    return sorted(loops, key=lambda loop: (-len(loop), int(loop[0])))

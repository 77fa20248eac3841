"""What is torn at the lips is laid smoothly: in a mouth that is a mere fold, one row of triangles would take it all.

Multiface's heads and many scans have lips that meet in a crease, with no inside behind it. Opening them draws out the
triangles of the crease. How far a vertex stands from the mean of its neighbours, r, says where: of the vertices around
those with r > R, as many rings as it takes, the displacements are laid as smoothly as the others allow
(:func:`blendvoca.transfer.reattach.laid_smoothly`), in the shapes that are torn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from blendvoca.geometry.adjacency import grown, umbrella, vertex_adjacency
from blendvoca.geometry.surface import Surface
from blendvoca.ibug68 import GROUPS
from blendvoca.transfer.reattach import laid_smoothly

Array = NDArray[np.float64]

#: R, in RMS radii of the landmarks (4.3 mm on an adult; ARKit's own shapes have 2.3), and most rings around it.
TORN, _MOST_RINGS = 0.09, 4
#: How far from the landmarks of the lips, in RMS radii (14 mm).
_NEAR = 0.3


def laid_where_torn(surface: Surface, landmarks: NDArray[np.integer], deltas: Array) -> Array:
    """Return displacements (K, V, 3) that are laid smoothly at the lips where they are torn; landmarks stay.

    :param surface: the target at rest in the common space, V vertices.
    :param landmarks: (68,) vertices of it.
    :param deltas: (K, V, 3) in the common space.
    """
    count, marks = len(surface), np.asarray(landmarks)
    lips = surface.vertices[marks[GROUPS["lips_outer"].start :]]
    near = cKDTree(lips).query(surface.vertices, distance_upper_bound=_NEAR)[0] < _NEAR
    near[marks] = False
    apart, neighbours = umbrella(surface.faces, count)[near], vertex_adjacency(surface.faces, count)
    result = deltas
    for rings in range(1, _MOST_RINGS + 1):
        rough = np.stack([np.linalg.norm(apart @ delta, axis=1) > TORN for delta in result])
        torn = np.flatnonzero(rough.any(axis=1))
        if not len(torn):
            break
        free = np.zeros(count, dtype=bool)
        free[near] = rough.any(axis=0)
        result = result.copy()
        result[torn] = laid_smoothly(surface.faces, deltas[torn], grown(neighbours, free, rings) & near)
    return result

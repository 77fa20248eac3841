"""Upper and lower: which lip or lid a point belongs to.

Where lips touch, the nearest point with a fitting normal is as often on the other lip. Labels settle it: +k above and
−k below the k-th opening of the face, by distance along the surface to landmarks that are certainly above or below; 0
elsewhere. Different labels never pair, 0 goes with everything.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.surface import Surface
from blendvoca.ibug68 import OPENINGS

Index = NDArray[np.integer]
Labels = NDArray[np.int8]

#: How far from an opening labels go, in widths of it.
REACH = 0.6
#: How near to a corner they stop, in widths.
CORNER = 0.08
#: Label of faces that join two sides; only 0 pairs with it.
BETWEEN = 127


def side_labels(surface: Surface, landmarks: Index) -> Labels:
    """Labels (V,) of the vertices; `landmarks` (68,) are vertex indices."""
    vertices, graph = surface.vertices, surface.graph
    labels = np.zeros(len(vertices), dtype=np.int8)
    for number, opening in enumerate(OPENINGS, 1):
        width = np.linalg.norm(vertices[landmarks[opening.corners[0]]] - vertices[landmarks[opening.corners[1]]])
        above = graph.distances(landmarks[list(opening.upper + opening.outer_upper)])
        below = graph.distances(landmarks[list(opening.lower + opening.outer_lower)])
        corner = graph.distances(landmarks[list(opening.corners)])
        near = (np.minimum(above, below) < REACH * width) & (corner > CORNER * width)
        labels[near & (above < below)] = number
        labels[near & (below < above)] = -number
    return labels


def of_faces(labels: Labels, faces: Index) -> Labels:
    """Return labels (F,) of the faces: the one that its corners have, whether all of them have it or not.

    A face with corners of two labels is :data:`BETWEEN`: a point of either side that came to lie on it would move with
    the other as well.

    :param labels: (V,) labels of the vertices.
    :param faces: (F, 3) vertex indices.
    """
    corners = labels[faces]
    highest, lowest = corners.max(axis=1), corners.min(axis=1)
    one = np.where(highest > 0, highest, lowest)
    torn = ((corners != 0) & (corners != one[:, None])).any(axis=1)
    return np.where(torn, BETWEEN, one).astype(np.int8)


def agree(a: Labels, b: Labels) -> NDArray[np.bool_]:
    """Return which labels may pair.

    :param a: (n,) labels.
    :param b: (n,) labels.
    """
    return np.asarray((a == b) | (a == 0) | (b == 0))

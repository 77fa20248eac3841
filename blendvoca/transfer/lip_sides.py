"""Upper and lower: which lip or lid a point belongs to.

Where lips touch, the nearest point with a fitting normal is as often on the other lip. Labels settle it: +k above and
−k below the k-th opening of the face, by distance along the surface to landmarks that are certainly above or below; 0
elsewhere. Different labels never pair, 0 goes with everything.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.distance import SurfaceGraph
from blendvoca.ibug68 import OPENINGS

Array = NDArray[np.float64]
Index = NDArray[np.integer]
Labels = NDArray[np.int8]

#: How far from an opening labels go, in widths of it.
REACH = 0.6
#: How near to a corner they stop, in widths.
CORNER = 0.08


def side_labels(vertices: Array, faces: Index, landmarks: Index) -> Labels:
    """Labels (V,) of the vertices; `landmarks` (68,) are vertex indices."""
    labels = np.zeros(len(vertices), dtype=np.int8)
    graph = SurfaceGraph(vertices, faces)
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
    """Labels (F,) of the faces: that of the corners where all three agree, else 0."""
    corners = labels[faces]
    return np.where((corners == corners[:, :1]).all(axis=1), corners[:, 0], 0).astype(np.int8)


def agree(a: Labels, b: Labels) -> NDArray[np.bool_]:
    """Which labels may pair."""
    return np.asarray((a == b) | (a == 0) | (b == 0))

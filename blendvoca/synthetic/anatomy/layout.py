"""Where the vertices lie on the surface and how they are joined: the two samplings, without their positions in space.

Fixed vertices (:mod:`.anchors`) and free ones between them (:mod:`.fill`) are joined by a Delaunay triangulation in the
unrolled plane of the left half; the right half is its mirror image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from blendvoca.synthetic.anatomy.anchors import anchors
from blendvoca.synthetic.anatomy.fill import fill, inside, plane
from blendvoca.synthetic.anatomy.sampling import Sampling

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class HalfLayout:
    """The skin's left half: surface coordinates in the layout, faces, rims from top to bottom and landmarks.

    :param azimuth: (N,) azimuth ≥ 0.
    :param level: (N,) level.
    :param faces: (F, 3) triangles, counter-clockwise seen from outside.
    :param mouth_rim: vertices of the mouth's rim from the upper to the lower middle.
    :param eye_rim: vertices of the left eye's rim, once around from the outer corner over the upper lid.
    :param landmarks: landmark (on the left or the midline) to vertex.
    """

    azimuth: Array
    level: Array
    faces: Index
    mouth_rim: Index
    eye_rim: Index
    landmarks: dict[int, int]


def half_layout(sampling: Sampling, seed: int = 0) -> HalfLayout:
    """Return the skin's left half of a sampling; the same seed gives the same layout."""
    fixed = anchors(sampling)
    polygon = plane(fixed.azimuth[fixed.outline], fixed.level[fixed.outline])
    azimuth, level = fill(fixed.azimuth, fixed.level, sampling, polygon, np.random.default_rng(seed))
    flat = plane(azimuth, level)
    faces = Delaunay(flat).simplices.astype(np.int64)
    faces = faces[~_inside_hole(faces, (fixed.mouth_rim, fixed.eye_rim), len(flat))]
    if not sampling.whole_head:
        faces = faces[inside(flat[faces].mean(axis=1), polygon)]
    return HalfLayout(azimuth, level, _outward(faces, flat), fixed.mouth_rim, fixed.eye_rim, fixed.landmarks)


def _inside_hole(faces: Index, rims: tuple[Index, ...], count: int) -> NDArray[np.bool_]:
    """Return which triangles fill an opening: all three corners are on the same rim."""
    filled = np.zeros(len(faces), dtype=bool)
    for rim in rims:
        on_rim = np.zeros(count, dtype=bool)
        on_rim[rim] = True
        filled |= on_rim[faces].all(axis=1)
    return filled


def _outward(faces: Index, flat: Array) -> Index:
    """Turn triangles so that they run counter-clockwise seen from outside (the plane shows the head from above)."""
    a, b, c = (flat[faces[:, k]] for k in range(3))
    turn = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    return np.where((turn < 0)[:, None], faces, faces[:, ::-1])

"""The common space of a transfer: both meshes aligned by their landmarks, in normalised units.

The registration's closest-point term has the dimension of a length squared, and so have distance cut-offs; here every
length is divided by the RMS radius of the source's landmarks, so that metres, centimetres and millimetres, and any
rigid motion of either mesh, give the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.similarity import Similarity, fit_similarity, rms_radius

Array = NDArray[np.float64]

#: RMS radius of an adult's landmarks.
ADULT_MM = 60.0


@dataclass(frozen=True, eq=False)
class CommonSpace:
    """Maps between the source, the target and the normalised space.

    :param to_target: source to target, least squares over the landmarks.
    :param centre: (3,) mean of the source's landmarks.
    :param unit: RMS radius of the source's landmarks: the source's length that is 1 here.
    """

    to_target: Similarity
    centre: Array
    unit: float

    def source_points(self, points: Array) -> Array:
        """Source positions to the common space."""
        return np.asarray((points - self.centre) / self.unit)

    def source_vectors(self, vectors: Array) -> Array:
        """Source displacements to the common space."""
        return np.asarray(vectors / self.unit)

    def target_points(self, points: Array) -> Array:
        """Target positions to the common space."""
        return self.source_points(self.to_target.inverse.points(points))

    def target_points_out(self, points: Array) -> Array:
        """Positions in the common space to the target."""
        return self.to_target.points(points * self.unit + self.centre)

    def target_vectors_out(self, vectors: Array) -> Array:
        """Displacements of the common space to the target."""
        return self.to_target.vectors(vectors * self.unit)

    @property
    def target_unit(self) -> float:
        """The target's length that is 1 in the common space."""
        return self.unit * self.to_target.scale


def common_space(source: Array, target: Array, pairs: NDArray[np.integer]) -> CommonSpace:
    """Align `source` (V, 3) with `target` (W, 3) by landmark pairs (m, 2).

    :raises MeshError: if the landmarks lie on one line.
    """
    points = np.asarray(source)[pairs[:, 0]]
    similarity = fit_similarity(points, np.asarray(target)[pairs[:, 1]])
    return CommonSpace(similarity, points.mean(axis=0), rms_radius(points))

"""Which source triangles speak for which target triangle (Sumner and Popović 2004, section 4.2).

After the registration both surfaces lie on each other. Every target triangle asks for the nearest source triangle and
every source triangle for the nearest target triangle, by centroids, normals within 90° and sides respected; the union is the
correspondence, many to many. Target triangles that nobody speaks for are left smooth on purpose: their gradient
is the harmonic extension, over neighbouring triangles, of the gradients around them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from blendvoca.errors import MeshError
from blendvoca.geometry.adjacency import face_adjacency
from blendvoca.geometry.closest import SurfaceIndex
from blendvoca.geometry.normals import face_normals
from blendvoca.linalg.cholesky import factor

Array = NDArray[np.float64]
Index = NDArray[np.integer]


@dataclass(frozen=True)
class CorrespondenceConfig:
    """What counts as near; lengths are in normalised units (1 = RMS radius of the landmarks)."""

    max_angle_deg: float = 90.0
    max_distance: float = 0.15
    """Farther triangles do not correspond (9 mm on an adult's face)."""
    fade: float = 0.0
    """Pull of smooth triangles towards no deformation, per neighbour step; 0 extends the surroundings unchanged."""


@dataclass(frozen=True, eq=False)
class Correspondence:
    """Weights between triangles."""

    weights: sp.csr_matrix
    """(F_target, F_source) share of every source triangle; a row sums to 1, to 0 where the triangle is smooth."""
    pairs: NDArray[np.float64]
    """(F_target,) how many pairs speak for a triangle; at least 1, the weight of the triangle in the paper's energy."""
    smooth: NDArray[np.bool_]
    """(F_target,) triangles without a pair of their own, left smooth."""
    extension: SmoothExtension
    """Fills the smooth triangles."""

    def gradients(self, source: Array) -> Array:
        """Gradients (K, F_target, 3, 3) from those of the source's triangles (K, F_source, 3, 3), both minus the identity."""
        shapes = len(source)
        flat = source.transpose(1, 0, 2, 3).reshape(source.shape[1], -1)
        spread = self.extension.fill(self.weights @ flat)
        return np.ascontiguousarray(spread.reshape(-1, shapes, 3, 3).transpose(1, 0, 2, 3))


def correspond(
    registered: Array,
    source_faces: Index,
    target: Array,
    target_faces: Index,
    config: CorrespondenceConfig | None = None,
    source_side: NDArray[np.int8] | None = None,
    target_side: NDArray[np.int8] | None = None,
) -> Correspondence:
    """Pair the triangles of the registered source (V, 3) and the target (W, 3), both in the common space.

    :param source_side, target_side: labels of the faces of either mesh; different labels never pair, 0 goes with everything.
    :raises MeshError: if no triangle finds a partner.
    """
    config = config or CorrespondenceConfig()
    sides = (source_side, target_side)
    of_target = _nearest(target, target_faces, registered, source_faces, config, sides[1], sides[0])
    of_source = _nearest(registered, source_faces, target, target_faces, config, sides[0], sides[1])
    t, s = np.concatenate([of_target, of_source[:, ::-1]]).T
    n_target, n_source = len(target_faces), len(source_faces)
    if not len(t):
        raise MeshError("no triangle of the target lies near the registered source", remedy="Check the landmarks.")
    unique = np.unique(t * n_source + s)
    t, s = unique // n_source, unique % n_source
    counts = np.bincount(t, minlength=n_target).astype(float)
    weights = sp.csr_matrix((1.0 / counts[t], (t, s)), shape=(n_target, n_source))
    smooth = counts == 0
    return Correspondence(weights, np.maximum(counts, 1.0), smooth, SmoothExtension(smooth, target_faces, config.fade))


def _nearest(
    asking: Array,
    asking_faces: Index,
    asked: Array,
    asked_faces: Index,
    config: CorrespondenceConfig,
    asking_side: NDArray[np.int8] | None,
    asked_side: NDArray[np.int8] | None,
) -> NDArray[np.int64]:
    """Pairs (n, 2) of asking faces and the asked faces nearest to their centroids, where one is valid."""
    own, other = face_normals(asking, asking_faces), face_normals(asked, asked_faces)
    least = np.cos(np.radians(config.max_angle_deg))

    def allowed(query: NDArray[np.int64], face: NDArray[np.int64]) -> NDArray[np.bool_]:
        fits = (own[query] * other[face]).sum(axis=1) > least
        if asking_side is not None and asked_side is not None:
            a, b = asking_side[query], asked_side[face]
            fits &= (a == b) | (a == 0) | (b == 0)
        return np.asarray(fits)

    found, valid = SurfaceIndex(asked, asked_faces).query_where(asking[asking_faces].mean(axis=1), allowed)
    keep = np.flatnonzero(valid & (found.distance < config.max_distance))
    return np.column_stack([keep, found.face[keep]])


class SmoothExtension:
    """Values on some faces, extended harmonically over neighbouring triangles to the `smooth` others.

    Patches of smooth triangles that touch no other triangle stay zero: no deformation.

    :param fade: pull towards zero, one number or one a face; 0 extends the surroundings unchanged.
    """

    def __init__(self, smooth: NDArray[np.bool_], faces: Index, fade: float | Array = 0.0) -> None:
        pairs = face_adjacency(faces)
        i, j = np.r_[pairs[:, 0], pairs[:, 1]], np.r_[pairs[:, 1], pairs[:, 0]]
        adjacency = sp.csr_matrix((np.ones(len(i)), (i, j)), shape=(len(faces), len(faces)))
        self._known = np.flatnonzero(~smooth)
        self._inner = np.flatnonzero(_reached(adjacency, smooth))
        if len(self._inner):
            rows = adjacency[self._inner]
            degree = np.asarray(rows.sum(axis=1)).ravel()
            self._from_known = rows[:, self._known]
            pull = np.broadcast_to(fade, len(faces))[self._inner]
            self._factor = factor(sp.diags(degree + pull) - rows[:, self._inner])

    def fill(self, values: Array) -> Array:
        """Return `values` (F, c) with the rows of the smooth faces replaced."""
        result = np.zeros_like(values)
        result[self._known] = values[self._known]
        if len(self._inner):
            result[self._inner] = self._factor.solve(self._from_known @ values[self._known])
        return result


def _reached(adjacency: sp.csr_matrix, smooth: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Smooth faces that are connected, through smooth faces, to a mapped one."""
    from scipy.sparse.csgraph import connected_components

    inner = np.flatnonzero(smooth)
    labels = connected_components(adjacency[inner][:, inner], directed=False)[1]
    touches = np.asarray(adjacency[inner][:, np.flatnonzero(~smooth)].sum(axis=1)).ravel() > 0
    good = np.isin(labels, np.unique(labels[touches]))
    result = np.zeros(len(smooth), dtype=bool)
    result[inner[good]] = True
    return result

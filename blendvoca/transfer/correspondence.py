"""Which source triangles speak for which target triangle (Sumner and Popović 2004, section 4.2).

After the registration both surfaces lie on each other. Every target triangle asks for the nearest source triangle and
every source triangle for the nearest target triangle, by centroids, normals within 90° and sides respected; the union
is the correspondence, many to many. Target triangles that nobody speaks for are left smooth on purpose: their gradient
is the harmonic extension, over neighbouring triangles, of the gradients around them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from blendvoca.errors import MeshError
from blendvoca.geometry.adjacency import vertex_face_matrix
from blendvoca.geometry.surface import Surface
from blendvoca.linalg.cholesky import factor

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CorrespondenceConfig:
    """What counts as near; lengths are in normalised units (1 = RMS radius of the landmarks).

    :param max_angle_deg: triangles whose normals differ by more do not correspond.
    :param max_distance: farther triangles do not correspond (9 mm on an adult's face).
    """

    max_angle_deg: float = 90.0
    max_distance: float = 0.15


@dataclass(frozen=True, eq=False)
class Correspondence:
    """Weights between triangles.

    :param weights: (F_target, F_source) share of every source triangle; a row sums to 1, to 0 where the triangle is
        smooth.
    :param pairs: (F_target,) how many pairs speak for a triangle; at least 1, the weight of the triangle in the paper's
        energy.
    :param smooth: (F_target,) triangles without a pair of their own, left smooth.
    :param extension: fills the smooth triangles.
    """

    weights: sp.csr_matrix
    pairs: NDArray[np.float64]
    smooth: NDArray[np.bool_]
    extension: SmoothExtension

    def gradients(self, source: Array) -> Array:
        """Gradients (K, F_target, 3, 3) from those of the source's triangles (K, F_source, 3, 3), both minus the
        identity."""
        shapes = len(source)
        flat = source.transpose(1, 0, 2, 3).reshape(source.shape[1], -1)
        spread = self.extension.fill(self.weights @ flat)
        return np.ascontiguousarray(spread.reshape(-1, shapes, 3, 3).transpose(1, 0, 2, 3))


def correspond(
    registered: Surface,
    target: Surface,
    config: CorrespondenceConfig | None = None,
    source_side: NDArray[np.int8] | None = None,
    target_side: NDArray[np.int8] | None = None,
) -> Correspondence:
    """Pair the triangles of the registered source and the target, both in the common space.

    :param source_side: labels of the source's faces; different labels never pair, 0 goes with everything.
    :param target_side: labels of the target's faces.
    :raises MeshError: if no triangle finds a partner.
    """
    config = config or CorrespondenceConfig()
    of_target = _nearest(target, registered, config, target_side, source_side)
    of_source = _nearest(registered, target, config, source_side, target_side)
    pairs = sp.csr_matrix(of_target.maximum(of_source.T))
    if not pairs.nnz:
        raise MeshError("no triangle of the target lies near the registered source", remedy="Check the landmarks.")
    counts = np.asarray(pairs.sum(axis=1)).ravel()
    weights = sp.csr_matrix(sp.diags(1.0 / np.where(counts > 0, counts, 1.0)) @ pairs)
    smooth = counts == 0
    return Correspondence(weights, np.maximum(counts, 1.0), smooth, SmoothExtension(smooth, target))


def _nearest(
    asking: Surface,
    asked: Surface,
    config: CorrespondenceConfig,
    asking_side: NDArray[np.int8] | None,
    asked_side: NDArray[np.int8] | None,
) -> sp.csr_matrix:
    """Share (F_asking, F_asked) of the asked faces nearest to each asking centroid; a row sums to 1, or to 0 without
    one.

    Where the nearest point is on an edge or a corner, all faces that meet there are equally near and share: to pick
    one would leave the choice to rounding, and the answer to the unit.
    """
    own, other = asking.face_normals, asked.face_normals
    least = np.cos(np.radians(config.max_angle_deg))

    def allowed(query: NDArray[np.int64], face: NDArray[np.int64]) -> NDArray[np.bool_]:
        fits = (own[query] * other[face]).sum(axis=1) > least
        if asking_side is not None and asked_side is not None:
            a, b = asking_side[query], asked_side[face]
            fits &= (a == b) | (a == 0) | (b == 0)
        return np.asarray(fits)

    found, valid = asked.index.query_where(asking.centroids, allowed)
    keep = np.flatnonzero(valid & (found.distance < config.max_distance))
    queries, faces = _meeting(keep, found.face[keep], found.barycentric[keep], asked.faces, len(asked))
    fits = allowed(queries, faces)
    queries, faces = queries[fits], faces[fits]
    share = 1.0 / np.bincount(queries, minlength=len(asking.faces))[queries]
    return sp.csr_matrix((share, (queries, faces)), shape=(len(asking.faces), len(asked.faces)))


def _meeting(
    queries: NDArray[np.int64], faces: NDArray[np.int64], barycentric: Array, mesh: NDArray[np.integer], count: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """All faces that contain each found point: the face itself inside, both at an edge, the fan at a corner."""
    support = barycentric > 1e-9
    inside = support.all(axis=1)
    on_edge = np.flatnonzero(~inside)
    rows, corners = np.nonzero(support[on_edge])
    used = mesh[faces[on_edge]][rows, corners]
    selector = sp.csr_matrix((np.ones(len(rows)), (rows, used)), shape=(len(on_edge), count))
    touching = (selector @ vertex_face_matrix(mesh, count)).tocoo()
    needed = support[on_edge].sum(axis=1)
    full = touching.data > needed[touching.row] - 0.5
    return (
        np.concatenate([queries[inside], queries[on_edge[touching.row[full]]]]),
        np.concatenate([faces[inside], touching.col[full].astype(np.int64)]),
    )


class SmoothExtension:
    """Values on some faces, extended harmonically over neighbouring triangles to the `smooth` others.

    Patches of smooth triangles that touch no other triangle stay zero: no deformation.

    :param fade: pull towards zero, one number or one a face; 0 extends the surroundings unchanged.
    """

    def __init__(self, smooth: NDArray[np.bool_], surface: Surface, fade: float | Array = 0.0) -> None:
        pairs, count = surface.face_pairs, len(surface.faces)
        i, j = np.r_[pairs[:, 0], pairs[:, 1]], np.r_[pairs[:, 1], pairs[:, 0]]
        adjacency = sp.csr_matrix((np.ones(len(i)), (i, j)), shape=(count, count))
        self._known = np.flatnonzero(~smooth)
        self._inner = np.flatnonzero(_reached(adjacency, smooth))
        if len(self._inner):
            rows = adjacency[self._inner]
            degree = np.asarray(rows.sum(axis=1)).ravel()
            self._from_known = rows[:, self._known]
            pull = np.broadcast_to(fade, count)[self._inner]
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

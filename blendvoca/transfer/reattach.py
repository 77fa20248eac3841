"""Put the shapes of a region back onto the whole head, with a seam that neither opens nor creases.

Dropped parts stay at rest. The displacement of the region fades to nothing towards its cut, the part of its border
where the head goes on; a border of the mesh itself (the rim of a mask, the neck's opening) is not faded. With dᶜ the
distance along the surface to the cut and d⁰ the distance to what the source covers, the displacement is multiplied by

    f( dᶜ / max(band, dᶜ + d⁰) ),   f(s) = 2 s² up to one half, 1 − 2 (1 − s)² beyond

whose curvature is the least that a fade with level ends can have: 1 where the source speaks and the cut is a band away,
falling over the whole strip between the source's border and the cut. A product of a fade and a motion still bends where
triangles are uneven, so what fades is then laid as smoothly as its surroundings allow: of all displacements that agree
with what does not fade and with what rests, the one with the least roughness (distances from the neighbours' mean),

    Σᵥ ‖dᵥ − mean of d around v‖²  +  μ Σᵥ ‖dᵥ − f δᵥ‖²

which goes on with the slope of the face's border instead of creasing there.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from blendvoca.crop import Crop
from blendvoca.geometry.adjacency import umbrella
from blendvoca.geometry.components import vertex_components
from blendvoca.geometry.distance import SurfaceGraph
from blendvoca.linalg.cholesky import factor
from blendvoca.mesh import Mesh

Array = NDArray[np.float64]

#: Narrowest band over which displacements fade, in RMS radii of the landmarks (30 mm on an adult).
BAND = 0.5
#: μ: how strongly what fades keeps to the fade's formula; its effect ends after about μ^(−1/4), six, edges.
KEEPING = 1e-3


def cut_vertices(mesh: Mesh, region: Crop) -> NDArray[np.int64]:
    """Vertices of the region, as indices of `mesh`, that share a triangle with a dropped vertex."""
    kept = region.position[mesh.faces] >= 0
    mixed = mesh.faces[kept.any(axis=1) & ~kept.all(axis=1)]
    touched = np.unique(mixed)
    return np.asarray(touched[region.position[touched] >= 0], dtype=np.int64)


def fade_weights(
    mesh: Mesh, region: Crop, covered: NDArray[np.bool_], band: float, landmarks: NDArray[np.integer] | None = None
) -> Array:
    """Factor in [0, 1] for every vertex of the region (n,).

    :param mesh: the whole head.
    :param covered: (n,) vertices of the region that the source speaks for.
    :param band: narrowest fade, in the mesh's unit.
    :param landmarks: vertices of the whole head that do not fade, however near the cut.
    """
    cut = cut_vertices(mesh, region)
    if not len(cut):
        return np.ones(len(region.kept))
    inner = region.apply(mesh)
    graph = SurfaceGraph(inner.vertices, inner.faces)
    to_cut = graph.distances(region.indices(cut))
    to_covered = graph.distances(np.flatnonzero(covered | _enclosed(inner, covered, region.indices(cut))))
    to_cut = np.where(np.isfinite(to_cut), to_cut, np.inf)
    with np.errstate(invalid="ignore"):
        share = np.where(np.isfinite(to_cut), to_cut / np.maximum(band, to_cut + to_covered), 1.0)
        if landmarks is not None:
            held = graph.distances(region.indices(landmarks))
            share = np.where(held == 0, 1.0, np.fmax(share, to_cut / (to_cut + held)))
    share = np.clip(np.nan_to_num(share), 0.0, 1.0)
    return np.asarray(np.where(share < 0.5, 2.0 * share**2, 1.0 - 2.0 * (1.0 - share) ** 2))


def _enclosed(mesh: Mesh, covered: NDArray[np.bool_], cut: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Vertices (n,) that are not covered and not connected with the cut but through covered ones: inner mouth,
    nostrils."""
    between = mesh.faces[~covered[mesh.faces].any(axis=1)]
    labels = vertex_components(between, mesh.n_vertices)
    return ~covered & ~np.isin(labels, np.unique(labels[cut]))


def reattach(
    mesh: Mesh,
    region: Crop,
    deltas: Array,
    covered: NDArray[np.bool_],
    band: float,
    landmarks: NDArray[np.integer] | None = None,
) -> Array:
    """Put the shapes of a region onto the whole head.

    :param mesh: the whole head.
    :param region: its n vertices that were deformed.
    :param deltas: (K, n, 3) of the region.
    :param covered: (n,) vertices of the region that the source speaks for.
    :param band: narrowest fade, in the mesh's unit.
    :param landmarks: vertices of the whole head that do not fade.
    :return: (K, V, 3) of the whole head.
    """
    weights = fade_weights(mesh, region, covered, band, landmarks)
    whole = region.restore(deltas * weights[None, :, None])
    fades = np.zeros(mesh.n_vertices, dtype=bool)
    fades[region.kept[weights < 1.0]] = True
    return laid_smoothly(mesh.faces, whole, fades) if fades.any() else whole


def laid_smoothly(faces: NDArray[np.integer], deltas: Array, free: NDArray[np.bool_]) -> Array:
    """Return displacements (K, V, 3) whose `free` vertices are laid as smoothly as the others allow.

    :param faces: (F, 3) triangles.
    :param deltas: (K, V, 3) what is kept to.
    :param free: (V,) vertices that may move otherwise.
    """
    count = deltas.shape[1]
    apart = umbrella(faces, count)
    rows = apart[np.asarray(abs(apart) @ free > 0)]
    inner, outer = rows[:, free], rows[:, ~free]
    values = deltas.transpose(1, 0, 2).reshape(count, -1)
    matrix = inner.T @ inner + KEEPING * sp.identity(int(free.sum()))
    laid = values.copy()
    laid[free] = factor(sp.csc_matrix(matrix)).solve(KEEPING * values[free] - inner.T @ (outer @ values[~free]))
    return np.ascontiguousarray(laid.reshape(count, -1, 3).transpose(1, 0, 2))

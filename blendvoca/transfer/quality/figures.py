"""Figures of how good a transferred rig is, each with its exact definition.

Lengths are in metres here and in millimetres in the report. Displacements of the source are first brought to the
target's size and pose by the landmark similarity. Gaps are signed, upper minus lower along the head's vertical
(`ibug68.face_axes`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.adjacency import umbrella, undirected_edges
from blendvoca.geometry.closest import closest_points
from blendvoca.geometry.components import vertex_components
from blendvoca.geometry.normals import face_normals, vertex_areas
from blendvoca.geometry.surface import Surface
from blendvoca.ibug68 import MIDLINE
from blendvoca.mesh import Mesh

Array = NDArray[np.float64]
Index = NDArray[np.integer]

#: Shares of energy below this are all the same: some source shapes leak exactly nothing.
LEAK_FLOOR = 0.01


def agreement(wanted: Array, found: Array) -> tuple[Array, Array]:
    """Cosine and amplitude ratio (K,) of stacked displacements (K, m, 3); ratio = ‖found‖ / ‖wanted‖."""
    a, b = wanted.reshape(len(wanted), -1), found.reshape(len(found), -1)
    lengths = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    cosine = (a * b).sum(axis=1) / np.maximum(lengths[0] * lengths[1], 1e-300)
    return cosine, lengths[1] / np.maximum(lengths[0], 1e-300)


def signed_gaps(vertices: Array, landmarks: Index, pairs: tuple[tuple[int, int], ...], up: Array) -> Array:
    """Upper minus lower along `up` for landmark row pairs: (len(pairs),)."""
    upper, lower = np.asarray(pairs).T
    return np.asarray((vertices[landmarks[upper]] - vertices[landmarks[lower]]) @ up)


def flipped_triangles(mesh: Mesh, deltas: Array) -> NDArray[np.int64]:
    """Triangles turned by more than 90° by each shape (K, V, 3): (K,)."""
    rest = face_normals(mesh.vertices, mesh.faces)
    return np.array(
        [int(((face_normals(mesh.vertices + delta, mesh.faces) * rest).sum(axis=1) < 0).sum()) for delta in deltas]
    )


def roughness(mesh: Mesh, deltas: Array) -> Array:
    """Distance (K, V) of each vertex's delta from the mean delta of its neighbours (one ring); 0 without neighbours.

    :param mesh: V vertices.
    :param deltas: (K, V, 3).
    """
    apart = umbrella(mesh.faces, mesh.n_vertices)
    return np.array([np.linalg.norm(apart @ delta, axis=1) for delta in deltas])


def stretches(mesh: Mesh, deltas: Array, quantile: float = 0.999) -> Array:
    """Edge ratio (K,), posed over resting or its inverse, that all but a thousandth of the edges stay under.

    :param mesh: V vertices.
    :param deltas: (K, V, 3).
    :param quantile: share of the edges that stay under it.
    """
    first, second = undirected_edges(mesh.faces).T
    rest = np.linalg.norm(mesh.vertices[first] - mesh.vertices[second], axis=1)
    # Edges of no length would have any ratio; those shorter than a thousandth of the mesh carry no shape.
    sound = rest > 1e-3 * float(np.ptp(mesh.vertices, axis=0).max())
    first, second, rest = first[sound], second[sound], rest[sound]
    found = []
    for delta in deltas:
        posed = mesh.vertices + delta
        ratio = np.linalg.norm(posed[first] - posed[second], axis=1) / rest
        found.append(float(np.quantile(np.maximum(ratio, 1.0 / np.maximum(ratio, 1e-3)), quantile)))
    return np.array(found)


def seam_vertices(mesh: Mesh, deltas: Array, covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Vertices (V,) of the fade and the cut: those that move though the source does not cover them, with their ring.

    What the source leaves open inside the face, such as the inner mouth, is no seam: it does not border on what rests.

    :param mesh: V vertices.
    :param deltas: (K, V, 3).
    :param covered: (V,) vertices that the source speaks for.
    """
    moves = np.abs(deltas).max(axis=(0, 2)) > 0
    corners = moves[mesh.faces]
    at_rest = np.unique(mesh.faces[corners.any(axis=1) & ~corners.all(axis=1)])
    labels = vertex_components(mesh.faces[~covered[mesh.faces].any(axis=1)], mesh.n_vertices)
    faded = moves & ~covered & np.isin(labels, labels[at_rest[~covered[at_rest]]])
    seam = faded.copy()
    seam[mesh.faces[faded[mesh.faces].any(axis=1)]] = True
    return seam


def boundary_motion(source: Mesh, registered: Array, wanted: Array, target: Mesh, deltas: Array) -> Array:
    """Mean distance (K,) between what the source's outer boundary does and what the target does in the same places.

    :param registered: (V, 3) the source on the target; `wanted` (K, V, 3) its displacements at the target's size.
    """
    outer = Surface(source.vertices, source.faces).outer_boundary
    if not len(outer):
        return np.zeros(len(deltas))
    found = closest_points(registered[outer], target.vertices, target.faces)
    corners = deltas[:, target.faces[found.face]]
    moved = (corners * found.barycentric[None, :, :, None]).sum(axis=2)
    return np.asarray(np.linalg.norm(moved - wanted[:, outer], axis=2).mean(axis=1))


def across_midline(points: Array, landmarks: Array, axes: Array) -> Array:
    """Signed distance (n,) of points (n, 3) to the person's left of the face's own midline.

    :param landmarks: (68, 3) positions; the midline runs through nose, lips and chin, so that a crooked face has a
        crooked one.
    """
    middle = landmarks[list(MIDLINE)] @ axes.T
    order = np.argsort(middle[:, 1])
    offset = np.interp(points @ axes[1], middle[order, 1], middle[order, 0])
    return np.asarray(points @ axes[0] - offset)


def energies(
    mesh: Mesh, deltas: Array, across: Array, ramp: float, where: NDArray[np.bool_] | None = None
) -> tuple[Array, Array]:
    """Area-weighted squared displacement (K,) of each shape, and the share (K,) of it on the person's left half.

    :param across: (V,) signed distance to the left of the midline.
    :param ramp: vertices nearer to the midline than this belong to both halves in proportion; a vertex on it would
        otherwise fall to one side by rounding.
    :param where: (V,) vertices that count; all when not given.
    """
    weight = vertex_areas(mesh.vertices, mesh.faces)
    if where is not None:
        weight[~where] = 0.0
    energy = weight * (deltas**2).sum(axis=2)
    total = energy.sum(axis=1)
    on_left = np.clip(0.5 + 0.5 * across / ramp, 0.0, 1.0)
    return total, (energy @ on_left) / np.maximum(total, 1e-300)


def mirror_pairs(names: tuple[str, ...]) -> list[tuple[int, int]]:
    """Positions of the Left and Right partner of every pair of shapes that act on one half of the face."""
    sided = [name for name in names if name.endswith("Left") and not name.startswith(("jaw", "mouthLeft"))]
    known = {name: position for position, name in enumerate(names)}
    partners = [(known[name], known.get(name[:-4] + "Right")) for name in sided]
    return [(left, right) for left, right in partners if right is not None]


def relative_errors(found: Array, truth: Array, where: NDArray[np.bool_] | None = None) -> Array:
    """RMS error over RMS of the truth, per shape (K,), over the vertices in `where` (all when not given)."""
    mask = slice(None) if where is None else where
    error = ((found - truth)[:, mask] ** 2).sum(axis=2).mean(axis=1)
    return np.asarray(np.sqrt(error / np.maximum((truth[:, mask] ** 2).sum(axis=2).mean(axis=1), 1e-300)))

"""Which vertices are lips, brows, teeth, gums, tongue: found from landmarks and by components."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from blendvoca.geometry.components import vertex_components
from blendvoca.mesh import Mesh

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Landmarks of the outer lips once around, of the inner lips, and of both brows from one end to the other.
_OUTER, _INNER = np.arange(48, 60), np.arange(60, 68)
_BROWS = (np.arange(17, 22), np.arange(22, 27))
#: Softness of the lips' border relative to the mouth's width; half a brow's height and its
#: softness relative to its length.
_LIP_EDGE, _BROW_HALF, _BROW_EDGE = 0.012, 0.068, 0.014
#: Share of the mouth's width behind the lips' contact over which their colour fades into that of the mouth's inside.
_FADE = 0.16
#: A row of teeth reaches this share of its height from the edge to the gum.
_CROWN = 0.62


def lips(mesh: Mesh, landmarks: NDArray[np.integer], skin: Mask) -> tuple[Array, Array]:
    """Return how red (V,) and how far inside the mouth (V,) each vertex is, 0 to 1.

    :param skin: (V,) vertices of the component that bears the landmarks.
    """
    points, v = mesh.vertices[np.asarray(landmarks)], mesh.vertices
    width = float(np.linalg.norm(points[54] - points[48]))
    outline = _closed_curve(points[_OUTER][:, :2])
    near = skin & _within(v, points[48:68], 0.45 * width)
    inside = np.zeros(len(v))
    red = np.zeros(len(v))
    at = v[near]
    away = _signed_distance(at[:, :2], outline)
    red[near] = 1.0 / (1.0 + np.exp(np.clip(away / (_LIP_EDGE * width), -50, 50)))
    contact = points[_INNER]
    nearest = np.abs(at[:, None, 0] - contact[None, :, 0]).argmin(axis=1)
    behind = (contact[nearest, 2] - at[:, 2]) / (_FADE * width) - 0.15
    inside[near] = np.clip(behind, 0.0, 1.0) * red[near]
    return red, inside


def brows(mesh: Mesh, landmarks: NDArray[np.integer], skin: Mask) -> Array:
    """Return how much each vertex belongs to a brow, 0 to 1."""
    result = np.zeros(mesh.n_vertices)
    for row in _BROWS:
        points = mesh.vertices[np.asarray(landmarks)[row]]
        length = float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())
        near = skin & _within(mesh.vertices, points, 0.35 * length)
        steps = np.linspace(0, len(row) - 1, 60)
        line = CubicSpline(np.arange(len(row)), points[:, :2])(steps)
        apart = np.linalg.norm(mesh.vertices[near, None, :2] - line, axis=2)
        place = apart.argmin(axis=1)
        # Thick towards the nose, thin towards the temple, and round at both ends.
        share = place / 59.0 if abs(points[0, 0]) < abs(points[-1, 0]) else 1.0 - place / 59.0
        half = _BROW_HALF * length * (1.0 - 0.4 * share**2)
        away = (apart.min(axis=1) - half) / (_BROW_EDGE * length)
        result[near] = np.maximum(result[near], 1.0 / (1.0 + np.exp(np.clip(away, -50, 50))))
    return result


def inner_parts(mesh: Mesh, landmarks: NDArray[np.integer], taken: Mask) -> tuple[Mask, Mask, Mask, Array]:
    """Return teeth, gums and tongue (V,) among the components behind the lips, and how far back (V,) they lie, 0 to 1.

    A component like an arch is a row of teeth, its gum on the side away from the mouth's line; any other is a tongue.

    :param taken: (V,) vertices that are something else: the skin and the eyeballs.
    """
    points, v = mesh.vertices[np.asarray(landmarks)], mesh.vertices
    width = float(np.linalg.norm(points[54] - points[48]))
    middle = points[_INNER].mean(axis=0)
    labels = vertex_components(mesh.faces, mesh.n_vertices)
    teeth, gums, tongue = (np.zeros(len(v), dtype=bool) for _ in range(3))
    for label in np.unique(labels[~taken]):
        members = np.flatnonzero((labels == label) & ~taken)
        centre = 0.5 * (v[members].min(axis=0) + v[members].max(axis=0))
        if not (np.abs(centre - middle) < width * np.array([0.4, 0.6, 1.3])).all() or centre[2] > middle[2]:
            continue
        if not _is_arch(v[members]):
            tongue[members] = True
            continue
        height = v[members, 1] * (1.0 if centre[1] > middle[1] else -1.0)
        crown = height - height.min() < _CROWN * np.ptp(height)
        teeth[members[crown]], gums[members[~crown]] = True, True
    back = np.clip((points[_INNER, 2].max() - v[:, 2]) / width - 0.1, 0.0, 1.0)
    return teeth, gums, tongue, back


def _is_arch(points: Array) -> bool:
    """Return whether points seen from above leave the middle of their back free, as a row of teeth does."""
    low, size = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-12)
    share = (points - low) / size
    return float(((np.abs(share[:, 0] - 0.5) < 0.2) & (share[:, 2] < 0.5)).mean()) < 0.02


def _within(vertices: Array, points: Array, margin: float) -> Mask:
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    result: Mask = ((vertices > low) & (vertices < high)).all(axis=1)
    return result


def _closed_curve(corners: Array, steps: int = 8) -> Array:
    """Return points of a smooth closed curve through corners (n, 2)."""
    count = len(corners)
    curve = CubicSpline(np.arange(count + 1), np.vstack([corners, corners[:1]]), bc_type="periodic")
    result: Array = curve(np.arange(count * steps) / steps)
    return result


def _signed_distance(points: Array, polygon: Array) -> Array:
    """Return distances (N,) of points (N, 2) to a closed polygon, negative inside."""
    a, b = polygon, np.roll(polygon, -1, axis=0)
    along = b - a
    offset = points[:, None] - a
    share = np.clip((offset * along).sum(axis=2) / np.maximum((along**2).sum(axis=1), 1e-30), 0.0, 1.0)
    distance = np.linalg.norm(offset - share[..., None] * along, axis=2).min(axis=1)
    crosses = (a[:, 1] > points[:, None, 1]) != (b[:, 1] > points[:, None, 1])
    rise = np.where(along[:, 1] == 0, 1.0, along[:, 1])
    left = points[:, None, 0] < a[:, 0] + along[:, 0] * (points[:, None, 1] - a[:, 1]) / rise
    inside = (crosses & left).sum(axis=1) % 2 == 1
    return np.where(inside, -distance, distance)

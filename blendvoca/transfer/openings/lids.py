"""Lids that close: the source's lid motion, fitted to the target's aperture.

A blink moves the upper rim of the source down by its own aperture. On an eye that is open wider, or whose lids stand at
another depth, the same motion leaves a gap. Along each eye's rim let g be the vector from lower to upper lid, gₛ on the
source and gₜ on the registered source; displacements near the eye are multiplied by

    A = I + (gₜ − gₛ) gₛᵀ / (|gₛ|² + ε²)

which takes gₛ to gₜ and leaves what is across it alone. A blink (relative motion −gₛ) then closes the target exactly, a
half blink closes it by half, and because A does not depend on the shape, the transfer stays linear. A fades to the
identity with the distance from the rim. On eyes that are open much wider than the source's, the lids stop a little
short, by 1.2 mm at most: landmarks stand off the rim by the lids' own thickness, and every other shape of the eye is
enlarged with the blink.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from blendvoca.geometry.surface import Surface
from blendvoca.ibug68 import LEFT_EYE, RIGHT_EYE, Opening

Array = NDArray[np.float64]
Index = NDArray[np.integer]

#: Distance from the rim at which A is the identity, in widths of the eye.
FADE = 0.5
#: ε relative to the largest aperture: keeps A tame at the corners, where the aperture vanishes.
EPSILON = 0.1
#: Up to this growth of the aperture, over the whole eye, a blink closes exactly.
STRETCH = 1.22
#: Beyond, it may leave this gap, in normalised units (1.2 mm on an adult).
SLACK = 0.02
_STATIONS = 33


def lid_maps(surface: Surface, registered: Array, landmarks: Index) -> Array:
    """A − I (V, 3, 3) for every source vertex; zero away from the eyes.

    :param surface: the source at rest, in the common space.
    :param registered: (V, 3) registered source in the common space.
    :param landmarks: (68,) source vertices.
    """
    source = surface.vertices
    maps = np.zeros((len(source), 3, 3))
    for eye in (RIGHT_EYE, LEFT_EYE):
        upper, lower = opening_curves(source, landmarks, surface.holes, eye)
        along_upper, along_lower = curve_fractions(source[upper]), curve_fractions(source[lower])
        stations = np.linspace(0.0, 1.0, _STATIONS)
        apertures = [
            _at(points[upper], along_upper, stations) - _at(points[lower], along_lower, stations)
            for points in (source, registered)
        ]
        apertures[1] = _bounded(*apertures)
        squared = (apertures[0] ** 2).sum(axis=1)
        scale = squared + EPSILON**2 * squared.max()
        change = np.einsum("ni,nj->nij", apertures[1] - apertures[0], apertures[0]) / scale[:, None, None]
        rim, along = np.concatenate([upper, lower]), np.concatenate([along_upper, along_lower])
        at_rim = _at(change.reshape(_STATIONS, 9), stations, along)
        width = float(np.linalg.norm(source[landmarks[eye.corners[0]]] - source[landmarks[eye.corners[1]]]))
        _spread(maps, at_rim, surface, rim, width)
    return maps


def opening_curves(
    points: Array, landmarks: Index, holes: Sequence[Index], opening: Opening, depth: float = 0.4
) -> tuple[Index, Index]:
    """Vertices along the upper and the lower curve of an opening, right to left, corners included.

    The boundary loop around the opening where the mesh has one (its centre within `depth` widths of the opening's),
    else the landmarks themselves.
    """
    own = landmarks[list(opening.corners + opening.upper + opening.lower)]
    centre = points[own].mean(axis=0)
    width = np.linalg.norm(points[own[0]] - points[own[1]])
    loop = min(holes, key=lambda hole: float(np.linalg.norm(points[hole].mean(axis=0) - centre)), default=None)
    if loop is None or np.linalg.norm(points[loop].mean(axis=0) - centre) > depth * width:
        curves = [[opening.corners[0], *rows, opening.corners[1]] for rows in (opening.upper, opening.lower)]
        return landmarks[curves[0]], landmarks[curves[1]]
    start, end = (int(np.argmin(np.linalg.norm(points[loop] - points[corner], axis=1))) for corner in own[:2])
    turned, split = np.roll(loop, -start), (end - start) % len(loop)
    one, other = turned[: split + 1], np.append(turned[split:], turned[0])[::-1]
    above = points[landmarks[list(opening.upper)]].mean(axis=0)
    nearness = [np.linalg.norm(points[curve].mean(axis=0) - above) for curve in (one, other)]
    return (one, other) if nearness[0] < nearness[1] else (other, one)


def _bounded(source: Array, target: Array) -> Array:
    """The part of the target's apertures (n, 3) that is closed, beside the source's."""
    growth = float(np.linalg.norm(target)) / max(float(np.linalg.norm(source)), 1e-300)
    widest = float(np.linalg.norm(target, axis=1).max())
    share = max(STRETCH / max(growth, STRETCH), 1.0 - SLACK / max(widest, SLACK))
    return np.asarray(target * share)


def along_curve(curve: Array, stations: Array) -> Array:
    """Points (s, 3) of a polyline (n, 3) at fractions `stations` (s,) of its length."""
    return _at(curve, curve_fractions(curve), stations)


def curve_fractions(curve: Array) -> Array:
    """Position along a curve, 0 to 1 by length."""
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(curve, axis=0), axis=1))])
    return np.asarray(length / max(length[-1], 1e-300))


def _at(values: Array, positions: Array, wanted: Array) -> Array:
    return np.stack([np.interp(wanted, positions, column) for column in values.T], axis=1)


def _spread(maps: Array, at_rim: Array, surface: Surface, rim: Index, width: float) -> None:
    """Add the rim's maps to the vertices around it, fading with the distance along the surface."""
    source, distance = surface.vertices, surface.graph.distances(rim)
    weight = np.clip(1.0 - distance / (FADE * width), 0.0, 1.0)
    weight = weight**2 * (3.0 - 2.0 * weight)
    near = np.flatnonzero(weight > 0)
    apart, neighbours = cKDTree(source[rim]).query(source[near], k=min(6, len(rim)))
    share = 1.0 / (apart + 1e-3 * width) ** 2
    share /= share.sum(axis=1, keepdims=True)
    mixed = (at_rim[neighbours] * share[..., None]).sum(axis=1).reshape(-1, 3, 3)
    maps[near] += weight[near, None, None] * mixed

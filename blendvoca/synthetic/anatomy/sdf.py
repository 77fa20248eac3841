"""Signed distance of soft primitives: the clay the head is modelled from. Lengths are millimetres here.

Every primitive takes points (N, 3) and returns (N,) distances, negative inside. Distances of ellipsoids are approximate
(first order at the surface), which is all that following a ray to the surface needs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Distance = NDArray[np.float64]
Triple = tuple[float, float, float]


def ellipsoid(points: Points, centre: Triple, radii: Triple, tilt: float = 0.0) -> Distance:
    """Return the distance to an ellipsoid, turned by ``tilt`` radians about x (positive: the front goes down)."""
    q = points - np.asarray(centre)
    if tilt:
        c, s = np.cos(tilt), np.sin(tilt)
        q = np.stack([q[:, 0], c * q[:, 1] + s * q[:, 2], -s * q[:, 1] + c * q[:, 2]], axis=1)
    r = np.asarray(radii)
    scaled = np.sqrt(((q / r) ** 2).sum(axis=1))
    gradient = np.sqrt(((q / r**2) ** 2).sum(axis=1))
    result: Distance = scaled * (scaled - 1.0) / np.maximum(gradient, 1e-9)
    return result


def capsule(points: Points, start: Triple, end: Triple, start_radius: float, end_radius: float) -> Distance:
    """Return the distance to a stick with round ends whose radius changes evenly along it."""
    a, b = np.asarray(start), np.asarray(end)
    axis = b - a
    along = np.clip((points - a) @ axis / (axis @ axis), 0.0, 1.0)
    nearest = a + along[:, None] * axis
    result: Distance = np.linalg.norm(points - nearest, axis=1) - (start_radius + along * (end_radius - start_radius))
    return result


def chain(points: Points, joints: tuple[Triple, ...], radii: tuple[float, ...], softness: float) -> Distance:
    """Return the distance to capsules joined end to end and blended over ``softness`` millimetres."""
    total = capsule(points, joints[0], joints[1], radii[0], radii[1])
    for k in range(1, len(joints) - 1):
        total = union(total, capsule(points, joints[k], joints[k + 1], radii[k], radii[k + 1]), softness)
    return total


def union(a: Distance, b: Distance, softness: float) -> Distance:
    """Return the union of two solids with the seam filled over ``softness`` millimetres (polynomial minimum)."""
    overlap = np.maximum(softness - np.abs(a - b), 0.0) / softness
    result: Distance = np.minimum(a, b) - overlap**3 * (softness / 6.0)
    return result


def carve(solid: Distance, tool: Distance, softness: float) -> Distance:
    """Return ``solid`` without ``tool``, the edge rounded over ``softness`` millimetres."""
    return -union(-solid, tool, softness)

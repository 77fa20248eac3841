"""Eyeballs of a mesh, found by their form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.components import vertex_components
from blendvoca.geometry.sphere import fit_sphere
from blendvoca.mesh import Mesh

#: A component is an eyeball if its points lie on a sphere this closely, of a radius between these shares of the head.
_ROUND, _EYE_SIZE = 0.06, (0.03, 0.12)


def eyeballs(mesh: Mesh) -> NDArray[np.float64]:
    """Return (V, 4): for vertices of eyeballs the direction from the middle of their ball and 1, else zeros.

    Eyeballs are the two components of the mesh that lie on spheres of like size, side by side.
    """
    found = np.zeros((mesh.n_vertices, 4))
    labels = vertex_components(mesh.faces, mesh.n_vertices)
    extent = float(np.ptp(mesh.vertices, axis=0).max()) or 1.0
    balls = []
    for label in range(1, min(int(labels.max(initial=0)) + 1, 40)):
        members = np.flatnonzero(labels == label)
        ball = _ball(mesh.vertices[members], extent) if len(members) >= 24 else None
        if ball is not None:
            balls.append((members, *ball))
    if len(balls) != 2 or not 0.8 < balls[0][2] / balls[1][2] < 1.25 or balls[0][1][0] * balls[1][1][0] > 0:
        return found
    for members, middle, _ in balls:
        offset = mesh.vertices[members] - middle
        found[members, :3] = offset / np.linalg.norm(offset, axis=1, keepdims=True)
        found[members, 3] = 1.0
    return found


def _ball(points: NDArray[np.float64], extent: float) -> tuple[NDArray[np.float64], float] | None:
    """Return middle and radius of the sphere through points, None if they do not lie on one of an eye's size."""
    middle, radius, miss = fit_sphere(points)
    if not _EYE_SIZE[0] < radius / extent < _EYE_SIZE[1]:
        return None
    return (middle, radius) if miss < _ROUND * radius else None

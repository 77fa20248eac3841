"""Eyeballs of a mesh, found by their form."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.components import vertex_components
from blendvoca.geometry.sphere import fit_sphere
from blendvoca.mesh import Mesh

#: A component is an eyeball if its points lie on a sphere this closely in the mean (a cornea bulges), of a radius
#: between these shares of the head, and if it is no strip of one, as lashes are: its least extent in radii.
_ROUND, _EYE_SIZE = 0.06, (0.03, 0.12)
_LEAST = 0.9
#: What lies between these distances from the middle of an eyeball, in its radii, belongs to it.
_CLINGS = (0.6, 1.3)


def eyeballs(mesh: Mesh) -> NDArray[np.float64]:
    """Return (V, 4): for vertices of eyeballs the direction from the middle of their ball and 1, else zeros.

    Eyeballs are the largest two components on spheres of like size, side by side, and what clings to them: many heads
    have a cornea or a film of tears of its own around each.
    """
    found = np.zeros((mesh.n_vertices, 4))
    labels = vertex_components(mesh.faces, mesh.n_vertices)
    extent = float(np.ptp(mesh.vertices, axis=0).max()) or 1.0
    pieces = [np.flatnonzero(labels == label) for label in range(1, min(int(labels.max(initial=0)) + 1, 60))]
    balls = [_ball(mesh.vertices[members], extent) for members in pieces if len(members) >= 24]
    sides = [[ball for ball in balls if ball is not None and side * ball[0][0] > 0] for side in (-1, 1)]
    if not all(sides) or not 0.8 < sides[0][0][1] / sides[1][0][1] < 1.25:
        return found
    for (middle, radius), *_ in sides:
        for members in pieces:
            offset = mesh.vertices[members] - middle
            away = np.linalg.norm(offset, axis=1)
            if away.min() > _CLINGS[0] * radius and away.max() < _CLINGS[1] * radius:
                found[members, :3] = offset / away[:, None]
                found[members, 3] = 1.0
    return found


def _ball(points: NDArray[np.float64], extent: float) -> tuple[NDArray[np.float64], float] | None:
    """Return middle and radius of the sphere through points, None if they do not lie on one of an eye's size."""
    middle, radius, _ = fit_sphere(points)
    if not _EYE_SIZE[0] < radius / extent < _EYE_SIZE[1] or np.ptp(points, axis=0).min() < _LEAST * radius:
        return None
    miss = float(np.abs(np.linalg.norm(points - middle, axis=1) - radius).mean())
    return (middle, radius) if miss < _ROUND * radius else None

"""A head for files that hold materials: its parts as surfaces of their own, and a dark inside behind open lips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.boundary import boundary_loops
from blendvoca.ibug68 import GROUPS, INDEX
from blendvoca.io.rig.gltf_write import Surface
from blendvoca.mesh import Mesh
from blendvoca.view.appearance import CAP_DARK, appearance_of, surfaces, to_linear
from blendvoca.view.cap import filled

#: How far behind the lips the mouth may end, relative to its width: FLAME's inner surfaces run back some 18 of 50 mm.
_DEEP = 0.8
#: Parts of the skin that differ in colour only.
_PAINTED = ("skin", "lips", "brows")


def materials_of(mesh: Mesh, landmarks: NDArray[np.integer] | None = None) -> tuple[Surface, ...]:
    """Return a head's triangles by part, each with its colour.

    A mouth that the mesh leaves open gets triangles of its own across the opening, on vertices that are there, so that
    they follow every shape. Lips, brows, teeth and tongue, and the mouth, need the landmarks.

    :param mesh: at rest, the face along +z.
    :param landmarks: (68,) vertices in iBUG order.
    """
    look = appearance_of(mesh, landmarks)
    parts = _with_painted_skin(surfaces(mesh, look), to_linear(look.colours))
    if landmarks is None:
        return parts
    # Backwards, so that it continues the surface around it.
    inside = filled(mouth_opening(mesh, landmarks)[::-1])
    dark = tuple(float(value) for value in to_linear(np.array(CAP_DARK)))
    cavity = Surface("mouth cavity", inside.astype(np.int32), (dark[0], dark[1], dark[2]), 1.0)
    return (*parts, cavity) if len(inside) else parts


def _with_painted_skin(parts: tuple[Surface, ...], colours: NDArray[np.float64]) -> tuple[Surface, ...]:
    """Return the parts with lips and brows painted on the skin: along triangles their edges would be jagged."""
    soft = [part for part in parts if part.name in _PAINTED]
    if not soft:
        return parts
    faces = np.concatenate([part.faces for part in soft])
    return (replace(soft[0], name="skin", faces=faces, painted=colours), *(p for p in parts if p.name not in _PAINTED))


def mouth_opening(mesh: Mesh, landmarks: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the boundary loop (L,) of the mouth, in the winding of the faces; none where the mouth is closed."""
    points = mesh.vertices[np.asarray(landmarks)]
    corners = points[INDEX["inner_right_corner"]], points[INDEX["inner_left_corner"]]
    middle, width = points[list(GROUPS["lips_inner"])].mean(axis=0), float(np.linalg.norm(corners[0] - corners[1]))
    loops = boundary_loops(mesh.faces)
    sizes = [float(np.linalg.norm(np.ptp(mesh.vertices[loop], axis=0))) for loop in loops]
    # The outline of a face, or its neck, is no mouth.
    near = [
        (float(np.linalg.norm(mesh.vertices[loop].mean(axis=0) - middle)), place)
        for place, (loop, size) in enumerate(zip(loops, sizes))
        if size < 2 * width and size < max(sizes, default=0.0)
    ]
    distance, place = min(near, default=(np.inf, -1))
    return loops[place] if distance < _DEEP * width else np.zeros(0, dtype=np.int64)

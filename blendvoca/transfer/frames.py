"""Triangle frames and deformation gradients (Sumner and Popović 2004, section 3).

Notation of the paper, used in this package only:

======  =======================================================  ==========================
symbol  meaning                                                  here
======  =======================================================  ==========================
v4      fourth vertex, v1 + cross / sqrt(|cross|)                `fourth_vertices`
V       frame [v2 - v1, v3 - v1, v4 - v1]                        `triangle_frames`
S, T    affine part of a triangle's deformation, V' V⁻¹          `deformation_gradients`
G       matrix that takes positions to tangential gradients      `gradient_matrix`
======  =======================================================  ==========================

A deformation gradient (3, 3) takes a vector of the resting triangle to the deformed one. The fourth vertex of the
paper carries the normal's share; as an unknown it belongs to one triangle only and can be eliminated: it always takes
the normal column exactly where it is asked to be, and what is left is the part of the gradient in the triangle's
plane. That is why the transfer needs one unknown per vertex (`gradient_matrix`), while the registration, which
compares gradients of neighbours, keeps the fourth vertices (`affine_matrix`).
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from blendvoca.errors import MeshError

Array = NDArray[np.float64]
Index = NDArray[np.integer]


def triangle_frames(vertices: Array, faces: Index) -> Array:
    """Frames V (..., F, 3, 3) of positions (..., V, 3): columns are two edges and the scaled normal."""
    a, b, c = (vertices[..., faces[:, k], :] for k in range(3))
    first, second = b - a, c - a
    cross = np.cross(first, second)
    length = np.linalg.norm(cross, axis=-1, keepdims=True)
    normal = cross / np.sqrt(np.maximum(length, np.finfo(float).tiny))
    return np.stack([first, second, normal], axis=-1)


def fourth_vertices(vertices: Array, faces: Index) -> Array:
    """The paper's fourth vertex of every triangle (F, 3)."""
    return np.asarray(vertices[faces[:, 0]] + triangle_frames(vertices, faces)[..., 2])


def inverse_frames(vertices: Array, faces: Index) -> Array:
    """V⁻¹ (F, 3, 3) of every resting triangle.

    :raises MeshError: for triangles without area, which have no frame.
    """
    flat = degenerate_faces(vertices, faces)
    if len(flat):
        raise MeshError(
            "triangles without area have no frame",
            found=f"{len(flat)} of {len(faces)}, first {int(flat[0])}",
            remedy="Remove them first.",
        )
    return np.asarray(np.linalg.inv(triangle_frames(vertices, faces)))


def degenerate_faces(vertices: Array, faces: Index) -> NDArray[np.int64]:
    """Faces that repeat a vertex, or whose area is rounding beside their longest edge."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    longest = np.stack([np.linalg.norm(side, axis=1) for side in (b - a, c - b, a - c)]).max(axis=0)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return np.flatnonzero(~(area > 1e-7 * longest**2))


def deformation_gradients(inverse: Array, deformed: Array, faces: Index) -> Array:
    """Affine parts S = V' V⁻¹ (..., F, 3, 3) of positions `deformed` (..., V, 3) relative to the frames behind
    `inverse`."""
    return np.asarray(triangle_frames(deformed, faces) @ inverse)


def gradient_matrix(vertices: Array, faces: Index) -> sp.csr_matrix:
    """G (3F, V): surface gradient of a function on the vertices, constant on each triangle.

    For positions x (V, 3), rows 3i..3i+2 of `G @ x` are Jᵢᵀ, where Jᵢ (3, 3) takes vectors of the resting plane to
    the deformed one and the resting normal to zero.
    """
    inverse = inverse_frames(vertices, faces)
    first, second = inverse[:, 0], inverse[:, 1]  # dual vectors of the two edges; both lie in the plane
    values = np.stack([-(first + second), first, second], axis=-1)  # (F, 3 components, 3 corners)
    n = len(faces)
    rows = np.broadcast_to(np.arange(3 * n).reshape(n, 3, 1), (n, 3, 3))
    columns = np.broadcast_to(np.asarray(faces)[:, None, :], (n, 3, 3))
    return sp.csr_matrix((values.ravel(), (rows.ravel(), columns.ravel())), shape=(3 * n, len(vertices)))


def affine_matrix(vertices: Array, faces: Index) -> sp.csr_matrix:
    """A (3F, V + F): as `gradient_matrix`, with the fourth vertices as unknowns V..V+F-1; rows are Tᵢᵀ."""
    inverse = inverse_frames(vertices, faces)
    n, count = len(faces), len(vertices)
    values = np.concatenate([-inverse.sum(axis=1)[:, None], inverse], axis=1).transpose(0, 2, 1)  # (F, 3, 4)
    corners = np.column_stack([faces, count + np.arange(n)])
    rows = np.broadcast_to(np.arange(3 * n).reshape(n, 3, 1), (n, 3, 4))
    columns = np.broadcast_to(corners[:, None, :], (n, 3, 4))
    return sp.csr_matrix((values.ravel(), (rows.ravel(), columns.ravel())), shape=(3 * n, count + n))

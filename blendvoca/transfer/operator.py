"""The transfer as an operator: factored once per head, one back-substitution per shape.

Sumner and Popović 2004, section 3 and Eq. 6, for displacements d instead of positions (the same minimiser, and no
deformation gives exactly zero):

    min_d  Σᵢ wᵢ ‖∇dᵢ − (Sᵢ − I) Pᵢ‖²

over target triangles i, with Sᵢ the gradient the source asks for and Pᵢ the projection onto the triangle's plane (see
frames.py on the fourth vertex). The paper's wᵢ is the number of pairs that speak for a triangle.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from blendvoca.geometry.components import vertex_components
from blendvoca.linalg.cholesky import CholeskyFactor, factor
from blendvoca.transfer.frames import gradient_matrix

Array = NDArray[np.float64]
Index = NDArray[np.integer]


class TransferOperator:
    """Displacements from gradients, up to one translation per component.

    :param vertices: (V, 3) resting target, any unit.
    :param faces: (F, 3) its triangles.
    :param weights: (F,) weight of each triangle; 1 each when not given.
    :raises MeshError: for triangles without area.
    """

    def __init__(self, vertices: Array, faces: Index, weights: Array | None = None) -> None:
        self.count = len(vertices)
        gradient = gradient_matrix(vertices, faces)
        spread = np.repeat(np.ones(len(faces)) if weights is None else np.asarray(weights, dtype=float), 3)
        self._right = sp.csr_matrix(gradient.T @ sp.diags(spread))
        used = np.zeros(self.count, dtype=bool)
        used[np.asarray(faces).ravel()] = True
        labels = vertex_components(faces, self.count)
        grounded = np.unique(labels, return_index=True)[1]  # the first vertex of every component stays
        self._free = np.setdiff1d(np.flatnonzero(used), grounded)
        matrix = sp.csr_matrix(self._right @ gradient)
        self.factor: CholeskyFactor = factor(matrix[self._free][:, self._free])

    def displacements(self, gradients: Array) -> Array:
        """Displacements (K, V, 3) for K shapes.

        :param gradients: (K, F, 3, 3) deformation gradients minus the identity, one per target triangle.
        """
        shapes, faces = gradients.shape[:2]
        # rows 3i..3i+2 of the right-hand side hold the transposed gradient of triangle i; shapes side by side
        stacked = gradients.transpose(1, 3, 0, 2).reshape(3 * faces, shapes * 3)
        result = np.zeros((self.count, shapes * 3))
        result[self._free] = self.factor.solve(self._right[self._free] @ stacked)
        return np.ascontiguousarray(result.reshape(self.count, shapes, 3).transpose(1, 0, 2))


def fix_translation(displacements: Array, places: Index, wanted: Array) -> Array:
    """Shift every shape so that its static landmarks move as the source's do.

    :param displacements: (K, V, 3), each up to a translation.
    :param places: (m,) landmark vertices of the target.
    :param wanted: (K, m, 3) what the source's landmarks do, in the same space.
    :return: (K, V, 3). Landmarks are weighted by how little they move: 1 where still, 1/2 at a twentieth of the
        largest motion.
    """
    moved = np.linalg.norm(wanted, axis=-1)
    scale = np.maximum(moved.max(axis=1, keepdims=True), 1e-300) / 20
    weight = 1.0 / (1.0 + (moved / scale) ** 2)
    weight /= weight.sum(axis=1, keepdims=True)
    shift = (weight[..., None] * (wanted - displacements[:, places])).sum(axis=1)
    return np.asarray(displacements + shift[:, None])

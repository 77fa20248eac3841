"""The plain method: Sumner and Popović 2004 as it stands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.surface import Surface
from blendvoca.transfer.correspondence import CorrespondenceConfig, correspond
from blendvoca.transfer.frames import deformation_gradients, inverse_frames
from blendvoca.transfer.operator import TransferOperator, fix_translation

Array = NDArray[np.float64]


class PlainSolver:
    """Correspondence and operator of one source and one target, all in the common space.

    :param source: the source at rest, V vertices.
    :param registered: the source bent onto the target.
    :param target: the target at rest, W vertices.
    :param pairs: (m, 2) landmark pairs, for the translation.
    """

    def __init__(
        self,
        source: Surface,
        registered: Surface,
        target: Surface,
        pairs: NDArray[np.integer],
        correspondence: CorrespondenceConfig,
    ) -> None:
        self.source, self.pairs = source, pairs
        self.correspondence = correspond(registered, target, correspondence)
        self.smooth = self.correspondence.smooth
        self.operator = TransferOperator(target.vertices, target.faces, self.correspondence.pairs)
        self.factor = self.operator.factor

    def apply(self, moves: Array) -> Array:
        """Target displacements (K, W, 3) for source displacements (K, V, 3)."""
        rest, faces = self.source.vertices, self.source.faces
        gradients = deformation_gradients(inverse_frames(rest, faces), rest + moves, faces) - np.eye(3)
        found = self.operator.displacements(self.correspondence.gradients(gradients))
        return fix_translation(found, self.pairs[:, 1], moves[:, self.pairs[:, 0]])

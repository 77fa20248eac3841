"""The plain method: Sumner and Popović 2004 as it stands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.transfer.correspondence import CorrespondenceConfig, correspond
from blendvoca.transfer.frames import deformation_gradients, inverse_frames
from blendvoca.transfer.operator import TransferOperator, fix_translation

Array = NDArray[np.float64]
Index = NDArray[np.integer]


class PlainSolver:
    """Correspondence and operator of one source and one target, all in the common space.

    :param source: (V, 3) resting source.
    :param registered: (V, 3) registered source.
    :param target: (W, 3) resting target.
    :param pairs: (m, 2) landmark pairs, for the translation.
    """

    def __init__(
        self,
        source: Array,
        source_faces: Index,
        registered: Array,
        target: Array,
        target_faces: Index,
        pairs: NDArray[np.integer],
        correspondence: CorrespondenceConfig,
    ) -> None:
        self.source, self.source_faces, self.pairs = source, source_faces, pairs
        self.correspondence = correspond(registered, source_faces, target, target_faces, correspondence)
        self.smooth = self.correspondence.smooth
        self.operator = TransferOperator(target, target_faces, self.correspondence.pairs)
        self.factor = self.operator.factor

    def apply(self, moves: Array) -> Array:
        """Target displacements (K, W, 3) for source displacements (K, V, 3)."""
        inverse = inverse_frames(self.source, self.source_faces)
        gradients = deformation_gradients(inverse, self.source + moves, self.source_faces) - np.eye(3)
        found = self.operator.displacements(self.correspondence.gradients(gradients))
        return fix_translation(found, self.pairs[:, 1], moves[:, self.pairs[:, 0]])

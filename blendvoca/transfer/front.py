"""From a source rig to a rig of another head: the one call, and its steps."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.crop import Crop
from blendvoca.errors import MeshError
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.transfer.checks import landmark_pairs
from blendvoca.transfer.config import TransferConfig
from blendvoca.transfer.correspondence import Correspondence, correspond
from blendvoca.transfer.frames import deformation_gradients, inverse_frames
from blendvoca.transfer.operator import TransferOperator, fix_translation
from blendvoca.transfer.registration import Registration, register
from blendvoca.transfer.space import CommonSpace, common_space

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PreparedTransfer:
    """One source and one target, registered and factored; shapes are then one back-substitution each."""

    source: Mesh
    target: Mesh
    pairs: NDArray[np.int64]
    space: CommonSpace
    registration: Registration
    correspondence: Correspondence
    operator: TransferOperator
    seconds: dict[str, float] = field(default_factory=dict)
    """Time of each phase so far."""

    def apply(self, deltas: ArrayLike) -> Array:
        """Transfer source deltas (K, V, 3), in the source's unit, to target deltas (K, W, 3) in the target's.

        :raises MeshError: if the deltas are not of the source's vertices.
        """
        moves = np.asarray(deltas, dtype=np.float64)
        if moves.ndim != 3 or moves.shape[1:] != self.source.vertices.shape:
            expected = ("K", *self.source.vertices.shape)
            raise MeshError("deltas are not of the source mesh", expected=expected, found=moves.shape)
        faces = self.source.faces
        rest = self.space.source_points(self.source.vertices)
        moves = self.space.source_vectors(moves)
        gradients = deformation_gradients(inverse_frames(rest, faces), rest + moves, faces) - np.eye(3)
        found = self.operator.displacements(self.correspondence.gradients(gradients))
        found = fix_translation(found, self.pairs[:, 1], moves[:, self.pairs[:, 0]])
        return self.space.target_vectors_out(found)


def prepare(
    source: Mesh,
    target: Mesh,
    pairs: NDArray[np.integer],
    config: TransferConfig | None = None,
    registration: Registration | None = None,
) -> PreparedTransfer:
    """Register, find the correspondence, and factor the operator.

    :param source, target: the two resting meshes, any units and poses; the target is the region to be deformed.
    :param pairs: (m, 2) landmark pairs, checked by `checks.landmark_pairs`.
    :param registration: that of an earlier call with the same arguments, to go on from.
    """
    config = config or TransferConfig()
    clock = [time.perf_counter()]
    space = common_space(source.vertices, target.vertices, pairs)
    start, goal = space.source_points(source.vertices), space.target_points(target.vertices)
    if registration is None:
        registration = register(start, source.faces, goal, target.faces, pairs, config.registration)
    clock.append(time.perf_counter())
    correspondence = correspond(registration.vertices, source.faces, goal, target.faces, config.correspondence)
    clock.append(time.perf_counter())
    operator = TransferOperator(goal, target.faces, correspondence.pairs)
    clock.append(time.perf_counter())
    seconds = dict(zip(("register", "correspond", "factor"), np.diff(clock).tolist(), strict=True))
    return PreparedTransfer(source, target, np.asarray(pairs), space, registration, correspondence, operator, seconds)


@dataclass(frozen=True, eq=False)
class TransferResult:
    """The new rig and how it came about."""

    rig: BlendshapeRig
    """Neutral = the whole target mesh as it was given, in its own unit; shapes of the source."""
    region: Crop
    """The part of the target that was deformed by transfer."""
    prepared: PreparedTransfer
    seconds: dict[str, float]
    """Wall time of each phase."""


def transfer_rig(
    source: BlendshapeRig,
    source_landmarks: ArrayLike,
    target: Mesh,
    target_landmarks: ArrayLike,
    config: TransferConfig | None = None,
    region: Crop | None = None,
) -> TransferResult:
    """Give `target` the blendshapes of `source`.

    :param source_landmarks, target_landmarks: (m,) vertex indices of the same points of a face on either mesh.
    :param region: vertices of the target to be deformed; None takes all of them.
    :raises LandmarkError: for landmark lists that cannot be right (see `checks.landmark_pairs`).
    :raises MeshError: for geometry that cannot be transferred to.
    """
    pairs = landmark_pairs(source.neutral.vertices, source_landmarks, target.vertices, target_landmarks)
    region = region or Crop.of(np.arange(target.n_vertices), target.n_vertices)
    inner = np.column_stack([pairs[:, 0], region.indices(pairs[:, 1])])
    prepared = prepare(source.neutral, region.apply(target), inner, config)
    start = time.perf_counter()
    deltas = region.restore(prepared.apply(source.deltas))
    seconds = {**prepared.seconds, "transfer": time.perf_counter() - start}
    return TransferResult(BlendshapeRig(target, deltas, source.names), region, prepared, seconds)

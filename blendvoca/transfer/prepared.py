"""One source and one target, ready: registered, corresponding and factored, so that shapes are back-substitutions."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.crop import Crop
from blendvoca.errors import MeshError
from blendvoca.geometry.surface import Surface
from blendvoca.ibug68 import N_LANDMARKS, face_axes
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.transfer.clean import check_source, usable_faces
from blendvoca.transfer.common_space import CommonSpace, common_space
from blendvoca.transfer.config import TransferConfig
from blendvoca.transfer.face_method import FaceSolver
from blendvoca.transfer.inner_mouth import InnerMouth
from blendvoca.transfer.openings.contact import keep_apart
from blendvoca.transfer.openings.fused import FOLD, FusedLips, is_fold
from blendvoca.transfer.openings.lip_sides import Labels, of_faces, side_labels
from blendvoca.transfer.openings.mouth_rim import WEIGHT, rim_places
from blendvoca.transfer.openings.passing import Lips
from blendvoca.transfer.openings.torn import laid_where_torn
from blendvoca.transfer.region import landmark_components
from blendvoca.transfer.registration import Guides, Registration, register
from blendvoca.transfer.sumner_popovic import PlainSolver

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PreparedTransfer:
    """One source and one target, registered and factored; shapes are then one back-substitution each.

    :param source: the source at rest.
    :param target: the region at rest, in its own unit.
    :param pairs: (m, 2) landmark pairs of both.
    :param space: the common space of both.
    :param registration: the source bent onto the target.
    :param solver: of the method that was chosen.
    :param skin: the components of the target that carry landmarks; the rest stays at rest.
    :param faces: (F, 3) triangles of the skin that were used.
    :param notes: what was repaired or left out.
    :param seconds: time of each phase so far.
    :param fused: the target's lips, where they are grown together.
    :param mouth: the inside of the target's mouth, where it has one that the source does not cover.
    """

    source: Mesh
    target: Mesh
    pairs: NDArray[np.int64]
    space: CommonSpace
    registration: Registration
    solver: FaceSolver | PlainSolver
    skin: Crop
    faces: NDArray[np.integer]
    notes: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)
    fused: FusedLips | None = None
    mouth: InnerMouth | None = None

    def apply(self, deltas: ArrayLike) -> Array:
        """Transfer source deltas (K, V, 3), in the source's unit, to target deltas (K, W, 3) in the target's.

        :param deltas: (K, V, 3) in the source's unit.
        :raises MeshError: if the deltas are not of the source's vertices.
        """
        moves = np.asarray(deltas, dtype=np.float64)
        if moves.ndim != 3 or moves.shape[1:] != self.source.vertices.shape:
            expected = ("K", *self.source.vertices.shape)
            raise MeshError("deltas are not of the source mesh", expected=expected, found=moves.shape)
        found = self.solver.apply(self.space.source_vectors(moves))
        return self.skin.restore(self.space.target_vectors_out(found))

    def asked(self, source: BlendshapeRig) -> BlendshapeRig:
        """Return the source's shapes as far as this head can make them: lips that are grown together do not part.

        :param source: shapes of the source that this was prepared with.
        """
        if self.fused is None:
            return source
        return BlendshapeRig(source.neutral, self.fused.damped(np.asarray(source.deltas), source.names), source.names)

    def shapes(self, source: BlendshapeRig) -> Array:
        """Transfer the shapes of the source's rig to target deltas (K, W, 3); no lip passes through the other.

        Linear in each shape but for that; a rig that goes onto its own head comes back as it was.

        :param source: shapes of the source that this was prepared with, :meth:`asked` for.
        """
        solver, marks = self.solver, self.skin.indices(self.pairs[:, 1])
        if not isinstance(solver, FaceSolver) or not self.mends_contact:
            return self.apply(source.deltas)
        found = solver.apply(self.space.source_vectors(np.asarray(source.deltas, dtype=np.float64)))
        if self.mouth is not None:
            found = self.mouth.moved(found, source.names)
        found = laid_where_torn(solver.target, marks, found)
        lips, up = Lips.of(solver.target, marks), face_axes(solver.target.vertices[marks])[1]
        found = keep_apart(found, source.names, lips, up)
        return self.skin.restore(self.space.target_vectors_out(found))

    @property
    def mends_contact(self) -> bool:
        """Whether lips and lids are kept apart: by the face method, with its landmarks, on a head not the source's."""
        return isinstance(self.solver, FaceSolver) and len(self.pairs) == N_LANDMARKS and not self.solver.same

    @property
    def registered(self) -> Array:
        """The registered source (V, 3) in the target's own space and unit."""
        return self.space.target_points_out(self.registration.vertices)

    @property
    def covered(self) -> NDArray[np.bool_]:
        """(W,) target vertices that the source speaks for."""
        result = np.zeros(self.target.n_vertices, dtype=bool)
        if isinstance(self.solver, FaceSolver):
            result[self.skin.kept] = self.solver.vertices.covered
        else:
            faces = self.faces[~self.solver.smooth]
            result[self.skin.kept[np.unique(faces)]] = True
        return result


def prepare(
    source: Mesh,
    target: Mesh,
    pairs: NDArray[np.integer],
    config: TransferConfig | None = None,
    registration: Registration | None = None,
) -> PreparedTransfer:
    """Register, find the correspondence, and factor the operator.

    :param source: the source at rest, in any unit and pose.
    :param target: the region of the target that is deformed, at rest, in any unit and pose.
    :param pairs: (m, 2) landmark pairs, checked by `checks.landmark_pairs`.
    :param config: how; None takes the defaults.
    :param registration: what :func:`register_heads` gave for the same arguments, to go on from.
    """
    config = config or TransferConfig()
    clock = [time.perf_counter()]
    placed = _Placed.of(source, target, pairs)
    registration = registration or placed.register(config)
    clock.append(time.perf_counter())
    parts = (placed.start, placed.start.moved(registration.vertices), placed.goal, placed.pairs)
    solver: FaceSolver | PlainSolver
    fused = mouth = None
    notes = [*placed.notes]
    if config.method == "face":
        solver = FaceSolver(*parts, config.face, placed.sides, config.unconstrained)
        if placed.sides is not None:
            fused = FusedLips.of(placed.start, placed.goal, placed.pairs)
            mouth = InnerMouth.of(placed.goal, placed.pairs[:, 1], solver.vertices.covered)
            notes += [note for each in (fused, mouth) if each for note in each.notes]
            notes += [FOLD] if is_fold(placed.goal, placed.pairs[:, 1]) else []
    else:
        solver = PlainSolver(*parts, config.correspondence)
    clock.append(time.perf_counter())
    seconds = dict(zip(("register", "correspond and factor"), np.diff(clock).tolist(), strict=True))
    return PreparedTransfer(
        source, target, np.asarray(pairs, dtype=np.int64), placed.space, registration, solver, placed.skin,
        placed.goal.faces, tuple(notes), seconds, fused, mouth,
    )  # fmt: skip


def register_heads(
    source: Mesh, target: Mesh, pairs: NDArray[np.integer], config: TransferConfig | None = None
) -> Registration:
    """Do the first step of :func:`prepare` alone, to keep its result. Parameters as there."""
    return _Placed.of(source, target, pairs).register(config or TransferConfig())


@dataclass(frozen=True, eq=False)
class _Placed:
    """Both meshes in the common space, the target without components that carry no landmark."""

    skin: Crop
    pairs: NDArray[np.integer]
    space: CommonSpace
    start: Surface
    goal: Surface
    notes: tuple[str, ...]

    @classmethod
    def of(cls, source: Mesh, target: Mesh, pairs: NDArray[np.integer]) -> _Placed:
        check_source(source)
        skin = landmark_components(target, pairs[:, 1])
        faces, notes = usable_faces(skin.apply(target))
        inner = np.column_stack([pairs[:, 0], skin.indices(pairs[:, 1])])
        space = common_space(source.vertices, target.vertices, pairs)
        start = Surface(space.source_points(source.vertices), source.faces)
        goal = Surface(space.target_points(target.vertices[skin.kept]), faces)
        return cls(skin, inner, space, start, goal, notes)

    @cached_property
    def sides(self) -> tuple[Labels, Labels] | None:
        """Side labels of both meshes' vertices, where the landmarks are the 68 points."""
        if len(self.pairs) != N_LANDMARKS:
            return None
        return side_labels(self.start, self.pairs[:, 0]), side_labels(self.goal, self.pairs[:, 1])

    def register(self, config: TransferConfig) -> Registration:
        """Bend the source onto the target; if triangles fold over, once more with the lips guided."""
        held = np.delete(self.pairs, list(config.unconstrained), axis=0)
        parts = (self.start, self.goal, held, config.registration)
        if config.method != "face" or self.sides is None:
            return register(*parts)
        guides = Guides(self.sides[0], of_faces(self.sides[1], self.goal.faces))
        first = register(*parts, guides)
        if not first.flipped:
            return first
        places = rim_places(self.start, self.goal.vertices, self.pairs)
        if places is None:
            return first
        second = register(*parts, replace(guides, vertices=places[0], points=places[1], weight=WEIGHT))
        return second if second.flipped < first.flipped else first

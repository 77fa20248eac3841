"""From a source rig to a rig of another head: the one call, and its steps."""

from __future__ import annotations

import time
from collections.abc import Sequence
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
from blendvoca.transfer.openings.lid_contact import slide_lids
from blendvoca.transfer.openings.lip_sides import Labels, of_faces, side_labels
from blendvoca.transfer.openings.mouth_rim import WEIGHT, rim_places
from blendvoca.transfer.openings.passing import Lips
from blendvoca.transfer.openings.torn import laid_where_torn
from blendvoca.transfer.parts import Part, find_parts, move_parts, source_glances
from blendvoca.transfer.quality.checks import landmark_pairs
from blendvoca.transfer.quality.eyeballs import eyeball_figures
from blendvoca.transfer.quality.held_out import HELD_OUT, not_held
from blendvoca.transfer.quality.report import TransferReport, assess
from blendvoca.transfer.reattach import reattach
from blendvoca.transfer.region import completed_region, face_region, landmark_components, require_inside
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


@dataclass(frozen=True, eq=False)
class TransferResult:
    """The new rig and how it came about.

    :param rig: neutral = the whole target mesh as it was given, in its own unit; shapes of the source.
    :param region: the part of the target that was deformed by transfer.
    :param prepared: what the transfer was made with.
    :param source: the rig that was transferred, as far as this head can make its shapes.
    :param pairs: (m, 2) landmark pairs of source and whole target.
    :param seconds: wall time of each phase.
    :param parts: the components beside the skin, and what each does.
    :param config: how it was made.
    """

    rig: BlendshapeRig
    region: Crop
    prepared: PreparedTransfer
    source: BlendshapeRig
    pairs: NDArray[np.int64]
    seconds: dict[str, float]
    parts: tuple[Part, ...] = ()
    config: TransferConfig = field(default_factory=TransferConfig)

    @cached_property
    def report(self) -> TransferReport:
        """The figures of the new rig, measured when first asked for."""
        report = measure(self.source, self.pairs, self.rig, self.prepared.registration, self.covered)
        more = eyeball_figures(self.rig, self.pairs[:, 1], self.parts) | self._not_held()
        return replace(report, figures=report.figures | more)

    def _not_held(self) -> dict[str, float | None]:
        """Where landmarks come to lie that were not held; registers the heads once more."""
        made, held = self.prepared, set(HELD_OUT).isdisjoint(self.config.unconstrained)
        if len(made.pairs) != N_LANDMARKS or not held:
            return {}
        free = replace(self.config, unconstrained=(*self.config.unconstrained, *HELD_OUT))
        again = register_heads(made.source, made.target, made.pairs, free)
        return not_held(again, made.space, made.pairs, made.target.vertices)

    @property
    def covered(self) -> NDArray[np.bool_]:
        """(V,) vertices of the whole target that the source speaks for."""
        result = np.zeros(self.rig.neutral.n_vertices, dtype=bool)
        result[self.region.kept] = self.prepared.covered
        return result


def transfer_rig(
    source: BlendshapeRig,
    source_landmarks: ArrayLike,
    target: Mesh,
    target_landmarks: ArrayLike,
    config: TransferConfig | None = None,
    region: Crop | None = None,
    still: Sequence[NDArray[np.integer]] = (),
    jaw: Sequence[NDArray[np.integer]] = (),
) -> TransferResult:
    """Give `target` the blendshapes of `source`.

    :param source: (V vertices, K shapes), in any unit.
    :param source_landmarks: (m,) vertices of the source.
    :param target: the head, in any unit and pose.
    :param target_landmarks: (m,) vertices of the target, the same points in the same order.
    :param config: how; None takes the defaults.
    :param region: vertices of the target to be deformed; None finds the face (`region.face_region`).
    :param still: vertices of components beside the skin that stay, whatever they look like.
    :param jaw: vertices of those that follow the jaw.
    :raises LandmarkError: for landmark lists that cannot be right (see `checks.landmark_pairs`), or outside the region.
    :raises MeshError: for geometry that cannot be transferred to.
    """
    config = config or TransferConfig()
    pairs = landmark_pairs(source.neutral.vertices, source_landmarks, target.vertices, target_landmarks)
    start = time.perf_counter()
    whole, on_whole, may_move = source, pairs, region
    source, pairs = _skin_of(source, pairs)
    notes: tuple[str, ...] = ()
    if region is None:
        region = face_region(target, pairs[:, 1], config.region)
    else:
        require_inside(region, pairs[:, 1])
        region, notes = completed_region(target, region, pairs[:, 1], config.region)
    cropped = time.perf_counter()
    inner = np.column_stack([pairs[:, 0], region.indices(pairs[:, 1])])
    prepared = prepare(source.neutral, region.apply(target), inner, config)
    prepared = replace(prepared, notes=(*notes, *prepared.notes))
    ready = time.perf_counter()
    source = prepared.asked(source)
    deltas = prepared.shapes(source)
    done = time.perf_counter()
    deltas = reattach(target, region, deltas, prepared.covered, config.band * prepared.space.target_unit, pairs[:, 1])
    parts = find_parts(target, pairs[:, 1], still, jaw, may_move)
    glances = source_glances(whole, on_whole[:, 0], prepared.space.to_target.rotation)
    deltas = move_parts(target, pairs[:, 1], source.names, deltas, parts, glances)
    if prepared.mends_contact and config.face.lids:
        deltas = slide_lids(target, pairs[:, 1], source.names, deltas, parts, region)
    seconds = {
        "region": cropped - start,
        **prepared.seconds,
        "transfer": done - ready,
        "reattach": time.perf_counter() - done,
    }
    return TransferResult(
        BlendshapeRig(target, deltas, source.names), region, prepared, source, pairs, seconds, parts, config
    )


def _skin_of(source: BlendshapeRig, pairs: NDArray[np.int64]) -> tuple[BlendshapeRig, NDArray[np.int64]]:
    """The source without components that carry no landmark (its own eyeballs and teeth), and pairs that count it."""
    skin = landmark_components(source.neutral, pairs[:, 0])
    if len(skin.kept) == source.neutral.n_vertices:
        return source, pairs
    rig = BlendshapeRig(skin.apply(source.neutral), source.deltas[:, skin.kept], source.names)
    return rig, np.column_stack([skin.indices(pairs[:, 0]), pairs[:, 1]])


def measure(
    source: BlendshapeRig,
    pairs: NDArray[np.integer],
    rig: BlendshapeRig,
    registration: Registration,
    covered: NDArray[np.bool_],
) -> TransferReport:
    """Return the figures of a transferred rig as it is shipped: after reattaching, on the region that is kept.

    :param source: the rig that was transferred.
    :param pairs: (m, 2) landmark pairs of the vertices of `source` and `rig`.
    :param rig: the new rig, in the target's unit.
    :param registration: the source bent onto the target.
    :param covered: (W,) vertices of `rig` that the source speaks for.
    """
    space = common_space(source.neutral.vertices, rig.neutral.vertices, pairs)
    registered = space.target_points_out(registration.vertices)
    fit = registration.distance * space.target_unit
    return assess(source, pairs, rig, space, registered, fit, registration.flipped, covered)

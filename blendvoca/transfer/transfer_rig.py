"""From a source rig to a rig of another head: the one call."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.crop import Crop
from blendvoca.ibug68 import N_LANDMARKS
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.transfer.common_space import common_space
from blendvoca.transfer.config import TransferConfig
from blendvoca.transfer.openings.lid_contact import slide_lids
from blendvoca.transfer.parts import Part, find_parts, move_parts, source_glances
from blendvoca.transfer.prepared import PreparedTransfer, prepare, register_heads
from blendvoca.transfer.quality.checks import landmark_pairs
from blendvoca.transfer.quality.eyeballs import eyeball_figures
from blendvoca.transfer.quality.held_out import HELD_OUT, not_held
from blendvoca.transfer.quality.report import TransferReport, assess
from blendvoca.transfer.reattach import reattach
from blendvoca.transfer.region import completed_region, face_region, landmark_components, require_inside
from blendvoca.transfer.registration import Registration

Array = NDArray[np.float64]


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

"""What shows of eyeballs: between lids that are shut, and through lids in any shape of the eye."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from blendvoca.rig import BlendshapeRig
from blendvoca.transfer.common_space import ADULT_MM
from blendvoca.transfer.openings.eyes import Eye, find_eyes
from blendvoca.transfer.openings.lid_contact import ASIDE, BLINK, POSES
from blendvoca.transfer.openings.passing import WEIGHTS
from blendvoca.transfer.parts import Part
from blendvoca.transfer.quality.crossing import deepest

Array = NDArray[np.float64]
Index = NDArray[np.integer]

#: Rays side by side and above each other through an eye.
_RAYS = 81


def eyeball_figures(rig: BlendshapeRig, landmarks: Index, parts: Sequence[Part]) -> dict[str, float | None]:
    """Return figures of the lids over eyeballs, in mm and mm² of an adult's face; empty without eyeballs or blinks.

    ``eyeball_seen_mm2`` is the largest area of an eyeball that rays from the front or from 40° to its side meet after a
    full blink, alone or with another shape (`lid_contact.POSES`); ``eyeball_through_mm2`` the largest that front rays
    meet in front of a lid, beyond what stands there at rest, in each shape of the eye at half and full weight;
    ``lid_crossing_mm`` the depth of the worst vertex of a lid that passed through the other in a blink.

    :param rig: the whole head's, in any unit.
    :param landmarks: (68,) vertices.
    :param parts: the components beside the skin.
    """
    seen, through, crossing = [], [], []
    for eye in find_eyes(rig.neutral, landmarks, parts):
        rest = _areas(eye, np.zeros_like(rig.neutral.vertices))[1]
        for pose, move in _poses(eye, rig):
            shut = pose[0] == BLINK
            views = {weight: _areas(eye, move, weight) for weight in WEIGHTS}
            through += [view[1] - rest for weight, view in views.items() if not (shut and weight == 1.0)]
            if shut:
                seen += [sum(views[1.0]), *(sum(_areas(eye, move, aside=aside)) for aside in ASIDE if aside)]
            if pose == (BLINK,):
                crossing.append(ADULT_MM * deepest(eye.lids, move[eye.kept] / eye.unit))
    if not seen:
        return {}
    return {
        "eyeball_seen_mm2": max(seen),
        "eyeball_through_mm2": max(0.0, *through),
        "lid_crossing_mm": max(crossing),
    }


def _poses(eye: Eye, rig: BlendshapeRig) -> Iterator[tuple[tuple[str, ...], Array]]:
    """Poses of one eye that the rig has shapes for, and their displacements (V, 3)."""
    for pose in POSES:
        names = [name + eye.side for name in pose]
        if set(names) <= set(rig.names):
            yield pose, np.sum([rig.delta(name) for name in names], axis=0)


def _areas(eye: Eye, move: Array, weight: float = 1.0, aside: float = 0.0) -> tuple[float, float]:
    """Area of the eyeball between the lids and in front of one."""
    view = eye.view(move, _RAYS, _RAYS, weight, aside)
    area = view.pixel * ADULT_MM**2
    return float(view.gap.sum() * area), float(view.through.sum() * area)

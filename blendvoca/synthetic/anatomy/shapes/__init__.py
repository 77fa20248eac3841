"""The 51 ARKit blendshapes as analytic displacement fields on the canonical head. Lengths are millimetres."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import ARKIT_NAMES, mirror_name
from blendvoca.errors import ConfigurationError, nearest
from blendvoca.synthetic.anatomy.shapes import eyes, jaw, lips, mouth, upper_face
from blendvoca.synthetic.anatomy.sites import Sites

Array = NDArray[np.float64]

#: ARKit's names without tongueOut: the head has no tongue.
SHAPE_NAMES: tuple[str, ...] = tuple(name for name in ARKIT_NAMES if name != "tongueOut")

#: Fields of the shapes on the midline and of the left; the right ones are mirrored.
_FIELDS: dict[str, Callable[[Sites], Array]] = {
    "jawForward": jaw.jaw_forward,
    "jawLeft": jaw.jaw_left,
    "jawOpen": jaw.jaw_open,
    "mouthClose": jaw.mouth_close,
    "mouthFunnel": mouth.funnel,
    "mouthPucker": mouth.pucker,
    "mouthLeft": mouth.mouth_left,
    "mouthSmileLeft": mouth.smile,
    "mouthFrownLeft": mouth.frown,
    "mouthDimpleLeft": mouth.dimple,
    "mouthStretchLeft": mouth.stretch,
    "mouthRollLower": lips.roll_lower,
    "mouthRollUpper": lips.roll_upper,
    "mouthShrugLower": lips.shrug_lower,
    "mouthShrugUpper": lips.shrug_upper,
    "mouthPressLeft": mouth.press,
    "mouthLowerDownLeft": lips.lower_down,
    "mouthUpperUpLeft": lips.upper_up,
    "browDownLeft": upper_face.brow_down,
    "browInnerUp": upper_face.brow_inner_up,
    "browOuterUpLeft": upper_face.brow_outer_up,
    "cheekPuff": upper_face.cheek_puff,
    "cheekSquintLeft": upper_face.cheek_squint,
    "noseSneerLeft": upper_face.nose_sneer,
    "eyeBlinkLeft": eyes.blink,
    "eyeSquintLeft": eyes.squint,
    "eyeWideLeft": eyes.wide,
    "eyeLookUpLeft": eyes.look_up,
    "eyeLookDownLeft": eyes.look_down,
    "eyeLookInLeft": eyes.look_in,
    "eyeLookOutLeft": eyes.look_out,
}


def displacement(name: str, sites: Sites) -> Array:
    """Return the displacement (N, 3) in millimetres of a shape at full strength.

    :raises ConfigurationError: for a name that is none of the 51.
    """
    if name in _FIELDS:
        return _FIELDS[name](sites)
    partner = mirror_name(name)
    if partner not in _FIELDS:
        raise ConfigurationError(f"no such shape: {name!r}{nearest(name, SHAPE_NAMES)}", expected="one of the 51")
    return _FIELDS[partner](sites.mirrored()) * np.array([-1.0, 1.0, 1.0])

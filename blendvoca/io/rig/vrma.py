"""VRM Animation (``.vrma``): expressions, gaze and head of any VRM avatar over time.

glTF with the extension ``VRMC_vrm_animation`` 1.0: every expression is a node whose x is its weight, the gaze a node
that turns. The bones that the extension asks for stand in the T-pose and rest, but for the head.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import TrackError
from blendvoca.io.atomic import write_bytes
from blendvoca.io.gltf.animation import CLIP
from blendvoca.io.gltf.container import open_gltf
from blendvoca.io.gltf.write import GrowingBuffer, frame_times, packed
from blendvoca.track import CoefficientTrack

EXTENSION = "VRMC_vrm_animation"
SUFFIX = ".vrma"
#: Expressions that every VRM 1.0 avatar may have; gaze is animated as a direction, never as one of the four looks.
PRESETS = (
    "happy", "angry", "sad", "relaxed", "surprised", "aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "blinkRight",
    "neutral",
)  # fmt: skip
LOOKS = ("lookUp", "lookDown", "lookLeft", "lookRight")
#: Bones that VRM 1.0 requires, with the neck: parent, and place beside it in metres. The face looks along +z.
_BONES: dict[str, tuple[str, tuple[float, float, float]]] = {
    "hips": ("", (0.0, 0.9, 0.0)),
    "spine": ("hips", (0.0, 0.12, 0.0)),
    "neck": ("spine", (0.0, 0.38, 0.0)),
    "head": ("neck", (0.0, 0.09, 0.0)),
    **{f"{side}UpperLeg": ("hips", (sign * 0.09, -0.04, 0.0)) for side, sign in (("left", 1), ("right", -1))},
    **{f"{side}LowerLeg": (f"{side}UpperLeg", (0.0, -0.41, 0.0)) for side in ("left", "right")},
    **{f"{side}Foot": (f"{side}LowerLeg", (0.0, -0.38, 0.0)) for side in ("left", "right")},
    **{f"{side}UpperArm": ("spine", (sign * 0.14, 0.32, 0.0)) for side, sign in (("left", 1), ("right", -1))},
    **{f"{side}LowerArm": (f"{side}UpperArm", (sign * 0.26, 0.0, 0.0)) for side, sign in (("left", 1), ("right", -1))},
    **{f"{side}Hand": (f"{side}LowerArm", (sign * 0.24, 0.0, 0.0)) for side, sign in (("left", 1), ("right", -1))},
}
#: Metres from the head bone to between the eyes.
_EYES = (0.0, 0.06, 0.0)
Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class VrmMotion:
    """What an avatar does.

    :param expressions: weights (T, K): names of :data:`PRESETS` are presets, all others custom expressions.
    :param gaze: (T, 2) radians to the avatar's left and down; None leaves the eyes alone.
    :param head: (T, 3) radians: to the avatar's left, down, and towards its right shoulder; None leaves it alone.
    """

    expressions: CoefficientTrack
    gaze: Array | None = None
    head: Array | None = None

    def __post_init__(self) -> None:
        looks = [name for name in self.expressions.names if name in LOOKS]
        if looks:
            raise TrackError("VRM animations hold no looks as expressions", found=looks, remedy="Give them as gaze.")
        for name, table, width in (("gaze", self.gaze, 2), ("head", self.head, 3)):
            if table is not None and table.shape != (len(self.expressions), width):
                raise TrackError(f"{name} has another length", expected=(len(self.expressions), width),
                                 found=table.shape)  # fmt: skip


def write_vrma(path: str | PathLike[str], motion: VrmMotion) -> None:
    """Write a VRM animation, one key a frame; values are float32.

    :param path: of the file.
    :param motion: of expressions, gaze and head.
    """
    buffer, nodes = GrowingBuffer(), _skeleton()
    bones = {name: {"node": place} for place, name in enumerate(_BONES)}
    extension: dict[str, Any] = {"specVersion": "1.0", "humanoid": {"humanBones": bones}}
    roots = [0]
    channels: list[tuple[int, str, NDArray[np.float32]]] = []
    groups: dict[str, dict[str, Any]] = {}
    track = motion.expressions
    for name, weights in zip(track.names, track.values.T):
        groups.setdefault("preset" if name in PRESETS else "custom", {})[name] = {"node": len(nodes)}
        roots.append(len(nodes))
        x = np.zeros((len(track), 3), np.float32)
        x[:, 0] = weights
        channels.append((len(nodes), "translation", x))
        nodes.append({"name": name, "translation": [0.0, 0.0, 0.0]})
    extension["expressions"] = groups
    if motion.gaze is not None:
        extension["lookAt"] = {"node": len(nodes), "offsetFromHeadBone": list(_EYES)}
        roots.append(len(nodes))
        channels.append((len(nodes), "rotation", quaternions(*motion.gaze.T)))
        nodes.append({"name": "lookAt", "rotation": [0.0, 0.0, 0.0, 1.0]})
    if motion.head is not None:
        channels.append((bones["head"]["node"], "rotation", quaternions(*motion.head.T)))
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "blendvoca"},
        "scene": 0, "scenes": [{"nodes": roots}], "nodes": nodes,
        "extensionsUsed": [EXTENSION], "extensions": {EXTENSION: extension},
        "animations": [buffer.keyed(frame_times(len(track), track.fps), channels, track.fps, CLIP)],
    }  # fmt: skip
    write_bytes(path, packed(document, buffer))


def _skeleton() -> list[dict[str, Any]]:
    """Return the bones as nodes, in the order of the table."""
    order = list(_BONES)
    nodes: list[dict[str, Any]] = [{"name": name, "translation": list(place)} for name, (_, place) in _BONES.items()]
    for place, (parent, _) in enumerate(_BONES.values()):
        if parent:
            nodes[order.index(parent)].setdefault("children", []).append(place)
    return nodes


def quaternions(yaw: Array, pitch: Array, roll: Array | None = None) -> NDArray[np.float32]:
    """Return rotations (T, 4), x y z w, of angles (T,) in radians about +y, +x and +z: first z, then x, then y.

    :param yaw: to the left of a face that looks along +z.
    :param pitch: down.
    :param roll: towards its right shoulder; none where None.
    """
    half = [0.5 * angle for angle in (yaw, pitch, np.zeros_like(yaw) if roll is None else roll)]
    (cy, cx, cz), (sy, sx, sz) = [np.cos(angle) for angle in half], [np.sin(angle) for angle in half]
    parts = (
        cy * sx * cz + sy * cx * sz,
        sy * cx * cz - cy * sx * sz,
        cy * cx * sz - sy * sx * cz,
        cy * cx * cz + sy * sx * sz,
    )
    return np.stack(parts, axis=1).astype(np.float32)


def expression_names(path: str | PathLike[str]) -> tuple[str, ...]:
    """Return the names of an avatar's expressions: VRM 1.0's presets and custom ones, or VRM 0.x's groups.

    :raises FormatError: for a file that is no glTF.
    """
    extensions = open_gltf(path).document.get("extensions", {})
    found: list[Any] = []
    if isinstance(extensions, dict):
        expressions = _dictionary(_dictionary(extensions.get("VRMC_vrm")).get("expressions"))
        for kind in ("preset", "custom"):
            found += list(_dictionary(expressions.get(kind)))
        groups = _dictionary(_dictionary(extensions.get("VRM")).get("blendShapeMaster")).get("blendShapeGroups")
        for group in groups if isinstance(groups, Sequence) and not isinstance(groups, str) else ():
            found.append(_dictionary(group).get("name"))
    return tuple(dict.fromkeys(name for name in found if isinstance(name, str) and name))


def _dictionary(entry: Any) -> dict[str, Any]:
    return entry if isinstance(entry, dict) else {}

"""The Virtual Motion Capture protocol: blendshapes and the head as OSC 1.0 bundles.

``/VMC/Ext/Blend/Val`` (name, weight) for every shape, ``/VMC/Ext/Blend/Apply``, ``/VMC/Ext/OK``, ``/VMC/Ext/T``.
"""

from __future__ import annotations

import struct

import numpy as np

from blendvoca.export.recipes import load_recipe, to_recipe
from blendvoca.io.rig.vrma import quaternions
from blendvoca.track import CoefficientTrack
from said_model.live.frame import Frame

#: VRM 1.0's presets under the names of VRM 0.x, which the protocol uses.
VRM_NAMES = {
    "aa": "A", "ih": "I", "ou": "U", "ee": "E", "oh": "O", "blinkLeft": "Blink_L", "blinkRight": "Blink_R",
    "lookUp": "LookUp", "lookDown": "LookDown", "lookLeft": "LookLeft", "lookRight": "LookRight",
    "happy": "Joy", "angry": "Angry", "sad": "Sorrow", "surprised": "Surprised",
}  # fmt: skip
#: Bytes of a datagram that no network cuts.
_MOST_BYTES = 1200
_NOW = struct.pack(">Q", 1)


def bundles(frame: Frame, names: str = "arkit") -> list[bytes]:
    """Return a frame as datagrams; the last one applies the shapes of all.

    :param frame: of the stream.
    :param names: ``arkit`` (avatars with "perfect sync"), or ``vrm`` for visemes, lids and gaze of any VRM avatar.
    """
    values = frame.values if names == "arkit" else _presets(frame)
    messages = [message("/VMC/Ext/Blend/Val", name, value) for name, value in values.items()]
    messages.append(message("/VMC/Ext/Blend/Apply"))
    if frame.head is not None:
        x, y, z, w = quaternions(*np.array(frame.head)[:, None])[0].tolist()
        # Unity's axes are left-handed: x points the other way.
        messages.append(message("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, x, -y, -z, w))
    messages += [message("/VMC/Ext/OK", 1), message("/VMC/Ext/T", frame.time)]
    found, size = [b"#bundle\0" + _NOW], 0
    for entry in messages:
        if size + len(entry) > _MOST_BYTES:
            found, size = [*found, b"#bundle\0" + _NOW], 0
        found[-1] += struct.pack(">i", len(entry)) + entry
        size += len(entry) + 4
    return found


def message(address: str, *arguments: str | float | int) -> bytes:
    """Return an OSC message."""
    tags, data = ",", b""
    for argument in arguments:
        if isinstance(argument, str):
            tags, data = tags + "s", data + _text(argument)
        elif isinstance(argument, int):
            tags, data = tags + "i", data + struct.pack(">i", argument)
        else:
            tags, data = tags + "f", data + struct.pack(">f", argument)
    return _text(address) + _text(tags) + data


def _text(text: str) -> bytes:
    """Return a string with its zero, filled up to a multiple of four bytes."""
    encoded = text.encode() + b"\0"
    return encoded + b"\0" * (-len(encoded) % 4)


def _presets(frame: Frame) -> dict[str, float]:
    track = CoefficientTrack(np.array([list(frame.values.values())]), tuple(frame.values), 60)
    weights = to_recipe(track, load_recipe("vrm"))
    return {VRM_NAMES[name]: float(value) for name, value in zip(weights.names, weights.values[0])}

"""Live Link Face's UDP packets, version 6, as Unreal's Apple ARKit Face Support plugin takes them.

Big-endian: version (1 byte); device and subject, each a length (4 bytes) and UTF-8; frame number (int32), sub-frame
(float32), frames per second as numerator and denominator (int32 each); number of values (1 byte); values (float32).
"""

from __future__ import annotations

import struct
from fractions import Fraction

from blendvoca.arkit import ARKIT_NAMES
from said_model.live.frame import Frame

VERSION = 6
#: Shapes in the plugin's order: for jaw and mouth, left stands before right, other than in the app's capture files.
PACKET_NAMES: tuple[str, ...] = tuple(
    {"jawRight": "jawLeft", "jawLeft": "jawRight", "mouthRight": "mouthLeft", "mouthLeft": "mouthRight"}.get(name, name)
    for name in ARKIT_NAMES
)
#: Yaw, pitch and roll of the head, then of both eyes.
_ANGLES = 9


def packet(frame: Frame, fps: float, subject: str, device: str) -> bytes:
    """Return a frame as a packet.

    :param frame: shapes that it lacks are zero.
    :param fps: frames per second.
    :param subject: what Unreal lists.
    :param device: 36 characters that tell senders apart.
    """
    rate = Fraction(fps).limit_denominator(1001)
    names = b"".join(struct.pack(">i", len(text)) + text for text in (device.encode(), subject.encode()))
    when = struct.pack(">ifii", frame.number, 0.0, rate.numerator, rate.denominator)
    values = [frame.values.get(name, 0.0) for name in PACKET_NAMES]
    values += [*(frame.head or (0.0, 0.0, 0.0)), *[0.0] * (_ANGLES - 3)]
    return struct.pack(">B", VERSION) + names + when + struct.pack(f">B{len(values)}f", len(values), *values)

"""Groups of landmarks in the wrong order: exchanged sides, reversed or shifted rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from blendvoca.ibug68 import GROUPS, MIRROR, NAMES, RINGS
from landmarks.alignment import FaceFrame
from landmarks.prototype import PROTOTYPE

Array = NDArray[np.float64]
#: Left and right groups that are exchanged as wholes.
_PAIRS = (("eye_right", "eye_left"), ("brow_right", "brow_left"))
#: Millimetres per point that another order must gain to be believed, and the share that must be left.
_GAIN, _SHARE = 3.0, 0.5


def misordered(frame: FaceFrame) -> list[tuple[str, tuple[str, ...]]]:
    """Return for every group in the wrong order a message and its points."""
    found: list[tuple[str, tuple[str, ...]]] = []
    swapped: set[str] = set()
    plain = 1000.0 * PROTOTYPE
    for right, left in _PAIRS:
        both = np.array([*GROUPS[right], *GROUPS[left]])
        half = len(both) // 2
        # Exchanged as blocks, each running from right to left, or each as a mirror image of the other.
        for order in (np.r_[both[half:], both[:half]], _mirror_block(right, left)):
            if _better(_rms(frame.points[order], plain[both]), _rms(frame.points[both], plain[both])):
                found.append((f"{right} and {left} are exchanged", tuple(NAMES[point] for point in both)))
                swapped |= {right, left}
                break
    for name, members in GROUPS.items():
        if name in swapped:
            continue
        points, target = frame.points[list(members)], plain[list(members)]
        best = min(_orders(name), key=lambda entry: _shape_rms(points[entry[1]], target))
        if _better(_shape_rms(points[best[1]], target), _shape_rms(points, target)):
            found.append((f"the points of {name} run in another order ({best[0]})", tuple(NAMES[k] for k in members)))
    return found


def _mirror_block(right: str, left: str) -> NDArray[np.int64]:
    return MIRROR[[*GROUPS[right], *GROUPS[left]]]


def _orders(name: str) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield the ways in which a group is usually got wrong."""
    count = len(GROUPS[name])
    forward = np.arange(count)
    for shift in range(1, count) if name in RINGS else ():
        yield f"shifted by {shift}", np.roll(forward, -shift)
    yield "reversed", forward[::-1]
    for shift in range(1, count) if name in RINGS else ():
        yield "reversed and shifted", np.roll(forward[::-1], -shift)


def _rms(points: Array, target: Array) -> float:
    return float(np.sqrt(((points - target) ** 2).sum(axis=1).mean()))


def _shape_rms(points: Array, target: Array) -> float:
    """Distance of two rows of points after their centres and sizes are brought together."""
    points, target = points - points.mean(axis=0), target - target.mean(axis=0)
    size = np.sqrt((target**2).sum() / max(float((points**2).sum()), 1e-12))
    return _rms(points * size, target)


def _better(other: float, own: float) -> bool:
    return own - other > _GAIN and other < _SHARE * own

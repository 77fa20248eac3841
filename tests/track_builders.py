"""Motion of known curves, and the texts that apps and scripts write of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import ARKIT_NAMES

Array = NDArray[np.float64]
POSES = ("HeadYaw", "HeadPitch", "HeadRoll")


def motion(frames: int, shapes: int, fps: float = 60.0) -> Array:
    """Smooth curves inside [0, 1], another one for every shape, with six decimals."""
    time = np.arange(frames)[:, None] / fps
    phase = np.arange(shapes)[None] * 1.7
    return (0.5 + 0.45 * np.sin(2 * np.pi * 0.4 * time + phase)).round(6)


def capital(name: str) -> str:
    return name[0].upper() + name[1:]


def table(
    names: Sequence[str], values: Array, beside: dict[str, Sequence[object]] | None = None, separator: str = ",",
    cell: Callable[[float], str] = repr, quote: bool = False, end: str = "",
) -> bytes:  # fmt: skip
    """A table with columns ``beside`` before the shapes."""
    beside = beside or {}
    mark = '"' if quote else ""
    lines = [separator.join(f"{mark}{name}{mark}" for name in (*beside, *names)) + end]
    for row, numbers in enumerate(values.tolist()):
        firsts = [f"{mark}{column[row]}{mark}" for column in beside.values()]
        lines.append(separator.join([*firsts, *map(cell, numbers)]) + end)
    return ("\n".join(lines) + "\n").encode()


def codes(count: int, base: int, first: int = 0, form: str = "{h:02d}:{m:02d}:{s:02d}:{f:02d}.512") -> list[str]:
    """Time codes of frames on end, counted in ``base`` a second from 09:41:12 on."""
    made = []
    for number in range(first, first + count):
        second, frame = divmod(number, base)
        second += 9 * 3600 + 41 * 60 + 12
        made.append(form.format(h=second // 3600 % 24, m=second // 60 % 60, s=second % 60, f=frame))
    return made


def capture(values: Array, timecodes: Sequence[str], others: dict[str, Sequence[object]] | None = None) -> bytes:
    """A Live Link capture; ``others`` stand after the shapes."""
    header = ["Timecode", "BlendShapeCount", *map(capital, ARKIT_NAMES), *POSES, *(others or {})]
    lines = [",".join(header)]
    for row, code in enumerate(timecodes):
        extra = [str(column[row]) for column in (others or {}).values()]
        lines.append(",".join([code, "61", *map(repr, values[row].tolist()), "0.1", "-0.2", "0.3", *extra]))
    return ("\n".join(lines) + "\n").encode()


def categories(values: Array, names: Sequence[str], stamps: Sequence[int]) -> bytes:
    """What MediaPipe's face landmarker gives, frame by frame."""
    frames = []
    for stamp, row in zip(stamps, values.tolist()):
        scores = [("_neutral", 0.0), *zip(names, row)]
        entries = [{"index": i, "score": score, "categoryName": name} for i, (name, score) in enumerate(scores)]
        frames.append({"timestampMs": stamp, "faceBlendshapes": [{"categories": entries}]})
    return json.dumps(frames).encode()

"""What stands in a file of a track before anything is decided: names, numbers, and the clock beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

#: What a clock counts: ``codes`` are texts such as 09:41:12:21.512, ``frames`` numbers of frames, the others time.
ClockKind = Literal["codes", "seconds", "milliseconds", "microseconds", "nanoseconds", "time", "frames"]


@dataclass(frozen=True, eq=False)
class Clock:
    """Where the rows stand in time.

    :param kind: what is counted; ``time`` is time in a unit that nobody stated.
    :param codes: (T,) texts, for ``codes``.
    :param numbers: (T,) numbers, for everything else.
    :param name: what the file calls it.
    """

    kind: ClockKind
    codes: Sequence[str] = ()
    numbers: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    name: str = "time"


@dataclass(frozen=True, eq=False)
class Samples:
    """Rows as a file holds them, spelt and counted its own way.

    :param names: the N names of the columns.
    :param values: (T, N) numbers; what is missing is not a number.
    :param clock: where the rows stand in time, if the file says.
    :param fps: frames per second, if the file states them.
    :param left_out: columns that hold no shape and are not among the names.
    :param remarks: what was taken for granted.
    :param own_spelling: the format spells names its own way, so that ARKit's spelling is no change worth a note.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    clock: Clock | None = None
    fps: float | None = None
    left_out: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    own_spelling: bool = False


@dataclass(frozen=True)
class TrackOptions:
    """How a track is read.

    :param fps: frames per second, whatever the file says.
    :param default_fps: frames per second where nothing states them; 60 by default.
    :param names: names of the columns, in order, for files that hold none.
    :param fill: interpolate across gaps of any length.
    :param keep_others: keep columns whose names are none of ARKit's.
    """

    fps: float | None = None
    default_fps: float = 60.0
    names: tuple[str, ...] | None = None
    fill: bool = False
    keep_others: bool = False

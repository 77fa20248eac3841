"""One frame on its way out, and what takes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Report = Callable[[str], None]


@dataclass(frozen=True)
class Frame:
    """Coefficients at one moment of the sound.

    :param number: of the frame, from 0.
    :param time: seconds of sound before it.
    :param values: coefficient in [0, 1] by ARKit name.
    :param head: radians: to the face's left, down, and towards its right shoulder; none where the head stays still.
    """

    number: int
    time: float
    values: dict[str, float]
    head: tuple[float, float, float] | None = None


class Output(Protocol):
    """Takes frames."""

    def send(self, frame: Frame) -> None:
        """Hand a frame over; never waits, never fails."""

    def close(self) -> None:
        """Let go of what is open."""

"""How clips are cut: windows denoised together, sections denoised one after the other. Numbers only, no tensors."""

from __future__ import annotations

from dataclasses import dataclass

from said_model.ranges import require


@dataclass(frozen=True)
class WindowConfig:
    """How a long clip is cut.

    :param frames: frames of a window; a clip that is not longer is one window.
    :param overlap: least frames that neighbouring windows share.
    :param at_once: windows in one batch.
    :param section: frames that are denoised together; a longer clip is a chain of sections, each of which goes on from
        the end of the last, so that memory stays bounded.
    """

    frames: int = 300
    overlap: int = 90
    at_once: int = 4
    section: int = 18_000

    def __post_init__(self) -> None:
        require(self.frames >= 2, "windows are too short", "at least 2 frames", self.frames)
        require(0 < 2 * self.overlap <= self.frames, "wrong overlap", f"1 to {self.frames // 2} frames", self.overlap)
        require(self.at_once >= 1, "no window at once", "at least 1", self.at_once)
        require(self.section >= self.frames, "sections are shorter than windows", self.frames, self.section)


def window_starts(n_frames: int, windows: WindowConfig) -> list[int]:
    """Return the first frame of every window: evenly spread, the first at 0, the last one ending with the clip."""
    if n_frames <= windows.frames:
        return [0]
    last = n_frames - windows.frames
    gaps = -(-last // (windows.frames - windows.overlap))
    return [round(last * number / gaps) for number in range(gaps + 1)]


def batches(count: int, at_once: int) -> list[range]:
    """Cut ``count`` windows into batches of equal size (but the last) of at most ``at_once``."""
    number = -(-count // at_once)
    share = -(-count // number)
    return [range(start, min(start + share, count)) for start in range(0, count, share)]


@dataclass(frozen=True)
class Section:
    """A part of a clip that is denoised on its own, between frames ``start`` and ``stop``.

    :param given: frames at its beginning that are known already.
    :param emitted: frames after those that are kept of the result; what follows is look-ahead.
    """

    start: int
    stop: int
    given: int
    emitted: int


@dataclass(frozen=True)
class Chain:
    """How a clip of any length is cut into sections, each of which begins with the end of the last.

    :param past: frames of the last section that a section begins with, unchanged.
    :param hop: new frames of a section.
    :param lookahead: frames after those that are denoised with them and thrown away, so that a frame knows its future.
    """

    past: int
    hop: int
    lookahead: int

    def __post_init__(self) -> None:
        require(self.past >= 0 and self.lookahead >= 0, "negative frames", "0 or more", (self.past, self.lookahead))
        require(self.hop >= 1, "a section needs new frames", "at least 1", self.hop)

    def section(self, number: int, n_frames: int | None = None) -> Section:
        """Return a section; ``n_frames`` is the length of the clip where it is known."""
        first = number * self.hop
        start = max(first - self.past, 0)
        stop, emitted = first + self.hop + self.lookahead, self.hop
        if n_frames is not None:
            stop, emitted = min(stop, n_frames), min(emitted, n_frames - first)
        return Section(start, stop, first - start, emitted)

    def sections(self, n_frames: int) -> list[Section]:
        """Return all sections of a clip."""
        return [self.section(number, n_frames) for number in range(-(-n_frames // self.hop))]

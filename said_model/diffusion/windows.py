"""Long clips: overlapping windows whose predictions are blended at every denoising step.

The denoiser looks at a window at a time, as long as what it was trained on. Neighbouring windows share frames and,
since all of them read and write the same noisy clip, agree on them before the noise is gone; there is no seam to mend
afterwards. Cost and memory grow linearly with the length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from said_model.config import require
from said_model.diffusion.guidance import Denoise


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


def window_weights(starts: Sequence[int], frames: int, n_frames: int) -> Tensor:
    """Return the share (W, frames) that each window has in each of its frames; the shares of a frame add up to one.

    A share falls smoothly towards the window's ends, where the denoiser sees least of what surrounds a frame.
    """
    place = (torch.arange(frames, dtype=torch.float64) + 0.5) / frames
    bump = torch.sin(torch.pi * place).square()
    total = torch.zeros(n_frames, dtype=torch.float64)
    for start in starts:
        total[start : start + frames] += bump
    return torch.stack([bump / total[start : start + frames] for start in starts]).float()


def blended(windows: Sequence[Denoise], starts: Sequence[int], frames: int, n_frames: int) -> Denoise:
    """Return the denoiser of a long clip.

    :param windows: denoisers of batches of neighbouring windows, in order; each takes (B * w, frames, K) with the
        windows of one sample side by side, and together they take all windows.
    :param starts: first frame of every window.
    """
    if len(starts) == 1:
        return windows[0]
    weights = window_weights(starts, frames, n_frames)
    share = -(-len(starts) // len(windows))

    def denoise(x: Tensor, timestep: float) -> Tensor:
        total = torch.zeros_like(x)
        for number, window in enumerate(windows):
            chosen = range(number * share, min((number + 1) * share, len(starts)))
            cut = torch.stack([x[:, starts[i] : starts[i] + frames] for i in chosen], dim=1)
            predicted = window(cut.flatten(0, 1), timestep).unflatten(0, (len(x), len(chosen)))
            for place, i in enumerate(chosen):
                weight = weights[i].to(x)[:, None]
                total[:, starts[i] : starts[i] + frames] += weight * predicted[:, place]
        return total

    return denoise


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


@dataclass(frozen=True, eq=False)
class Past:
    """What a section goes on from.

    :param known: (B, R, K) frames before its new ones; they stay.
    :param ahead: (B, L, K) what the last section held to come next: its look-ahead.
    """

    known: Tensor
    ahead: Tensor

    @classmethod
    def of(cls, result: Tensor, section: Section) -> Past:
        """Take it from what was drawn for a section (B, stop - start, K)."""
        end = section.given + section.emitted
        return cls(result[:, :end], result[:, end:])


def fade_out(frames: int) -> Tensor:
    """Return weights (frames,) that fall from one to zero, both excluded, without a corner."""
    place = torch.arange(1, frames + 1, dtype=torch.float64) / (frames + 1)
    return torch.cos(torch.pi / 2 * place).square().float()


def run_chain(sections: Iterable[Section], draw: Callable[[int, Section, Past | None], Tensor]) -> Iterator[Tensor]:
    """Run sections one after the other and yield the new frames (B, emitted, K) of each.

    :param draw: (number, section, what it goes on from or ``None``) to the section's frames (B, stop - start, K).
    """
    past: Past | None = None
    for number, section in enumerate(sections):
        result = draw(number, section, past)
        yield result[:, section.given : section.given + section.emitted]
        past = Past.of(result, section)

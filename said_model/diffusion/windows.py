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

from said_model.diffusion.guidance import Denoise
from said_model.diffusion.sections import Section


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

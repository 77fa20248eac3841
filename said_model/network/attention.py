"""Attention of the denoiser: the alignment window, and attention that looks at nothing outside it.

The window of frame i over M audio features and N frames is, with r = M / N, centre c = (i + 1/2) r and half width
h = r / 2 + bandwidth, the features from max(round(c - h), 0) up to min(round(c + h), M), end excluded, ties to even.
For M = N that is |i - j| <= bandwidth (paper Eq. 4). Where rounding leaves nothing (bandwidth 0, fewer features than
frames), it is the feature at the centre. Only the W features of each window are ever gathered: no N x M
array exists.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Band:
    """The alignment windows of all frames.

    :param index: (N, W) audio feature of each place of each window, clamped into range.
    :param inside: (N, W) whether the place belongs to the window.
    :param shift: the bandwidth where feature j stands at frame j (M = N), else ``None``.
    """

    index: Tensor
    inside: Tensor
    shift: int | None

    @property
    def width(self) -> int:
        """Places of the widest window, W."""
        return self.index.shape[1]

    def to(self, device: torch.device | str) -> Band:
        """Return the band on another device."""
        return Band(self.index.to(device), self.inside.to(device), self.shift)


def alignment_band(n_frames: int, n_features: int, bandwidth: int) -> Band:
    """Return the windows of ``n_frames`` frames over ``n_features`` audio features."""
    ratio = n_features / n_frames
    centre = (np.arange(n_frames) + 0.5) * ratio
    half = ratio / 2 + bandwidth
    low = np.maximum(np.rint(centre - half), 0).astype(np.int64)
    high = np.minimum(np.rint(centre + half), n_features).astype(np.int64)
    low = np.where(high > low, low, centre.astype(np.int64))
    high = np.maximum(high, low + 1)
    if n_frames == n_features:
        places = np.arange(n_frames)[:, None] + np.arange(-bandwidth, bandwidth + 1)
    else:
        places = low[:, None] + np.arange(int((high - low).max()))
    inside = (places >= low[:, None]) & (places < high[:, None])
    index = torch.from_numpy(places.clip(0, n_features - 1))
    return Band(index, torch.from_numpy(inside), bandwidth if n_frames == n_features else None)


def gather_band(features: Tensor, band: Band) -> Tensor:
    """Collect the features (B, M, C) of every window: (B, N, W, C); places outside hold anything finite."""
    if band.shift is None:
        return features[:, band.index]
    # A padded sliding view has a cheap backward pass; indexing would scatter one row at a time.
    padded = F.pad(features, (0, 0, band.shift, band.shift))
    return padded.unfold(1, band.width, 1).transpose(2, 3)


def banded_attention(query: Tensor, keys: Tensor, values: Tensor, band: Band, heads: int) -> Tensor:
    """Attend to the window of each frame.

    :param query: (B, N, C), already divided by the square root of the head width.
    :param keys: (B, N, W, C) from :func:`gather_band`.
    :param values: (B, N, W, C).
    :return: (B, N, C).
    """
    batch, frames, width = query.shape
    split = (batch, frames, band.width, heads, width // heads)
    scores = (query.reshape(batch, frames, 1, heads, -1) * keys.reshape(split)).sum(-1)
    scores = scores.masked_fill(~band.inside[:, :, None], float("-inf"))
    weights = torch.softmax(scores, dim=2).unsqueeze(-1)
    return (weights * values.reshape(split)).sum(2).reshape(batch, frames, width)


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, N, C) to (B, heads, N, C / heads)."""
    return x.unflatten(-1, (heads, -1)).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, heads, N, D) to (B, N, heads * D)."""
    return x.transpose(1, 2).flatten(2)

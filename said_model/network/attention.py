"""Attention of the denoiser: the alignment window, and attention that looks at nothing outside it.

The window of frame i over M audio features and N frames is, with r = M / N, centre c = (i + 1/2) r and half width
h = r / 2 + bandwidth, the features from max(round(c - h), 0) up to min(round(c + h), M), end excluded, ties to even.
For M = N that is |i - j| <= bandwidth (paper Eq. 4). Where rounding leaves nothing (bandwidth 0, fewer features than
frames), it is the feature at the centre. Sampling gathers the W features of each window once, and holds no N x M
array. Training's windows are short, and few operators are what counts there: dense bands mask what is outside.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Band:
    """The alignment windows of all frames.

    :param index: (N, W) audio feature of each place of each window, clamped into range.
    :param inside: (N, W) whether the place belongs to the window.
    :param shift: the bandwidth where feature j stands at frame j (M = N), else ``None``.
    :param mask: (N, M) 0 within the windows, -inf outside, where features are not gathered; else ``None``.
    """

    index: Tensor
    inside: Tensor
    shift: int | None
    mask: Tensor | None = None

    def dense(self, n_features: int) -> Band:
        """Return the band with its mask over ``n_features`` M."""
        mask = torch.full((len(self.index), n_features), float("-inf"), device=self.index.device)
        # Places outside a window are clamped to others' features: they must not open them.
        opened = torch.where(self.inside, 0.0, float("-inf"))
        return replace(self, mask=mask.scatter_reduce(1, self.index, opened, "amax"))


def alignment_band(n_frames: int, n_features: int, bandwidth: int, device: torch.device | str | None = None) -> Band:
    """Return the windows of ``n_frames`` frames over ``n_features`` audio features.

    Everything is computed on ``device`` from whole numbers: no value is brought back, so it can be traced and captured.
    """
    ratio = n_features / n_frames
    half = ratio / 2 + bandwidth
    frames = torch.arange(n_frames, device=device)
    centre = (frames.double() + 0.5) * ratio
    low = (centre - half).round().long().clamp(min=0)
    high = (centre + half).round().long().clamp(max=n_features)
    low = torch.where(high > low, low, centre.long())
    high = torch.maximum(high, low + 1)
    if n_frames == n_features:
        places = frames[:, None] + torch.arange(-bandwidth, bandwidth + 1, device=device)
    else:
        # Two rounded ends lie at most the whole part of their distance and one more apart.
        places = low[:, None] + torch.arange(min(int(2 * half) + 1, n_features), device=device)
    inside = (places >= low[:, None]) & (places < high[:, None])
    return Band(places.clamp(0, n_features - 1), inside, bandwidth if n_frames == n_features else None)


def gather_band(features: Tensor, band: Band) -> Tensor:
    """Collect the features (B, M, C) of every window: (B, N, W, C); places outside hold anything finite."""
    if band.shift is None:
        return features[:, band.index]
    # A padded sliding view has a cheap backward pass; indexing would scatter one row at a time.
    padded = F.pad(features, (0, 0, band.shift, band.shift))
    return padded.unfold(1, 2 * band.shift + 1, 1).transpose(2, 3)


def banded_attention(query: Tensor, keys: Tensor, values: Tensor, band: Band, heads: int) -> Tensor:
    """Attend to the window of each frame.

    :param query: (B, N, C).
    :param keys: (B, N, W, C) from :func:`gather_band`.
    :param values: (B, N, W, C).
    :return: (B, N, C).
    """
    query = query.unflatten(-1, (heads, -1)) * (query.shape[-1] // heads) ** -0.5
    scores = (query.unsqueeze(2) * keys.unflatten(-1, (heads, -1))).sum(-1)
    scores = scores.masked_fill(~band.inside[:, :, None], float("-inf"))
    weights = torch.softmax(scores, dim=2).unsqueeze(-1)
    return (weights * values.unflatten(-1, (heads, -1))).sum(2).flatten(2)


def full_attention(query: Tensor, keys: Tensor, values: Tensor, heads: int) -> Tensor:
    """Attend to everything: (B, N, C) queries over (B, M, C) keys and values to (B, N, C)."""
    return masked_attention(query, keys, values, heads, None)


def masked_attention(query: Tensor, keys: Tensor, values: Tensor, heads: int, mask: Tensor | None) -> Tensor:
    """Attend with (B, N, C) queries over (B, M, C) keys and values to (B, N, C); ``mask`` (N, M) is added to scores."""
    q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (query, keys, values))
    return F.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).flatten(2)

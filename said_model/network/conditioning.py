"""Attention with learned projections, and what of the audio it needs at every denoising step, computed once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn

from said_model.network.attention import Band, banded_attention, full_attention, gather_band, masked_attention
from said_model.network.layers import Linear, together

#: A band for each bandwidth of the alignment; ``None`` attends to the whole clip.
Bands = tuple[Band | None, ...]


@dataclass(frozen=True, eq=False)
class LayerConditioning:
    """What one attention to the audio knows of it.

    :param keys_values: for each band keys and values, (B, N, W, C) gathered into windows, or (B, M, C) where there is
        no band or a dense one.
    :param unconditional: (C,) what the attention adds without audio; ``None`` where that is not asked for.
    """

    keys_values: tuple[tuple[Tensor, Tensor], ...]
    unconditional: Tensor | None


@dataclass(frozen=True, eq=False)
class AudioConditioning:
    """A batch of clips' audio as the denoiser needs it at every step.

    :param layers: for each transformer block.
    :param bands: the alignment's.
    """

    layers: tuple[LayerConditioning, ...]
    bands: Bands

    def without_unconditional(self) -> AudioConditioning:
        """Return what is needed where predictions without the audio are not asked for."""
        return AudioConditioning(tuple(replace(layer, unconditional=None) for layer in self.layers), self.bands)


class Attention(nn.Module):
    """Multi-head attention: over all frames, or over the alignment window of another sequence (paper Eq. 3)."""

    def __init__(self, width: int, context_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        #: What attends to everything; sampling puts another in its place.
        self.full_attention = full_attention
        self.to_q = Linear(width, width, bias=False)
        self.to_k = Linear(context_width, width, bias=False)
        self.to_v = Linear(context_width, width, bias=False)
        self.to_out = nn.Sequential(Linear(width, width), nn.Identity())

    def forward(self, x: Tensor, add: Tensor) -> Tensor:
        """Attend with (B, N, C) to itself; plus ``add``."""
        query, keys, values = together(x, (self.to_q, self.to_k, self.to_v))
        return self.to_out[0](self.full_attention(query, keys, values, self.heads), add)

    def condition(self, keys: Tensor, values: Tensor, bands: Bands, null: Tensor | None) -> LayerConditioning:
        """Compute what :meth:`attend` needs of a context, and of the (1, D) null condition.

        :param keys: (B, M, C) that :attr:`to_k` makes of the context.
        :param values: (B, M, C) of :attr:`to_v`.
        """
        gathered = [
            (keys, values)
            if band is None or band.mask is not None
            else (gather_band(keys, band), gather_band(values, band))
            for band in bands
        ]
        unconditional = None if null is None else self.to_out[0](self.to_v(null))[0]
        return LayerConditioning(tuple(gathered), unconditional)

    def attend(self, x: Tensor, context: LayerConditioning, bands: Bands, chosen: Tensor | None, add: Tensor) -> Tensor:
        """Attend with (B, N, C) to the context; plus ``add``.

        :param chosen: (B or 1,) which of the bands holds for each item; all are computed, so that nothing depends on
            the values of timesteps. ``None`` where there is one.
        """
        query = self.to_q(x)
        results = [self._attended(query, *parts, band) for band, parts in zip(bands, context.keys_values, strict=True)]
        result = results[0]
        for number, other in enumerate(results[1:], start=1):
            result = torch.where((cast(Tensor, chosen) >= number)[:, None, None], other, result)
        return self.to_out[0](result, add)

    def _attended(self, query: Tensor, keys: Tensor, values: Tensor, band: Band | None) -> Tensor:
        if band is None:
            return self.full_attention(query, keys, values, self.heads)
        if band.mask is not None:
            return masked_attention(query, keys, values, self.heads, band.mask)
        return banded_attention(query, keys, values, band, self.heads)

"""The denoiser: a conditional U-Net without down- and up-sampling (paper 4.2.1, figure 3).

One encoder block, one middle block, two decoder blocks. Parameters carry the names of the published state dict, so it
loads without translation. Sampling uses the same weights laid out for speed, see :mod:`said_model.network.inference`.
"""

from __future__ import annotations

import math
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from said_model.config import Alignment, DenoiserConfig
from said_model.network.attention import alignment_band, banded_attention, gather_band, merge_heads, split_heads
from said_model.network.layers import Linear, Pointwise

GROUPS = 32
#: Longest period of the sinusoidal timestep embedding.
MAX_PERIOD = 10_000.0


def timestep_sinusoid(timesteps: Tensor, width: int) -> Tensor:
    """(B,) timesteps, whole or not, to the (B, width) sinusoid ``[cos, sin]``."""
    half = width // 2
    steps = torch.arange(half, dtype=torch.float32, device=timesteps.device)
    angles = timesteps.float()[:, None] * torch.exp(-math.log(MAX_PERIOD) * steps / half)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


def _zeroed(module: nn.Module) -> nn.Module:
    for parameter in module.parameters():
        nn.init.zeros_(parameter)
    return module


class ResidualBlock(nn.Module):
    """GroupNorm, SiLU, convolution; plus the timestep; the same again; plus the input."""

    def __init__(self, channels: int, width: int, dropout: float) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(
            nn.GroupNorm(GROUPS, channels), nn.SiLU(), nn.Conv1d(channels, width, 3, padding=1)
        )
        self.emb_layers = nn.Sequential(nn.SiLU(), Linear(4 * width, width))
        self.out_layers = nn.Sequential(
            nn.GroupNorm(GROUPS, width), nn.SiLU(), nn.Dropout(dropout), _zeroed(nn.Conv1d(width, width, 3, padding=1))
        )
        self.skip_connection = nn.Identity() if channels == width else Pointwise(channels, width)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(B, channels, N) and the (B, 4C) timestep embedding to (B, C, N)."""
        h = self.in_layers(x) + self.emb_layers(embedding)[:, :, None]
        return self.skip_connection(x) + self.out_layers(h)


class Attention(nn.Module):
    """Multi-head attention: over all frames, or over the alignment window of another sequence (paper Eq. 3)."""

    def __init__(self, width: int, context_width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = Linear(width, width, bias=False)
        self.to_k = Linear(context_width, width, bias=False)
        self.to_v = Linear(context_width, width, bias=False)
        self.to_out = nn.Sequential(Linear(width, width), nn.Identity())

    def forward(self, x: Tensor, context: Tensor, bandwidth: int | None = None) -> Tensor:
        """(B, N, C) over the (B, M, D) context; ``bandwidth`` ``None`` attends to all of it."""
        query, key, value = self.to_q(x), self.to_k(context), self.to_v(context)
        if bandwidth is None:
            q, k, v = (split_heads(part, self.heads) for part in (query, key, value))
            return self.to_out(merge_heads(F.scaled_dot_product_attention(q, k, v)))
        band = alignment_band(x.shape[1], context.shape[1], bandwidth).to(x.device)
        query = query * (x.shape[-1] // self.heads) ** -0.5
        return self.to_out(
            banded_attention(query, gather_band(key, band), gather_band(value, band), band, self.heads)
        )


class GatedLinear(nn.Module):
    """GEGLU: ``value * gelu(gate)``, value first."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.proj = Linear(width, 2 * inner)

    def forward(self, x: Tensor) -> Tensor:
        """(…, C) to (…, inner)."""
        value, gate = self.proj(x).chunk(2, dim=-1)
        return value * F.gelu(gate)


class FeedForward(nn.Module):
    """Gated feed-forward layer of inner width 4C."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.net = nn.Sequential(GatedLinear(width, 4 * width), nn.Identity(), Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """(…, C) to (…, C)."""
        return self.net(x)


class TransformerLayer(nn.Module):
    """Self-attention, attention to the audio, feed-forward; each normalised before and added after."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        width, heads = config.width, config.heads
        self.attn1 = Attention(width, width, heads)
        self.ff = FeedForward(width)
        self.attn2 = Attention(width, config.feature_dim, heads)
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x: Tensor, audio: Tensor, bandwidths: list[int | None]) -> Tensor:
        """(B, N, C) with (B, M, D) audio features and the alignment bandwidth of each item."""
        normed = self.norm1(x)
        x = x + self.attn1(normed, normed)
        x = x + self._hear(self.norm2(x), audio, bandwidths)
        return x + self.ff(self.norm3(x))

    def _hear(self, x: Tensor, audio: Tensor, bandwidths: list[int | None]) -> Tensor:
        distinct = set(bandwidths)
        if len(distinct) == 1:
            return self.attn2(x, audio, bandwidths[0])
        heard = torch.empty_like(x)
        for width in distinct:
            rows = torch.tensor([i for i, other in enumerate(bandwidths) if other == width], device=x.device)
            heard = heard.index_copy(0, rows, self.attn2(x[rows], audio[rows], width))
        return heard


class TransformerBlock(nn.Module):
    """GroupNorm over channels, one transformer layer, 1 x 1 convolution that starts at zero, plus the input."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(GROUPS, config.width, eps=1e-6)
        self.transformer_blocks = nn.ModuleList([TransformerLayer(config)])
        self.proj_out = _zeroed(Pointwise(config.width, config.width))

    def forward(self, x: Tensor, audio: Tensor, bandwidths: list[int | None]) -> Tensor:
        """(B, C, N) to (B, C, N)."""
        h = self.norm(x).transpose(1, 2)
        for layer in self.transformer_blocks:
            h = layer(h, audio, bandwidths)
        return x + self.proj_out(h.transpose(1, 2))


class UNet(nn.Module):
    """The network proper, channels first; see :class:`Denoiser`."""

    def __init__(self, channels: int, config: DenoiserConfig) -> None:
        super().__init__()
        width = config.width

        def residual(inputs: int = width) -> ResidualBlock:
            return ResidualBlock(inputs, width, config.dropout)

        def block(inputs: int = width) -> nn.ModuleList:
            return nn.ModuleList([residual(inputs), TransformerBlock(config)])

        self.time_embed = nn.Sequential(Linear(width, 4 * width), nn.SiLU(), Linear(4 * width, 4 * width))
        self.input_blocks = nn.ModuleList([nn.ModuleList([nn.Conv1d(channels, width, 3, padding=1)]), block()])
        self.middle_block = nn.ModuleList([residual(), TransformerBlock(config), residual()])
        self.output_blocks = nn.ModuleList([block(2 * width), block(2 * width)])
        self.out = nn.Sequential(nn.GroupNorm(GROUPS, width), nn.SiLU(), nn.Conv1d(width, channels, 3, padding=1))

    def forward(self, x: Tensor, embedding: Tensor, audio: Tensor, bandwidths: list[int | None]) -> Tensor:
        """(B, K, N) to (B, K, N)."""
        blocks: Any = self.input_blocks
        first = blocks[0][0](x)
        residual, transformer = blocks[1]
        h = transformer(residual(first, embedding), audio, bandwidths)
        skips = [first, h]
        before, transformer, after = cast(Any, self.middle_block)
        h = after(transformer(before(h, embedding), audio, bandwidths), embedding)
        for residual, transformer in cast(Any, self.output_blocks):
            h = transformer(residual(torch.cat([h, skips.pop()], dim=1), embedding), audio, bandwidths)
        return self.out(h)


class Denoiser(nn.Module):
    """Predicts the noise (or what the diffusion configuration says) in noisy coefficients, given audio features.

    :param channels: number of blendshapes K.
    """

    def __init__(self, channels: int, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        self.model = UNet(channels, config)

    @property
    def alignment(self) -> Alignment:
        """The alignment window over timesteps."""
        return self.config.alignment

    def forward(self, noisy: Tensor, timesteps: Tensor, audio: Tensor) -> Tensor:
        """Predict.

        :param noisy: (B, N, K) noisy coefficients.
        :param timesteps: (B,) diffusion timesteps.
        :param audio: (B, M, D) audio features; M may differ from N.
        :return: (B, N, K).
        """
        sinusoid = timestep_sinusoid(timesteps, self.config.width).to(noisy.dtype)
        if self.alignment.schedule:
            bandwidths = [self.alignment.at(t) for t in timesteps.tolist()]
        else:
            bandwidths = [self.alignment.bandwidth] * len(noisy)
        embedding = self.model.time_embed(sinusoid)
        return self.model(noisy.transpose(1, 2), embedding, audio, bandwidths).transpose(1, 2)

"""The denoiser as its description reads: the full N x M attention, a mask built on every call, nothing kept.

Slow on purpose and independent of ``said_model``: it takes a plain dictionary of tensors with the published parameter
names and knows nothing of modules, caches, fused layers or packed weights.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

Weights = Mapping[str, Tensor]
HEADS = 6
GROUPS = 32


def time_embedding(weights: Weights, timesteps: Tensor) -> Tensor:
    """(B,) timesteps to (B, 4C): sinusoid ``[cos, sin]``, then linear, SiLU, linear."""
    width = weights["denoiser.model.time_embed.0.weight"].shape[1]
    half = width // 2
    frequencies = torch.exp(-math.log(10000.0) * torch.arange(half, dtype=torch.float32) / half)
    angles = timesteps.float()[:, None] * frequencies[None]
    sinusoid = torch.cat([torch.cos(angles), torch.sin(angles)], dim=1)
    hidden = F.silu(_linear(weights, "denoiser.model.time_embed.0", sinusoid))
    return _linear(weights, "denoiser.model.time_embed.2", hidden)


def _linear(weights: Weights, name: str, x: Tensor) -> Tensor:
    return F.linear(x, weights[name + ".weight"], weights.get(name + ".bias"))


def _conv(weights: Weights, name: str, x: Tensor) -> Tensor:
    weight = weights[name + ".weight"]
    return F.conv1d(x, weight, weights[name + ".bias"], padding=weight.shape[2] // 2)


def _group_norm(weights: Weights, name: str, x: Tensor, eps: float) -> Tensor:
    return F.group_norm(x, GROUPS, weights[name + ".weight"], weights[name + ".bias"], eps)


def _layer_norm(weights: Weights, name: str, x: Tensor) -> Tensor:
    return F.layer_norm(x, x.shape[-1:], weights[name + ".weight"], weights[name + ".bias"])


def residual_block(weights: Weights, name: str, x: Tensor, embedding: Tensor) -> Tensor:
    """(B, C_in, N) to (B, C, N)."""
    h = _conv(weights, name + ".in_layers.2", F.silu(_group_norm(weights, name + ".in_layers.0", x, 1e-5)))
    h = h + _linear(weights, name + ".emb_layers.1", F.silu(embedding))[:, :, None]
    h = _conv(weights, name + ".out_layers.3", F.silu(_group_norm(weights, name + ".out_layers.0", h, 1e-5)))
    if name + ".skip_connection.weight" in weights:
        x = _conv(weights, name + ".skip_connection", x)
    return x + h


def alignment_mask(n_frames: int, n_features: int) -> Tensor:
    """(N, M) additive mask: zero inside the window of each frame, minus infinity outside."""
    mask = torch.full((n_frames, n_features), float("-inf"))
    ratio = n_features / n_frames
    half = ratio / 2 + 1
    for i in range(n_frames):
        centre = (i + 0.5) * ratio
        low = max(round(centre - half), 0)
        high = min(round(centre + half), n_features)
        mask[i, low:high] = 0.0
    return mask


def attention(weights: Weights, name: str, x: Tensor, context: Tensor, mask: Tensor | None) -> Tensor:
    """(B, N, C) queries over a (B, M, D) context, scores written out in full."""
    batch, frames, width = x.shape

    def heads(kind: str, source: Tensor) -> Tensor:
        projected = _linear(weights, f"{name}.to_{kind}", source)
        return projected.reshape(batch, -1, HEADS, width // HEADS).permute(0, 2, 1, 3)

    query, key, value = heads("q", x), heads("k", context), heads("v", context)
    scores = torch.matmul(query, key.transpose(2, 3)) / math.sqrt(width // HEADS)
    if mask is not None:
        scores = scores + mask
    mixed = torch.matmul(torch.softmax(scores, dim=-1), value)
    return _linear(weights, name + ".to_out.0", mixed.permute(0, 2, 1, 3).reshape(batch, frames, width))


def transformer_block(weights: Weights, name: str, x: Tensor, context: Tensor) -> Tensor:
    """(B, C, N) to (B, C, N)."""
    h = _group_norm(weights, name + ".norm", x, 1e-6).transpose(1, 2)
    block = name + ".transformer_blocks.0"
    normed = _layer_norm(weights, block + ".norm1", h)
    h = h + attention(weights, block + ".attn1", normed, normed, None)
    mask = alignment_mask(h.shape[1], context.shape[1])
    h = h + attention(weights, block + ".attn2", _layer_norm(weights, block + ".norm2", h), context, mask)
    value, gate = _linear(weights, block + ".ff.net.0.proj", _layer_norm(weights, block + ".norm3", h)).chunk(2, dim=-1)
    h = h + _linear(weights, block + ".ff.net.2", value * F.gelu(gate))
    return x + _conv(weights, name + ".proj_out", h.transpose(1, 2))


def denoise(weights: Weights, noisy: Tensor, timesteps: Tensor, context: Tensor) -> Tensor:
    """(B, N, K) noisy coefficients, (B,) timesteps and (B, M, D) audio features to the (B, N, K) prediction."""
    net = "denoiser.model."
    embedding = time_embedding(weights, timesteps)
    first = _conv(weights, net + "input_blocks.0.0", noisy.transpose(1, 2))
    h = residual_block(weights, net + "input_blocks.1.0", first, embedding)
    second = transformer_block(weights, net + "input_blocks.1.1", h, context)
    h = residual_block(weights, net + "middle_block.0", second, embedding)
    h = transformer_block(weights, net + "middle_block.1", h, context)
    h = residual_block(weights, net + "middle_block.2", h, embedding)
    h = residual_block(weights, net + "output_blocks.0.0", torch.cat([h, second], dim=1), embedding)
    h = transformer_block(weights, net + "output_blocks.0.1", h, context)
    h = residual_block(weights, net + "output_blocks.1.0", torch.cat([h, first], dim=1), embedding)
    h = transformer_block(weights, net + "output_blocks.1.1", h, context)
    h = _conv(weights, net + "out.2", F.silu(_group_norm(weights, net + "out.0", h, 1e-5)))
    return h.transpose(1, 2)


def guided_step(weights: Weights, noisy: Tensor, timestep: int, context: Tensor, guidance_scale: float) -> Tensor:
    """One guided noise prediction, Eq. 9 of the paper: ``cond + scale * (cond - uncond)``.

    Both branches go through the network as one batch of twice the size, as classifier-free guidance is usually written.
    """
    null = weights["null_cond_emb"].expand(context.shape[0], context.shape[1], -1)
    timesteps = torch.full((2 * noisy.shape[0],), timestep)
    both = denoise(weights, torch.cat([noisy, noisy]), timesteps, torch.cat([context, null]))
    conditional, unconditional = both.chunk(2)
    return conditional + guidance_scale * (conditional - unconditional)

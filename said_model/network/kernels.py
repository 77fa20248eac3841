"""oneDNN's products, and attention on a CPU that is made of them.

PyTorch's plain matrix product calls a BLAS that is slow on half of the processors in use, and repacks the weights on
every call. oneDNN, which PyTorch carries as well, takes weights packed beforehand and fuses activation and addition.
Its operators are not part of PyTorch's public interface: who uses them asks :func:`packed_operators` first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from said_model.network.attention import full_attention

#: Above this many frames, attention head by head on packed products beats PyTorch's fused attention on a CPU.
FUSED_ATTENTION_FRAMES = 400
#: Up to this many frames, plain products of all heads at once are the fastest attention in bfloat16.
BATCHED_ATTENTION_FRAMES = 800
#: Scores that are held at once: few, and calls wait for each other; many, and they leave the processor's cache.
SCORES_AT_ONCE = 540_000


def packed_operators(device: torch.device, dtype: torch.dtype) -> Any:
    """Return oneDNN's operators, or ``None`` where they cannot be used."""
    if device.type != "cpu" or dtype not in (torch.float32, torch.bfloat16) or not torch.backends.mkldnn.is_available():
        return None
    operators = torch.ops.mkldnn
    needed = ("_linear_pointwise", "_reorder_linear_weight", "_convolution_pointwise", "_reorder_convolution_weight")
    if not all(hasattr(operators, name) for name in needed):
        return None
    if dtype is torch.bfloat16 and not operators._is_mkldnn_bf16_supported():
        return None
    return operators


def as_image(x: Tensor) -> Tensor:
    """(B, N, C) as an image (B, C, 1, N) whose channels lie side by side; no copy."""
    return x.unsqueeze(1).permute(0, 3, 1, 2)


def as_frames(image: Tensor) -> Tensor:
    """(B, C, 1, N) back to (B, N, C)."""
    return image.permute(0, 2, 3, 1).squeeze(1)


def product_attention(query: Tensor, keys: Tensor, values: Tensor, heads: int) -> Tensor:
    """Attend to everything, on a CPU that :func:`packed_operators` knows.

    :param query: (B, N, C).
    :param keys: (B, M, C).
    :param values: (B, M, C).
    :return: (B, N, C); :func:`~said_model.network.attention.full_attention` gives the same.
    """
    batch, frames, width = query.shape
    single = query.dtype is torch.float32
    if frames < FUSED_ATTENTION_FRAMES and single:
        return full_attention(query, keys, values, heads)
    q, k, v = (part.unflatten(-1, (heads, -1)).transpose(1, 2) for part in (query, keys, values))
    # Products are slow on anything that does not lie in a row.
    q, k = ((q * (width // heads) ** -0.5).flatten(0, 1).contiguous(), k.flatten(0, 1).contiguous())
    if not single and frames <= BATCHED_ATTENTION_FRAMES:
        mixed = _attend_batched(q, k, v.flatten(0, 1).contiguous())
        return mixed.unflatten(0, (batch, heads)).transpose(1, 2).flatten(2)
    attend = _attend_packed(packed_operators(query.device, query.dtype)) if single else _attend_plain
    v = (v.transpose(2, 3) if single else v).flatten(0, 1).contiguous()
    mixed = torch.empty_like(query, memory_format=torch.contiguous_format)
    places = mixed.unflatten(-1, (heads, -1))
    at_once = max(SCORES_AT_ONCE // k.shape[1], 1)
    for number in range(batch * heads):
        place = places[number // heads, :, number % heads]
        for start in range(0, frames, at_once):
            rows = slice(start, start + at_once)
            place[rows] = attend(q[number, rows], k[number], v[number])
    return mixed


def _attend_packed(operators: Any) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return attention of (R, D) queries over (M, D) keys and (D, M) values by oneDNN's products."""

    def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        scores = operators._linear_pointwise(queries, keys, None, "none", [], "")
        return operators._linear_pointwise(torch.softmax(scores, -1, out=scores), values, None, "none", [], "")

    return attend


def _attend_batched(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attend with (H, N, D) queries over (H, M, D) keys and values, H heads at once."""
    scores = torch.bmm(queries, keys.transpose(1, 2))
    return torch.bmm(torch.softmax(scores, -1, out=scores), values)


def _attend_plain(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attend with (R, D) queries over (M, D) keys and values; PyTorch's own product uses oneDNN for bfloat16."""
    scores = queries @ keys.T
    return torch.softmax(scores, -1, out=scores) @ values

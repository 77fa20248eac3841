"""Layers laid out for sampling: frames before channels, weights packed once, additions fused where the CPU offers it.

PyTorch's plain matrix product calls a BLAS that is slow on half of the processors in use, and repacks the weights on
every call. oneDNN, which PyTorch carries as well, takes weights packed beforehand and fuses activation and addition.
Its operators are not part of PyTorch's public interface, so every layer here falls back to the public functions where
they are missing, on other devices and in other precisions; tests compare the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

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


class Linear:
    """A linear layer over the last axis.

    :param weight: (C_out, C_in).
    :param bias: (C_out,) or ``None``.
    """

    def __init__(self, weight: Tensor, bias: Tensor | None, rows: int = 512) -> None:
        self.operators = packed_operators(weight.device, weight.dtype)
        self.bias = bias
        self.weight = weight.contiguous()
        if self.operators is not None:
            self.weight = self.operators._reorder_linear_weight(self.weight, rows)

    def __call__(self, x: Tensor) -> Tensor:
        """(…, C_in) to (…, C_out)."""
        if self.operators is None:
            return F.linear(x, self.weight, self.bias)
        return self.operators._linear_pointwise(x, self.weight, self.bias, "none", [], "")

    def gelu(self, x: Tensor) -> Tensor:
        """Apply the layer, then GELU."""
        if self.operators is None:
            return F.gelu(F.linear(x, self.weight, self.bias))
        return self.operators._linear_pointwise(x, self.weight, self.bias, "gelu", [], "none")

    def add(self, x: Tensor, other: Tensor) -> Tensor:
        """Apply the layer and add ``other``."""
        if self.operators is None:
            return F.linear(x, self.weight, self.bias) + other
        return self.operators._linear_pointwise.binary(x, other, self.weight, self.bias, "add")

    def multiply(self, x: Tensor, other: Tensor) -> Tensor:
        """Apply the layer and multiply by ``other``."""
        if self.operators is None:
            return F.linear(x, self.weight, self.bias) * other
        return self.operators._linear_pointwise.binary(x, other, self.weight, self.bias, "mul")


class Convolution:
    """A convolution over the frames of (B, N, C).

    :param weight: (C_out, C_in / groups, width).
    :param padding: frames of zeros before and after.
    """

    #: Input shapes whose packed weights are remembered.
    REMEMBERED = 8

    def __init__(self, weight: Tensor, padding: int = 1, groups: int = 1) -> None:
        self.operators = packed_operators(weight.device, weight.dtype)
        self.weight = weight.unsqueeze(2)
        # Padding, stride, dilation and groups, as oneDNN's operators take them.
        self.place = ([0, padding], [1, 1], [1, 1], groups)
        self.packed: dict[torch.Size, Tensor] = {}

    def _packed(self, shape: torch.Size) -> Tensor:
        """Pack for one shape of input: for another, bfloat16 weights would be packed again on every call."""
        if shape not in self.packed:
            while len(self.packed) >= self.REMEMBERED:
                self.packed.pop(next(iter(self.packed)))
            self.packed[shape] = self.operators._reorder_convolution_weight(self.weight, *self.place, list(shape))
        return self.packed[shape]

    def __call__(self, x: Tensor, bias: Tensor, other: Tensor | None = None) -> Tensor:
        """(B, N, C_in) to (B, N', C_out), plus ``bias`` (C_out,), plus ``other`` of the result's shape."""
        image = _image(x)
        if self.operators is None:
            padding, stride, dilation, groups = self.place
            result = _frames(F.conv2d(image, self.weight, bias, stride, padding, dilation, groups))
            return result if other is None else result + other
        weight, convolve = self._packed(image.shape), self.operators._convolution_pointwise
        if other is None:
            return _frames(convolve(image, weight, bias, *self.place, "none", [], ""))
        return _frames(
            convolve.binary(image, _image(other), weight, bias, *self.place, "add", None, None, [], None)
        )


def _image(x: Tensor) -> Tensor:
    """(B, N, C) as an image (B, C, 1, N) whose channels lie side by side; no copy."""
    return x.unsqueeze(1).permute(0, 3, 1, 2)


def _frames(image: Tensor) -> Tensor:
    """(B, C, 1, N) back to (B, N, C)."""
    return image.permute(0, 2, 3, 1).squeeze(1)


def group_norm(x: Tensor, groups: int, weight: Tensor, bias: Tensor, eps: float) -> Tensor:
    """Normalise groups of channels of (B, N, C) over all frames."""
    if x.dtype is torch.bfloat16 and x.device.type == "cpu":
        # The CPU kernel for bfloat16 in this layout is several times slower than converting twice.
        normed = torch.group_norm(_image(x.float()), groups, weight.float(), bias.float(), eps)
        return _frames(normed).to(torch.bfloat16)
    return _frames(torch.group_norm(_image(x), groups, weight, bias, eps))


def self_attention(qkv: Tensor, heads: int) -> Tensor:
    """Attend over all frames.

    :param qkv: (B, N, 3 C) queries (divided by the square root of the head width), keys and values.
    :return: (B, N, C).
    """
    batch, frames, width = qkv.shape
    operators = packed_operators(qkv.device, qkv.dtype)
    parts = qkv.view(batch, frames, 3, heads, width // (3 * heads)).permute(2, 0, 3, 1, 4)
    if operators is not None and qkv.dtype is torch.bfloat16 and frames <= BATCHED_ATTENTION_FRAMES:
        mixed = _attend_batched(*parts.contiguous().flatten(1, 2))
        return mixed.unflatten(0, (batch, heads)).transpose(1, 2).reshape(batch, frames, -1)
    if operators is None or frames < FUSED_ATTENTION_FRAMES:
        mixed = F.scaled_dot_product_attention(parts[0], parts[1], parts[2], scale=1.0)
        return mixed.transpose(1, 2).reshape(batch, frames, -1)

    queries, keys, values = parts.contiguous().flatten(1, 2)
    attend = _attend_packed(operators) if qkv.dtype is torch.float32 else _attend_plain
    if qkv.dtype is torch.float32:
        values = values.transpose(1, 2).contiguous()
    mixed = torch.empty((batch, frames, width // 3), dtype=qkv.dtype)
    places = mixed.view(batch, frames, heads, -1)
    at_once = max(SCORES_AT_ONCE // frames, 1)
    for number in range(batch * heads):
        place = places[number // heads, :, number % heads]
        for start in range(0, frames, at_once):
            rows = slice(start, start + at_once)
            place[rows] = attend(queries[number, rows], keys[number], values[number])
    return mixed


def _attend_packed(operators: Any) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return attention of (R, D) queries over (N, D) keys and (D, N) values by oneDNN's products."""

    def attend(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        scores = operators._linear_pointwise(queries, keys, None, "none", [], "")
        return operators._linear_pointwise(torch.softmax(scores, -1, out=scores), values, None, "none", [], "")

    return attend


def _attend_batched(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attend with (H, N, D) queries over (H, N, D) keys and values, H heads at once."""
    scores = torch.bmm(queries, keys.transpose(1, 2))
    return torch.bmm(torch.softmax(scores, -1, out=scores), values)


def _attend_plain(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """Attend with (R, D) queries over (N, D) keys and values; PyTorch's own product uses oneDNN for bfloat16."""
    scores = queries @ keys.T
    return torch.softmax(scores, -1, out=scores) @ values

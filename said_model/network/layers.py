"""Layers over (B, N, C): frames before channels, under the parameter names and shapes of PyTorch's own layers.

With channels last no layer needs a transposed copy of its input, and a convolution is that of an image of one row.

PyTorch sends float32 products on a CPU to a BLAS that takes more than twice as long as oneDNN on half of the processors
in use. Forward pass and both gradients are plain products, so all three are asked of oneDNN; on other devices, in other
precisions, and where its operators are missing, they are PyTorch's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from said_model.network.kernels import as_frames, as_image, packed_operators


class Linear(nn.Linear):
    """A linear layer over the last axis, with :class:`torch.nn.Linear`'s parameters."""

    def forward(self, input: Tensor, add: Tensor | None = None) -> Tensor:
        """(…, C_in) to (…, C_out), plus ``add`` of the result's shape."""
        result = linear(input, self.weight, self.bias)
        return result if add is None else result + add


class Pointwise(nn.Conv1d):
    """A convolution of width one, with :class:`torch.nn.Conv1d`'s parameters."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 1)

    def forward(self, input: Tensor, add: Tensor | None = None) -> Tensor:
        """(B, N, C_in) to (B, N, C_out), plus ``add`` of the result's shape."""
        result = linear(input, self.weight.squeeze(2), self.bias)
        return result if add is None else result + add


class Convolution(nn.Conv1d):
    """A convolution of width three that keeps the length, with :class:`torch.nn.Conv1d`'s parameters."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)

    def forward(self, input: Tensor, shift: Tensor | None = None, add: Tensor | None = None) -> Tensor:
        """(B, N, C_in) to (B, N, C_out), plus ``shift`` (B or 1, C_out) at all frames, plus ``add`` (B, N, C_out)."""
        result = as_frames(F.conv2d(as_image(input), self.weight.unsqueeze(2), self.bias, padding=(0, 1)))
        result = result if shift is None else result + shift.unsqueeze(1)
        return result if add is None else result + add


class GroupNorm(nn.GroupNorm):
    """Normalises groups of channels of (B, N, C) over all frames."""

    def forward(self, input: Tensor) -> Tensor:
        """(B, N, C) to (B, N, C)."""
        # The function in torch.nn.functional refuses a clip of one frame.
        return as_frames(torch.group_norm(as_image(input), self.num_groups, self.weight, self.bias, self.eps))


def together(x: Tensor, layers: Sequence[nn.Module]) -> Sequence[Tensor]:
    """Return what linear layers of one size, without bias, make of one input: by one product, if none is packed.

    :param x: (…, C_in).
    :return: (…, C_out) of each layer.
    """
    plain = [layer.weight for layer in layers if type(layer) is Linear]
    if len(plain) < len(layers):
        return [layer(x) for layer in layers]
    return linear(x, torch.cat(plain), None).chunk(len(layers), dim=-1)


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """``x @ weight.T + bias`` over the last axis, the fastest way that there is."""
    plain = x.dtype is not torch.float32 or torch.is_autocast_enabled(x.device.type)
    if plain or torch.compiler.is_compiling() or packed_operators(x.device, x.dtype) is None:
        return F.linear(x, weight, bias)
    result: Tensor = _Product.apply(x, weight, bias)
    return result


def _times_transposed(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """``a @ b.T + bias`` by oneDNN."""
    return torch.ops.mkldnn._linear_pointwise(a, b, bias, "none", [], "")


class _Product(torch.autograd.Function):
    """``x @ weight.T + bias``; see :class:`Linear`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.has_bias = bias is not None
        return _times_transposed(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        rows = gradient.reshape(-1, gradient.shape[-1])
        to_x = to_weight = to_bias = None
        if ctx.needs_input_grad[0]:
            to_x = _times_transposed(rows, weight.t()).view_as(x)
        if ctx.needs_input_grad[1]:
            to_weight = _times_transposed(rows.t().contiguous(), x.reshape(-1, x.shape[-1]).t())
        if ctx.has_bias and ctx.needs_input_grad[2]:
            to_bias = rows.sum(dim=0)
        return to_x, to_weight, to_bias

"""Layers on packed weights, swapped into a network for sampling on a CPU: the same function, faster.

Weights are packed once for oneDNN (:mod:`said_model.network.kernels`), additions and activations fused into products.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from said_model.network.conditioning import Attention
from said_model.network.denoiser import Denoiser, GatedLinear
from said_model.network.kernels import as_frames, as_image, packed_operators, product_attention
from said_model.network.layers import Convolution, GroupNorm, Linear, Pointwise

#: What makes a convolution besides its weights.
_SIZES = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups")
#: Rows of the input that linear weights are packed for.
_ROWS = 512


def for_sampling(denoiser: Denoiser, dtype: torch.dtype = torch.float32) -> Denoiser:
    """Return a denoiser that predicts the same, to rounding; without oneDNN the plain one, in the precision asked for.

    Weights are those of now: train the denoiser, and this one stays as it is.

    :param denoiser: in evaluation mode, on its device.
    :param dtype: of weights and activations.
    """
    found = swapped(denoiser, dtype, _layer_for_sampling)
    for module in found.modules():
        if isinstance(module, Attention) and found is not denoiser and _has_operators(found):
            module.full_attention = product_attention
    return found


def _layer_for_sampling(layer: Any) -> nn.Module | None:
    if isinstance(layer, Linear | Pointwise):
        return PackedLinear(layer)
    if isinstance(layer, GatedLinear):
        return _PackedGatedLinear(layer)
    if isinstance(layer, Convolution):
        return PackedConvolution(layer)
    half = isinstance(layer, GroupNorm) and layer.weight.dtype is torch.bfloat16
    return _WidenedGroupNorm(layer) if half else None


def _has_operators(module: nn.Module) -> bool:
    weight = next(module.parameters(), None)
    return weight is not None and packed_operators(weight.device, weight.dtype) is not None


def swapped(module: Any, dtype: torch.dtype, layer_for: Callable[[nn.Module], nn.Module | None]) -> Any:
    """Return a module in another precision, its layers replaced where oneDNN's operators are there.

    :param layer_for: what stands in for a layer, in its precision; ``None`` leaves it and looks at its children.
    """
    if all(parameter.dtype is dtype for parameter in module.parameters()):
        if not _has_operators(module):
            return module
        # The layers are copied, their weights shared.
        shared: dict[int, Any] = {id(part): part for part in [*module.parameters(), *module.buffers()]}
        copied = copy.deepcopy(module, shared)
    else:
        copied = copy.deepcopy(module).to(dtype)
    if _has_operators(copied):
        _swap(copied, layer_for)
    return copied


def _swap(module: nn.Module, layer_for: Callable[[nn.Module], nn.Module | None]) -> None:
    for name, child in module.named_children():
        layer = layer_for(child)
        if layer is None:
            _swap(child, layer_for)
        else:
            setattr(module, name, layer)


def sizes_of(layer: nn.Conv1d) -> dict[str, Any]:
    """Return what makes a convolution besides its weights, as its constructor takes it."""
    return {name: getattr(layer, name) for name in _SIZES}


def pack(weight: Tensor) -> Tensor:
    """Return a (C_out, C_in) weight packed for products with some hundred rows."""
    return torch.ops.mkldnn._reorder_linear_weight(weight.detach().contiguous(), _ROWS)


class PackedLinear(nn.Linear):
    """A linear layer, or a convolution of width one, on packed weights; the plain ones stay for who looks at them."""

    def __init__(self, layer: nn.Linear | Pointwise) -> None:
        outputs, inputs = layer.weight.shape[:2]
        super().__init__(inputs, outputs, device="meta")
        self.weight, self.bias = layer.weight, layer.bias  # type: ignore[assignment]
        self._packed = pack(layer.weight.flatten(1))
        self._bias = None if layer.bias is None else layer.bias.detach()

    def forward(self, input: Tensor, add: Tensor | None = None) -> Tensor:
        """(…, C_in) to (…, C_out), plus ``add`` of the result's shape."""
        product = torch.ops.mkldnn._linear_pointwise
        if add is None:
            return product(input, self._packed, self._bias, "none", [], "")
        return product.binary(input, add, self._packed, self._bias, "add")


class _PackedGatedLinear(nn.Module):
    """:class:`~said_model.network.denoiser.GatedLinear` with its activation and product fused."""

    def __init__(self, layer: GatedLinear) -> None:
        super().__init__()
        self.proj = layer.proj
        self._value, self._gate = (pack(part) for part in layer.proj.weight.chunk(2))
        self._value_bias, self._gate_bias = layer.proj.bias.detach().chunk(2)

    def forward(self, x: Tensor) -> Tensor:
        product = torch.ops.mkldnn._linear_pointwise
        gate = product(x, self._gate, self._gate_bias, "gelu", [], "none")
        return product.binary(x, gate, self._value, self._value_bias, "mul")


class PackedConvolution(nn.Conv1d):
    """A convolution over the frames of (B, N, C) on packed weights; stride and dilation are one."""

    #: Input shapes whose packed weights are remembered.
    REMEMBERED = 8

    def __init__(self, layer: nn.Conv1d) -> None:
        super().__init__(**sizes_of(layer), device="meta")
        # A parametrised weight is worked out here.
        weight = layer.weight if isinstance(layer.weight, nn.Parameter) else nn.Parameter(layer.weight, False)
        self.weight, self.bias = weight, layer.bias
        zeros = torch.zeros(layer.out_channels, dtype=weight.dtype)
        self._image, self._bias = weight.detach().unsqueeze(2), zeros if layer.bias is None else layer.bias.detach()
        # Padding, stride, dilation and groups, as oneDNN's operators take them.
        self._place = ([0, int(layer.padding[0])], [1, 1], [1, 1], layer.groups)
        self._packed: dict[torch.Size, Tensor] = {}

    def _pack(self, shape: torch.Size) -> Tensor:
        """Pack for one shape of input: for another, bfloat16 weights would be packed again on every call."""
        if shape not in self._packed:
            while len(self._packed) >= self.REMEMBERED:
                self._packed.pop(next(iter(self._packed)))
            reorder = torch.ops.mkldnn._reorder_convolution_weight
            self._packed[shape] = reorder(self._image, *self._place, list(shape))
        return self._packed[shape]

    def forward(self, input: Tensor, shift: Tensor | None = None, add: Tensor | None = None) -> Tensor:
        """(B, N, C_in) to (B, N', C_out), plus ``shift`` (B or 1, C_out) at all frames, plus ``add``."""
        if shift is not None and len(shift) > 1:
            add = shift.unsqueeze(1).expand(-1, input.shape[1], -1) if add is None else add + shift.unsqueeze(1)
            shift = None
        bias = self._bias if shift is None else self._bias + shift[0]
        image, convolve = as_image(input), torch.ops.mkldnn._convolution_pointwise
        weight = self._pack(image.shape)
        if add is None:
            return as_frames(convolve(image, weight, bias, *self._place, "none", [], ""))
        add = as_image(add)
        return as_frames(convolve.binary(image, add, weight, bias, *self._place, "add", None, None, [], None))


class _WidenedGroupNorm(nn.GroupNorm):
    """Computes in float32: the CPU's kernel for bfloat16 in this layout is several times slower than that."""

    def __init__(self, layer: nn.GroupNorm) -> None:
        super().__init__(layer.num_groups, layer.num_channels, layer.eps, device="meta")
        self.weight, self.bias = layer.weight, layer.bias

    def forward(self, input: Tensor) -> Tensor:
        image = as_image(input.float())
        normed = torch.group_norm(image, self.num_groups, self.weight.float(), self.bias.float(), self.eps)
        return as_frames(normed).to(input.dtype)

"""Layers on oneDNN's products: PyTorch's own, forwards and backwards."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from said_model.network import layers as products  # noqa: E402


def gradients(layer, x, direction):
    layer.zero_grad()
    x = x.clone().requires_grad_()
    result = layer(x)
    result.backward(direction)
    return result.detach(), x.grad, *(parameter.grad.clone() for parameter in layer.parameters())


class ChannelsFirst(nn.Module):
    """PyTorch's own layer, between transposes."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def forward(self, x):
        return self.layer(x.transpose(1, 2)).transpose(1, 2)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("kind", ["linear", "no bias", "pointwise", "convolution", "norm", "strided"])
def test_results_and_gradients_are_those_of_pytorch(monkeypatch, packed, kind):
    if not packed:
        monkeypatch.setattr(products, "packed_operators", lambda device, dtype: None)
    torch.manual_seed(0)
    shape, out = (3, 7, 12), (3, 7, 20)
    if kind in ("pointwise", "convolution"):
        ours = products.Pointwise(12, 20) if kind == "pointwise" else products.Convolution(12, 20)
        theirs = ChannelsFirst(nn.Conv1d(12, 20, ours.kernel_size[0], padding=ours.padding[0]))
        theirs.layer.load_state_dict(ours.state_dict())
    elif kind == "norm":
        ours, theirs, out = products.GroupNorm(4, 12), ChannelsFirst(nn.GroupNorm(4, 12)), shape
    else:
        bias = kind != "no bias"
        ours, theirs = products.Linear(12, 20, bias=bias), nn.Linear(12, 20, bias=bias)
        theirs.load_state_dict(ours.state_dict())
    x, direction = torch.randn(shape), torch.randn(out)
    if kind == "strided":
        x = x.transpose(0, 1).contiguous().transpose(0, 1)
        direction = torch.randn(()).expand(out)
    for found, expected in zip(gradients(ours, x, direction), gradients(theirs, x, direction), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


def test_only_what_is_asked_for_is_computed_and_other_precisions_pass():
    layer = products.Linear(4, 5)
    layer.weight.requires_grad_(False)
    layer(torch.randn(2, 4)).sum().backward()
    assert layer.weight.grad is None
    assert layer.bias.grad is not None
    assert layer.double()(torch.randn(2, 4, dtype=torch.float64)).dtype is torch.float64
    with torch.autocast("cpu", torch.bfloat16):
        assert products.Linear(4, 5)(torch.randn(2, 4)).dtype is torch.bfloat16

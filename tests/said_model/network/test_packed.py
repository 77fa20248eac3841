"""Layers swapped in for sampling: the plain ones' function, and the plain ones left as they were."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")

from reference.said_tiny import filled, tiny_config  # noqa: E402

from said_model.network import layers, packed  # noqa: E402
from said_model.network.denoiser import GatedLinear  # noqa: E402
from said_model.network.said import SaidNetwork  # noqa: E402

LAYERS = {
    "linear": lambda: layers.Linear(64, 96),
    "no bias": lambda: layers.Linear(64, 96, bias=False),
    "pointwise": lambda: layers.Pointwise(64, 96),
    "convolution": lambda: layers.Convolution(64, 96),
    "gated": lambda: GatedLinear(64, 96),
    "norm": lambda: layers.GroupNorm(32, 64),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("kind", LAYERS)
def test_packed_layers_agree_with_the_plain_ones_in_double_precision(kind, dtype):
    torch.manual_seed(2)
    layer = LAYERS[kind]().to(dtype)
    swapped = packed.swapped(torch.nn.Sequential(layer), dtype, packed._layer_for_sampling)[0]
    if packed.packed_operators(torch.device("cpu"), dtype) is None:
        pytest.skip("no oneDNN for this precision here")
    extras = [{}]
    if kind not in ("gated", "norm"):
        extras.append({"add": torch.randn(2, 40, 96).to(dtype)})
    if kind == "convolution":
        extras += [{"shift": torch.randn(rows, 96).to(dtype)} for rows in (1, 2)]
        extras.append({**extras[1], **extras[-1]})
    x = torch.randn(2, 40, 64).to(dtype)
    for part in extras:
        with torch.no_grad():
            exact = layer.double()(x.double(), **{name: value.double() for name, value in part.items()})
            found = layer.to(dtype) and swapped(x, **part)
        assert float((found.double() - exact).abs().max()) < (1e-4 if dtype is torch.float32 else 0.15), list(part)


def test_the_plain_denoiser_stays_and_shares_its_weights():
    denoiser = filled(SaidNetwork(tiny_config())).denoiser
    before = {name: value.clone() for name, value in denoiser.state_dict().items()}
    swapped = packed.for_sampling(denoiser)
    after, theirs = denoiser.state_dict(), dict(swapped.named_parameters())
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert not any(isinstance(module, packed.PackedLinear) for module in denoiser.modules())
    for name, value in denoiser.named_parameters():
        assert theirs[name].data_ptr() == value.data_ptr(), name


def test_without_onednn_the_plain_denoiser_is_used(monkeypatch):
    monkeypatch.setattr(packed, "packed_operators", lambda device, dtype: None)
    denoiser = filled(SaidNetwork(tiny_config())).denoiser
    assert packed.for_sampling(denoiser) is denoiser
    assert packed.for_sampling(denoiser, torch.bfloat16).model.time_embed[0].weight.dtype is torch.bfloat16

"""The denoiser laid out for sampling: the same function as :mod:`said_model.network.denoiser`, several times faster.

What changes between the steps of one clip is the noisy input alone. So everything else is computed once: the timestep's
part of every residual block, keys and values of the audio, gathered into their windows. Without audio the keys of all
frames are one and the same, hence the unconditional branch's attention to them is a constant vector; and up to the
first attention to the audio, both branches are one. Frames come before channels everywhere, layers use packed weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from said_model.network import denoiser as trained
from said_model.network.attention import Band, alignment_band, banded_attention, gather_band, merge_heads, split_heads
from said_model.network.kernels import Convolution, Linear, group_norm, self_attention
from said_model.network.said import SaidNetwork


class _Norm:
    """GroupNorm over (B, N, C)."""

    def __init__(self, module: Any) -> None:
        self.groups, self.eps = module.num_groups, module.eps
        self.weight, self.bias = module.weight.detach(), module.bias.detach()

    def __call__(self, x: Tensor) -> Tensor:
        return group_norm(x, self.groups, self.weight, self.bias, self.eps)


def _linear(module: Any) -> Linear:
    return Linear(module.weight.detach(), None if module.bias is None else module.bias.detach())


def _pointwise(module: Any) -> Linear:
    return Linear(module.weight.detach()[:, :, 0], module.bias.detach())


class _Residual:
    """:class:`said_model.network.denoiser.ResidualBlock`; the timestep's part is the first convolution's bias."""

    def __init__(self, module: Any) -> None:
        self.norms = _Norm(module.in_layers[0]), _Norm(module.out_layers[0])
        self.convolutions = (
            Convolution(module.in_layers[2].weight.detach()), Convolution(module.out_layers[3].weight.detach())
        )  # fmt: skip
        self.bias = module.out_layers[3].bias.detach()
        self.skip = None if isinstance(module.skip_connection, nn.Identity) else _pointwise(module.skip_connection)

    def __call__(self, x: Tensor, bias: Tensor) -> Tensor:
        h = self.convolutions[0](F.silu(self.norms[0](x)), bias)
        skip = x if self.skip is None else self.skip(x)
        return self.convolutions[1](F.silu(self.norms[1](h)), self.bias, skip)


@dataclass(frozen=True, eq=False)
class Heard:
    """What one transformer block knows of the audio.

    :param keys: (B, M, C).
    :param values: (B, M, C).
    :param windows: gathered keys and values (B, N, W, C) of each band; bands of one width may look elsewhere.
    :param silence: (C,) what the attention adds without audio.
    """

    keys: Tensor
    values: Tensor
    windows: dict[Band, tuple[Tensor, Tensor]]
    silence: Tensor


class _Transformer:
    """:class:`said_model.network.denoiser.TransformerBlock`."""

    def __init__(self, module: Any) -> None:
        layer = module.transformer_blocks[0]
        own, other = layer.attn1, layer.attn2
        self.heads = own.heads
        scale = (own.to_q.weight.shape[0] // own.heads) ** -0.5
        queries = own.to_q.weight.detach() * scale
        self.norm = _Norm(module.norm)
        self.norms = layer.norm1, layer.norm2, layer.norm3
        self.qkv = Linear(torch.cat([queries, own.to_k.weight.detach(), own.to_v.weight.detach()]), None)
        self.own_out, self.heard_out = _linear(own.to_out[0]), _linear(other.to_out[0])
        self.query = Linear(other.to_q.weight.detach() * scale, None)
        self.keys_values = Linear(torch.cat([other.to_k.weight.detach(), other.to_v.weight.detach()]), None)
        gated = layer.ff.net[0].proj
        (value, gate), (value_bias, gate_bias) = gated.weight.detach().chunk(2), gated.bias.detach().chunk(2)
        self.value, self.gate = Linear(value, value_bias), Linear(gate, gate_bias)
        self.shrink, self.out = _linear(layer.ff.net[2]), _pointwise(module.proj_out)

    def listen(self, audio: Tensor, null: Tensor) -> Heard:
        """Project audio features (B, M, D) and the null condition (1, D)."""
        keys, values = self.keys_values(audio).chunk(2, dim=-1)
        silence = self.keys_values(null)[:, keys.shape[-1] :]
        return Heard(keys, values, {}, self.heard_out(silence)[0])

    def attend_audio(self, x: Tensor, heard: Heard, band: Band | None) -> Tensor:
        """Attend to the audio and add: (B, N, C)."""
        query = self.query(self._normed(1, x))
        if band is None:
            q, k, v = (split_heads(part, self.heads) for part in (query, heard.keys, heard.values))
            return self.heard_out.add(merge_heads(F.scaled_dot_product_attention(q, k, v, scale=1.0)), x)
        if band not in heard.windows:
            heard.windows[band] = gather_band(heard.keys, band), gather_band(heard.values, band)
        return self.heard_out.add(banded_attention(query, *heard.windows[band], band, self.heads), x)

    def _normed(self, number: int, x: Tensor) -> Tensor:
        norm = self.norms[number]
        return F.layer_norm(x, norm.normalized_shape, norm.weight, norm.bias, norm.eps)

    def __call__(self, x: Tensor, heard: Heard, band: Band | None, silent: bool) -> Tensor:
        """(B, N, C) to (B, N, C); with ``silent``, the second half of the batch has no audio.

        The first half may be all there is: then it is the same for both, and the result has twice the batch.
        """
        h = self.norm(x)
        h = self.own_out.add(self_attention(self.qkv(self._normed(0, h)), self.heads), h)
        batch = heard.keys.shape[0]
        with_audio = self.attend_audio(h[:batch], heard, band)
        if silent:
            h = torch.cat([with_audio, h[-batch:] + heard.silence])
            x = x if len(x) == len(h) else torch.cat([x, x])
        else:
            h = with_audio
        normed = self._normed(2, h)
        h = self.shrink.add(self.value.multiply(normed, self.gate.gelu(normed)), h)
        return self.out.add(h, x)


class GuidedDenoiser:
    """A network's denoiser, laid out for sampling. Holds no state of a clip: :meth:`listen` starts one.

    :param network: the trained network, on its device.
    :param dtype: precision of the weights and activations.
    """

    def __init__(self, network: SaidNetwork, dtype: torch.dtype = torch.float32) -> None:
        self.network, self.dtype = network, dtype
        self.alignment = network.config.denoiser.alignment
        model = network.denoiser.model
        if dtype is not torch.float32:
            model = _converted(model, network, dtype)
        with torch.no_grad():
            self._lay_out(model)
            self.null = network.null_cond_emb.detach()[0].to(dtype)

    def _lay_out(self, model: Any) -> None:
        blocks = [model.input_blocks[1], model.middle_block, *model.output_blocks]
        residuals = [block[0] for block in blocks]
        residuals.insert(2, model.middle_block[2])
        first = model.input_blocks[0][0]
        self.first, self.first_bias = Convolution(first.weight.detach()), first.bias.detach()
        self.residuals = [_Residual(module) for module in residuals]
        self.transformers = [_Transformer(block[1]) for block in blocks]
        self.last_norm, last = _Norm(model.out[0]), model.out[2]
        self.last, self.last_bias = Convolution(last.weight.detach()), last.bias.detach()
        self.time_embed = model.time_embed
        self.time_parts = [(module.emb_layers, module.in_layers[2].bias.detach()) for module in residuals]

    def time_biases(self, timestep: float) -> list[Tensor]:
        """Return the bias of every residual block's first convolution at a timestep."""
        with torch.no_grad():
            steps = torch.tensor([timestep], device=self.first_bias.device)
            sinusoid = trained.timestep_sinusoid(steps, self.network.config.denoiser.width)
            embedding = self.time_embed(sinusoid.to(self.dtype))
            return [bias + layers(embedding)[0] for layers, bias in self.time_parts]

    @torch.inference_mode()
    def listen(self, audio: Tensor, n_frames: int) -> ClipDenoiser:
        """Prepare a batch of clips.

        :param audio: (B, M, D) audio features.
        :param n_frames: frames N of the coefficients.
        """
        audio = audio.to(self.first_bias.device, self.dtype)
        heard = [transformer.listen(audio, self.null) for transformer in self.transformers]
        return ClipDenoiser(self, heard, n_frames, audio.shape[1])


def _converted(model: trained.UNet, network: SaidNetwork, dtype: torch.dtype) -> trained.UNet:
    copy = trained.UNet(len(network.config.names), network.config.denoiser)
    copy.load_state_dict(model.state_dict())
    return copy.to(next(model.parameters()).device, dtype).eval()


class ClipDenoiser:
    """The denoiser of given clips, with all that does not change between steps."""

    def __init__(self, owner: GuidedDenoiser, heard: list[Heard], n_frames: int, n_features: int) -> None:
        self.owner, self.heard = owner, heard
        self.n_frames, self.n_features = n_frames, n_features
        self.bands: dict[int, Band] = {}
        self.biases: dict[float, list[Tensor]] = {}

    def pair(self, x: Tensor, timestep: float) -> tuple[Tensor, Tensor]:
        """Predict with and without audio: (B, N, K) twice."""
        conditional, unconditional = self._run(x, timestep, silent=True).chunk(2)
        return conditional, unconditional

    def conditional(self, x: Tensor, timestep: float) -> Tensor:
        """Predict with audio only, in half the time."""
        return self._run(x, timestep, silent=False)

    def _band(self, timestep: float) -> Band | None:
        bandwidth = self.owner.alignment.at(timestep)
        if bandwidth is None:
            return None
        if bandwidth not in self.bands:
            band = alignment_band(self.n_frames, self.n_features, bandwidth)
            self.bands[bandwidth] = band.to(self.heard[0].keys.device)
        return self.bands[bandwidth]

    @torch.inference_mode()
    def _run(self, x: Tensor, timestep: float, silent: bool) -> Tensor:
        owner = self.owner
        if timestep not in self.biases:
            self.biases[timestep] = owner.time_biases(timestep)
        biases, band = self.biases[timestep], self._band(timestep)
        residual, transformer = owner.residuals, owner.transformers
        first = owner.first(x.to(owner.dtype).contiguous(), owner.first_bias)
        second = transformer[0](residual[0](first, biases[0]), self.heard[0], band, silent)
        h = transformer[1](residual[1](second, biases[1]), self.heard[1], band, silent)
        h = residual[2](h, biases[2])
        h = transformer[2](residual[3](torch.cat([h, second], -1), biases[3]), self.heard[2], band, silent)
        first = torch.cat([first, first]) if silent else first
        h = transformer[3](residual[4](torch.cat([h, first], -1), biases[4]), self.heard[3], band, silent)
        return owner.last(F.silu(owner.last_norm(h)), owner.last_bias).to(x.dtype)

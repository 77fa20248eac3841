"""The denoiser: a conditional U-Net without down- and up-sampling (paper 4.2.1, figure 3).

One encoder block, one middle block, two decoder blocks. Parameters carry the names of the published state dict, so it
loads without translation. Everything is (B, N, C), frames before channels.

What a clip's audio contributes, keys and values in every attention to it, does not change between denoising steps:
:meth:`Denoiser.condition` computes it, :meth:`Denoiser.predict` uses it, and calling the denoiser does one after the
other. A guided step needs the prediction with the audio and without it. Up to the first attention to the audio both are
one; without audio the keys of all frames are one and the same, hence the attention to them is a constant vector.
"""

from __future__ import annotations

import math
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from said_model.config import Alignment, DenoiserConfig
from said_model.network.attention import alignment_band
from said_model.network.conditioning import Attention, AudioConditioning, Bands, LayerConditioning
from said_model.network.layers import Convolution, GroupNorm, Linear, Pointwise, together

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


def _twice(x: Tensor, like: Tensor) -> Tensor:
    """Repeat ``x`` for the unconditional half where ``like`` has one already and ``x`` has not."""
    return x if len(x) == len(like) else torch.cat([x, x])


class ResidualBlock(nn.Module):
    """GroupNorm, SiLU, convolution; plus the timestep; the same again; plus the input."""

    def __init__(self, channels: int, width: int, dropout: float) -> None:
        super().__init__()
        self.in_layers = nn.Sequential(GroupNorm(GROUPS, channels), nn.SiLU(), Convolution(channels, width))
        self.emb_layers = nn.Sequential(nn.SiLU(), Linear(4 * width, width))
        self.out_layers = nn.Sequential(
            GroupNorm(GROUPS, width), nn.SiLU(), nn.Dropout(dropout), _zeroed(Convolution(width, width))
        )
        self.skip_connection = nn.Identity() if channels == width else Pointwise(channels, width)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(B, N, channels) and the (B or 1, 4C) timestep embedding, after its SiLU, to (B, N, C)."""
        norm, activate, convolve = self.in_layers
        # All blocks begin with the same SiLU of the same embedding: it is taken once, by the network.
        h = convolve(activate(norm(x)), shift=self.emb_layers[1](embedding))
        norm, activate, dropout, convolve = self.out_layers
        return convolve(dropout(activate(norm(h))), add=self.skip_connection(x))


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

    def forward(self, x: Tensor, add: Tensor) -> Tensor:
        """(…, C) to (…, C), plus ``add``."""
        return self.net[2](self.net[0](x), add)


class TransformerLayer(nn.Module):
    """Self-attention, attention to the audio, feed-forward; each normalised before and added after."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        width, heads = config.width, config.heads
        self.attn1 = Attention(width, width, heads)
        self.ff = FeedForward(width)
        self.attn2 = Attention(width, config.feature_dim, heads)
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)

    def forward(self, x: Tensor, audio: LayerConditioning, bands: Bands, chosen: Tensor | None) -> Tensor:
        """(B, N, C) to (B, N, C), or to the (2B, N, C) of a guided step; then the input may be either."""
        x = self.attn1(self.norm1(x), x)
        batch = len(audio.keys_values[0][0])
        given = x[:batch]
        attended = self.attn2.attend(self.norm2(given), audio, bands, chosen, given)
        if audio.unconditional is not None:
            attended = torch.cat([attended, x[-batch:] + audio.unconditional])
        return self.ff(self.norm3(attended), attended)


class TransformerBlock(nn.Module):
    """GroupNorm over channels, one transformer layer, 1 x 1 convolution that starts at zero, plus the input."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.norm = GroupNorm(GROUPS, config.width, eps=1e-6)
        self.transformer_blocks = nn.ModuleList([TransformerLayer(config)])
        self.proj_out = _zeroed(Pointwise(config.width, config.width))

    def forward(self, x: Tensor, audio: LayerConditioning, bands: Bands, chosen: Tensor | None) -> Tensor:
        """(B, N, C) to (B, N, C); see :class:`TransformerLayer`."""
        h = self.transformer_blocks[0](self.norm(x), audio, bands, chosen)
        return self.proj_out(h, add=_twice(x, h))


class UNet(nn.Module):
    """The network proper; see :class:`Denoiser`."""

    def __init__(self, channels: int, config: DenoiserConfig) -> None:
        super().__init__()
        width = config.width

        def residual(inputs: int = width) -> ResidualBlock:
            return ResidualBlock(inputs, width, config.dropout)

        def block(inputs: int = width) -> nn.ModuleList:
            return nn.ModuleList([residual(inputs), TransformerBlock(config)])

        self.time_embed = nn.Sequential(Linear(width, 4 * width), nn.SiLU(), Linear(4 * width, 4 * width))
        self.input_blocks = nn.ModuleList([nn.ModuleList([Convolution(channels, width)]), block()])
        self.middle_block = nn.ModuleList([residual(), TransformerBlock(config), residual()])
        self.output_blocks = nn.ModuleList([block(2 * width), block(2 * width)])
        self.out = nn.Sequential(GroupNorm(GROUPS, width), nn.SiLU(), Convolution(width, channels))

    def transformers(self) -> list[TransformerBlock]:
        """Return the transformer blocks in the order in which they run."""
        blocks = [self.input_blocks[1], self.middle_block, *self.output_blocks]
        return [block[1] for block in cast(Any, blocks)]

    def forward(self, x: Tensor, sinusoid: Tensor, audio: AudioConditioning, chosen: Tensor | None) -> Tensor:
        """(B, N, K) and the (B or 1, C) timestep sinusoid to (B, N, K), twice the batch for a guided step."""
        embedding, layers, bands = F.silu(self.time_embed(sinusoid)), iter(audio.layers), audio.bands
        blocks: Any = self.input_blocks
        first = blocks[0][0](x)
        residual, transformer = blocks[1]
        h = transformer(residual(first, embedding), next(layers), bands, chosen)
        skips = [first, h]
        before, transformer, after = cast(Any, self.middle_block)
        h = after(transformer(before(h, embedding), next(layers), bands, chosen), embedding)
        for residual, transformer in cast(Any, self.output_blocks):
            joined = torch.cat([h, _twice(skips.pop(), h)], dim=-1)
            h = transformer(residual(joined, embedding), next(layers), bands, chosen)
        norm, activate, convolve = self.out
        return convolve(activate(norm(h)))


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

    def bands(
        self, n_frames: int, n_features: int, device: torch.device | str | None = None, dense: bool = False
    ) -> Bands:
        """Return the alignment's bands for N frames and M features: one, and one for each entry of its schedule.

        :param dense: with masks (N, M), for short windows that are attended to once: fewer operators.
        """
        widths = [self.alignment.bandwidth, *(width for _, width in self.alignment.schedule)]
        found = [None if width is None else alignment_band(n_frames, n_features, width, device) for width in widths]
        return tuple(band.dense(n_features) if band is not None and dense else band for band in found)

    def condition(
        self, audio: Tensor, n_frames: int, null: Tensor | None = None, bands: Bands | None = None
    ) -> AudioConditioning:
        """Compute once what every denoising step of a batch of clips needs of their audio.

        :param audio: (B, M, D) audio features; M may differ from N.
        :param n_frames: frames N of the coefficients.
        :param null: (1, D) null condition, for predictions with the audio and without it.
        :param bands: of :meth:`bands` for N and M, where they are at hand.
        """
        bands = self.bands(n_frames, audio.shape[1], audio.device) if bands is None else bands
        attentions: list[Any] = [cast(Any, block.transformer_blocks[0]).attn2 for block in self.model.transformers()]
        parts = iter(together(audio, [part for one in attentions for part in (one.to_k, one.to_v)]))
        layers = (one.condition(keys, values, bands, null) for one, keys, values in zip(attentions, parts, parts))
        return AudioConditioning(tuple(layers), bands)

    def predict(self, noisy: Tensor, timesteps: Tensor, audio: AudioConditioning) -> Tensor:
        """Predict, given audio that is prepared.

        :param noisy: (B, N, K) noisy coefficients.
        :param timesteps: (B,) diffusion timesteps, or (1,) for all.
        :param audio: of :meth:`condition`.
        :return: (B, N, K); with a null condition (2B, N, K): with the audio, then without it.
        """
        chosen: Tensor | None = None
        for start, _ in self.alignment.schedule:
            reached = (timesteps >= start).long()
            chosen = reached if chosen is None else chosen + reached
        sinusoid = timestep_sinusoid(timesteps, self.config.width).to(noisy.dtype)
        return self.model(noisy, sinusoid, audio, chosen)

    def forward(self, noisy: Tensor, timesteps: Tensor, audio: Tensor, bands: Bands | None = None) -> Tensor:
        """Predict.

        :param noisy: (B, N, K) noisy coefficients.
        :param timesteps: (B,) diffusion timesteps.
        :param audio: (B, M, D) audio features; M may differ from N.
        :param bands: of :meth:`bands` for N and M, where they are at hand.
        :return: (B, N, K).
        """
        return self.predict(noisy, timesteps, self.condition(audio, noisy.shape[1], bands=bands))

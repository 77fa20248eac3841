"""The denoiser of given clips: what the denoising steps of a clip call, with the audio and without it."""

from __future__ import annotations

import torch
from torch import Tensor

from said_model.network.conditioning import AudioConditioning
from said_model.network.packed import for_sampling
from said_model.network.said import SaidNetwork


class GuidedDenoiser:
    """A network's denoiser for sampling. Holds no state of a clip: :meth:`condition` starts one.

    :param network: the trained network, on its device.
    :param dtype: precision of the weights and activations.
    """

    def __init__(self, network: SaidNetwork, dtype: torch.dtype = torch.float32) -> None:
        self.config, self.dtype = network.config, dtype
        self.device = network.null_cond_emb.device
        self.denoiser = for_sampling(network.denoiser, dtype)
        self.null = network.null_cond_emb.detach()[0].to(dtype)

    @torch.inference_mode()
    def condition(self, audio: Tensor, n_frames: int) -> ClipDenoiser:
        """Prepare a batch of clips.

        :param audio: (B, M, D) audio features.
        :param n_frames: frames N of the coefficients.
        """
        return ClipDenoiser(self, self.denoiser.condition(audio.to(self.device, self.dtype), n_frames, self.null))


class ClipDenoiser:
    """The denoiser of given clips, with all that does not change between steps.

    :param owner: whose denoiser it is.
    :param audio: the clips' audio.
    """

    def __init__(self, owner: GuidedDenoiser, audio: AudioConditioning) -> None:
        self.owner, self.audio, self.alone = owner, audio, audio.without_unconditional()

    def pair(self, x: Tensor, timestep: float) -> tuple[Tensor, Tensor]:
        """Predict with and without audio: (B, N, K) twice."""
        conditional, unconditional = self._predict(x, timestep, self.audio).chunk(2)
        return conditional, unconditional

    def conditional(self, x: Tensor, timestep: float) -> Tensor:
        """Predict with audio only, in half the time."""
        return self._predict(x, timestep, self.alone)

    @torch.inference_mode()
    def _predict(self, x: Tensor, timestep: float, audio: AudioConditioning) -> Tensor:
        owner = self.owner
        steps = torch.full((1,), timestep, device=owner.device)
        return owner.denoiser.predict(x.to(owner.dtype).contiguous(), steps, audio).to(x.dtype)

"""Training losses (paper Eq. 5 to 8)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from said_model.config import require

ERRORS = ("absolute", "squared")


@dataclass(frozen=True)
class DiffusionLoss:
    """The noise loss plus the noise-level velocity loss.

    :param error: ``absolute`` in the paper (Eq. 5); ``squared`` is the ablation of its Table 2.
    :param velocity_weight: of the velocity loss (Eq. 7); 1 in the paper, 0 leaves it out.
    """

    error: str = "absolute"
    velocity_weight: float = 1.0

    def __post_init__(self) -> None:
        require(self.error in ERRORS, "unknown error", ERRORS, self.error)
        require(self.velocity_weight >= 0, "wrong weight of the velocity loss", "0 or more", self.velocity_weight)

    def __call__(self, prediction: Tensor, target: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return ``loss`` and its parts ``noise`` and ``velocity``, means over what the mask admits.

        :param prediction: (B, N, K) of the network.
        :param target: what it should be (the noise, in the paper).
        :param mask: (B, N) false where a frame does not count; a velocity counts where both its frames do.
        """
        miss = prediction.float() - target
        noise = self._mean(miss, mask)
        velocity = self._mean(miss.diff(dim=1), mask[:, 1:] & mask[:, :-1])
        return {"loss": noise + self.velocity_weight * velocity, "noise": noise, "velocity": velocity}

    def _mean(self, miss: Tensor, mask: Tensor) -> Tensor:
        error = miss.abs() if self.error == "absolute" else miss.square()
        weight = mask.unsqueeze(-1).to(error)
        return (error * weight).sum() / (weight.sum().clamp(min=1) * error.shape[-1])

"""Synchrony of sound and coefficients without rendering: a small contrastive model, scored as SyncNet is.

Two stacks of convolutions over time, one over audio features and one over coefficients, embed every frame on the unit
sphere; training (:mod:`said_model.training.tasks.sync_expert`) brings frames of one instant together. Offset and
confidence are those of Chung and Zisserman 2016: the shift of least mean distance, and median less minimum of the
distances over shifts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from blendvoca.errors import InputError
from said_model.checkpoints.small_files import SmallFiles
from said_model.config import LOG_MEL
from said_model.ranges import (
    HIGHEST_FPS,
    LOWEST_FPS,
    MOST_FEATURES,
    WIDEST,
    build,
    listed,
    require_integer,
    require_label,
    require_number,
    require_shapes,
)

FILES = SmallFiles("sync", "said-sync", "sync expert", "said train-sync")
#: Largest shift that is tried, in frames.
REACH = 15
#: Frames of the shortest clip that can be tried at all those shifts.
LEAST_FRAMES = 2 * REACH + 2


@dataclass(frozen=True)
class SyncConfig:
    """What a sync expert is made of.

    :param names: blendshapes, in column order.
    :param fps: of the coefficients.
    :param feature_dim: width of the audio features.
    :param encoder: name of the encoder they come from.
    :param width: channels of the convolutions.
    :param size: of an embedding.
    """

    names: tuple[str, ...]
    fps: float
    feature_dim: int
    encoder: str = LOG_MEL
    width: int = 96
    size: int = 48

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", listed(self.names, "names of blendshapes"))
        require_shapes(self.names)
        require_number(self.fps, "frame rate", LOWEST_FPS, HIGHEST_FPS)
        require_integer(self.feature_dim, "width of audio features", 1, MOST_FEATURES)
        require_label(self.encoder, "speech encoder")
        require_integer(self.width, "width of the sync expert", 1, WIDEST)
        require_integer(self.size, "size of an embedding", 1, WIDEST)


class SyncExpert(nn.Module):
    """Audio features (B, N, D) and coefficients (B, N, K) to unit embeddings (B, N, size)."""

    def __init__(self, config: SyncConfig) -> None:
        super().__init__()
        self.config = config
        self.audio = _stack(config.feature_dim, config.width, config.size)
        self.motion = _stack(2 * len(config.names), config.width, config.size)
        self.log_temperature = nn.Parameter(torch.tensor(-2.0))

    def encode_audio(self, features: Tensor) -> Tensor:
        """Embed audio features."""
        return F.normalize(self.audio(features.transpose(1, 2)).transpose(1, 2), dim=-1)

    def encode_motion(self, coefficients: Tensor) -> Tensor:
        """Embed coefficients; their change from frame to frame is given too."""
        change = F.pad(coefficients.diff(dim=1), (0, 0, 1, 0)) * 10
        both = torch.cat([coefficients, change], dim=-1)
        return F.normalize(self.motion(both.transpose(1, 2)).transpose(1, 2), dim=-1)


def _stack(channels: int, width: int, size: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(channels, width, 1), nn.GELU(), nn.GroupNorm(1, width),
        nn.Conv1d(width, width, 5, padding=2), nn.GELU(), nn.GroupNorm(1, width),
        nn.Conv1d(width, width, 5, padding=4, dilation=2), nn.GELU(), nn.GroupNorm(1, width),
        nn.Conv1d(width, size, 1),
    )  # fmt: skip


@dataclass(frozen=True)
class Synchrony:
    """Offset and confidence.

    :param offset: frames by which the motion comes late (early if negative).
    :param confidence: median less minimum of the distances.
    :param distances: mean distance at every shift from -reach to reach.
    """

    offset: int
    confidence: float
    distances: tuple[float, ...]


def best_shift(distances: NDArray[np.floating] | Sequence[float]) -> Synchrony:
    """Read offset and confidence off mean distances (2 reach + 1,) at rising shifts.

    :raises InputError: for an even number of shifts.
    """
    array = np.asarray(distances, dtype=np.float64)
    if array.ndim != 1 or len(array) % 2 == 0 or not np.isfinite(array).all():
        raise InputError("wrong distances", expected="an odd number of finite values", found=array.shape)
    offset = int(array.argmin()) - len(array) // 2
    return Synchrony(offset, float(np.median(array) - array.min()), tuple(array.tolist()))


def shift_distances(first: NDArray[np.floating], second: NDArray[np.floating], reach: int) -> NDArray[np.float64]:
    """Return the mean distance between rows ``first[t]`` and ``second[t + shift]`` for shifts from -reach to reach.

    Every shift looks at the same rows of ``first``, those that have a partner at all of them.

    :raises InputError: for fewer than 2 reach + 2 rows, or different lengths.
    """
    count = len(first)
    if len(second) != count or count < 2 * reach + 2:
        raise InputError("too few frames to try shifts", expected=f"two of at least {2 * reach + 2}",
                         found=(count, len(second)))  # fmt: skip
    middle = first[reach : count - reach]
    partners = (second[shift : shift + len(middle)] for shift in range(2 * reach + 1))
    return np.array([np.linalg.norm(middle - part, axis=1).mean() for part in partners])


@torch.no_grad()
def synchrony(
    model: SyncExpert, features: NDArray[np.floating], coefficients: NDArray[np.floating], reach: int = REACH
) -> Synchrony:
    """Score one clip.

    :param features: (N, D) of the sound.
    :param coefficients: (N, K) in the model's order and rate.
    :raises InputError: for other widths, or too short a clip.
    """
    config = model.config
    widths = (features.shape[-1], coefficients.shape[-1])
    if widths != (config.feature_dim, len(config.names)):
        raise InputError("the sync expert knows other inputs", expected=(config.feature_dim, len(config.names)),
                         found=widths)  # fmt: skip
    count = min(len(features), len(coefficients))
    sound = model.encode_audio(torch.as_tensor(np.array(features[None, :count], dtype=np.float32)))
    seen = model.encode_motion(torch.as_tensor(np.array(coefficients[None, :count], dtype=np.float32)))
    return best_shift(shift_distances(sound[0].numpy(), seen[0].numpy(), reach))


def save_sync(folder: str | PathLike[str], model: SyncExpert, notes: Mapping[str, Any]) -> None:
    """Write weights and configuration into a folder."""
    FILES.save(folder, model, model.config, notes)


def load_sync(folder: str | PathLike[str]) -> SyncExpert:
    """Load what :func:`save_sync` wrote, in evaluation mode, on the CPU.

    :raises MissingInputError: if it is not there.
    :raises FormatError: if it is something else.
    """
    return FILES.load(folder, lambda config: SyncExpert(build(SyncConfig, config)))

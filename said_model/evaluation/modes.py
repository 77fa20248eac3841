"""A track as the VAE is given it, and how many motions a system has for one sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.errors import InputError
from blendvoca.track import CoefficientTrack
from said_model.evaluation.metrics.coefficients import matched
from said_model.evaluation.metrics.multimodality import PAIRS, multimodality, style_multimodality
from said_model.evaluation.vae import FRAMES, CoefficientVAE, latent_features

#: Outputs for each audio of a model with styles (supplement 12).
STYLES = 8
#: Frames between windows of a track that the VAE looks at.
STRIDE = 60


def for_vae(truth: CoefficientTrack, track: CoefficientTrack) -> NDArray[np.float64]:
    """Return a track's values in the columns that the VAE knows, whatever others the shards hold, in whatever order.

    :param truth: of the same clip.
    :raises InputError: if one of those columns is missing.
    """
    missing = [name for name in BLENDVOCA_NAMES if name not in truth.names]
    if missing:
        raise InputError("the VAE knows other blendshapes", expected=f"the {len(BLENDVOCA_NAMES)} of BlendVOCA",
                         found=f"no {missing[:3]}", remedy="Leave --vae out.")  # fmt: skip
    values = matched(truth, track)[1]
    return values[:, truth.columns(BLENDVOCA_NAMES)]


def latents(vae: CoefficientVAE, values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return features (n, 64) of windows every :data:`STRIDE` frames; a short track is held at its last frame.

    :param values: (T, 32) coefficients.
    """
    if len(values) < FRAMES:
        values = np.concatenate([values, np.repeat(values[-1:], FRAMES - len(values), axis=0)])
    starts = range(0, len(values) - FRAMES + 1, STRIDE)
    return latent_features(vae, np.stack([values[start : start + FRAMES] for start in starts]))


def modes(features: NDArray[np.float64], seed: int) -> float:
    """Return the multimodality of one clip's samples (n, d); with one sample it is zero."""
    if len(features) == 1:
        return 0.0
    if len(features) == STYLES:
        return style_multimodality({"": features}).value
    pairs = min(PAIRS, len(features) // 2)
    return multimodality({"": features}, np.random.default_rng(seed), pairs=pairs).value


def pairs_note(least: int) -> str:
    """Return what a reader has to know, where the clip with the fewest samples has ``least``."""
    if least == 1:
        return "multimodality: one sample for some audio, zero there by definition"
    if least == STYLES:
        return "multimodality: eight samples, every pair with repetition (supplement 12)"
    return f"multimodality: {min(PAIRS, least // 2)} pairs for each audio (the paper: {PAIRS})"

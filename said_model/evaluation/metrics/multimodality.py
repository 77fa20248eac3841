"""Multimodality: how much samples for one audio differ (paper Eq. 13; Guo et al. 2020)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import InputError

#: Pairs drawn for every audio clip (S_l, supplement 10).
PAIRS = 36


@dataclass(frozen=True)
class Multimodality:
    """Mean distance of paired samples.

    :param value: the mean, in latent units.
    :param pairs: pairs it was taken over.
    :param clips: audio clips they came from.
    """

    value: float
    pairs: int
    clips: int


def paired_distance(first: NDArray[np.floating], second: NDArray[np.floating]) -> float:
    """Return the mean Euclidean distance between rows (n, d) of two sets (Eq. 13 without the drawing).

    :raises InputError: if the sets differ in shape or are empty.
    """
    if first.shape != second.shape or first.ndim != 2 or not len(first):
        raise InputError("pairs do not match", expected="two arrays (n, d)", found=(first.shape, second.shape))
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    return float(np.linalg.norm(difference, axis=1).mean())


def multimodality(
    samples: Mapping[str, NDArray[np.floating]], rng: np.random.Generator, *, pairs: int = PAIRS
) -> Multimodality:
    """Return the multimodality of samples drawn at random: clip to latent features (n, d), n ≥ 2 · pairs.

    The two subsets of a clip do not overlap.

    :raises InputError: if a clip has fewer samples.
    """
    first, second = [], []
    for clip, features in samples.items():
        if len(features) < 2 * pairs:
            raise InputError(
                f"too few samples of {clip}",
                expected=f"{2 * pairs} (two subsets of {pairs})",
                found=len(features),
                remedy="Sample more per audio, or lower the number of pairs.",
            )
        order = rng.permutation(len(features))
        first.append(features[order[:pairs]])
        second.append(features[order[pairs : 2 * pairs]])
    if not first:
        raise InputError("no clips to compare")
    return Multimodality(paired_distance(np.concatenate(first), np.concatenate(second)), pairs * len(first), len(first))


def style_multimodality(samples: Mapping[str, NDArray[np.floating]]) -> Multimodality:
    """Return the mean distance over every pair with repetition, for models with a fixed set of styles (supplement 12).

    Eight styles give 36 pairs, of which eight pair a sample with itself.
    """
    first, second = [], []
    for features in samples.values():
        left, right = zip(*combinations_with_replacement(range(len(features)), 2))
        first.append(features[list(left)])
        second.append(features[list(right)])
    if not first:
        raise InputError("no clips to compare")
    pairs = sum(len(part) for part in first)
    return Multimodality(paired_distance(np.concatenate(first), np.concatenate(second)), pairs, len(first))

"""What is refused before a transfer starts, by name."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import LandmarkError
from blendvoca.geometry.similarity import fit_similarity, rms_radius

Array = NDArray[np.float64]

#: Largest residual of the landmark alignment, of the RMS radius; faces stay below 0.17, a wrong scheme starts at 0.5.
MAX_RMS = 0.30


def landmark_pairs(
    source: Array, source_landmarks: ArrayLike, target: Array, target_landmarks: ArrayLike
) -> NDArray[np.int64]:
    """Return landmark pairs (m, 2), checked.

    :param source: (V, 3) and `target` (W, 3): vertices of the two meshes.
    :raises LandmarkError: for unequal lists, indices out of range, doubled landmarks, lists that are mirrored left to
        right, or that do not describe the same points of a face.
    """
    lists = [_indices(source_landmarks, len(source), "source"), _indices(target_landmarks, len(target), "target")]
    if len(lists[0]) != len(lists[1]):
        raise LandmarkError(
            "the two landmark lists differ in length", expected=len(lists[0]), found=len(lists[1]),
            remedy="Use one scheme for both meshes; lists of another scheme cannot be paired by position.",
        )  # fmt: skip
    if len(lists[0]) < 4:
        raise LandmarkError("too few landmarks", expected="at least 4 that span a face", found=len(lists[0]))
    pairs = np.column_stack(lists)
    _check_alignment(source[pairs[:, 0]], target[pairs[:, 1]])
    return pairs


def _indices(landmarks: ArrayLike, count: int, whose: str) -> NDArray[np.int64]:
    array = np.asarray(landmarks)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise LandmarkError(f"{whose} landmarks are no list of vertex indices", expected="(m,) integers",
                            found=f"{array.dtype} {array.shape}")  # fmt: skip
    bad = np.flatnonzero((array < 0) | (array >= count))
    if len(bad):
        found = int(array[bad[0]])
        raise LandmarkError(f"{whose} landmark {bad[0]} is not on the mesh", expected=f"0..{count - 1}", found=found)
    values, repeats = np.unique(array, return_counts=True)
    if (repeats > 1).any():
        twice = int(values[repeats > 1][0])
        where = np.flatnonzero(array == twice).tolist()
        raise LandmarkError(f"{whose} landmarks {where} are the same vertex", found=twice, remedy="Pick them apart.")
    return array.astype(np.int64)


def _check_alignment(source: Array, target: Array) -> None:
    radius = rms_radius(target)
    if not radius > 0:
        raise LandmarkError("the target's landmarks are all in one place")
    straight = fit_similarity(source, target).rms / radius
    mirrored = fit_similarity(source * [-1.0, 1.0, 1.0], target).rms / radius
    if straight > MAX_RMS and mirrored < 0.6 * straight:
        raise LandmarkError(
            "the landmarks are mirrored left to right",
            found=f"they fit to {straight:.0%} of their radius as they are, to {mirrored:.0%} mirrored",
            remedy="Exchange left and right in one of the lists (or flip the mesh, if it is inside out).",
        )
    if straight > MAX_RMS:
        raise LandmarkError(
            "the landmarks do not describe the same points of a face",
            expected=f"a similarity that fits to {MAX_RMS:.0%} of their radius", found=f"{straight:.0%}",
            remedy="Check the order and the scheme of both lists.",
        )  # fmt: skip

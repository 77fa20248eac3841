"""Skins: where the skeleton of a glTF file holds each vertex of a mesh."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from blendvoca.io.gltf.accessors import Accessors
from blendvoca.io.gltf.container import GltfFile

#: Sets of four joints that a vertex may have.
MOST_SETS = 8


def joint_matrices(
    file: GltfFile, accessors: Accessors, worlds: Mapping[int, NDArray[np.float64]], skin: int
) -> NDArray[np.float64]:
    """Return for each joint of a skin the matrix (J, 3, 4) from the mesh's own space to the scene.

    The joints stand as their nodes do: what a viewer shows before anything is animated.

    :param worlds: matrix (4, 4) of every node of the scene.
    :raises ValueError: for a skin that is none.
    """
    entry = file.entry("skins", skin)
    joints = entry["joints"]
    if not joints:
        raise ValueError("a skin without joints")
    outside = [joint for joint in joints if joint not in worlds]
    if outside:
        raise ValueError(f"a joint outside the scene: node {str(outside[0])[:20]}")
    matrices = np.stack([worlds[joint] for joint in joints])
    if "inverseBindMatrices" in entry:
        # Column-major in the file.
        bind = accessors.read(entry["inverseBindMatrices"]).reshape(-1, 4, 4).transpose(0, 2, 1)
        if len(bind) < len(joints):
            raise ValueError(f"{len(bind)} bind matrices for {len(joints)} joints")
        matrices = matrices @ bind[: len(joints)]
    if not np.isfinite(matrices).all():
        raise ValueError("bind matrices that are not finite")
    return np.asarray(matrices[:, :3])


def skin_matrices(
    joints: NDArray[np.float64], holds: Sequence[tuple[NDArray[np.int64], NDArray[np.float64]]], count: int
) -> NDArray[np.float64]:
    """Return the matrix (n, 3, 4) of every vertex. The node of a skinned mesh itself counts for nothing.

    :param joints: (J, 3, 4) matrix of each joint.
    :param holds: joints (n, 4) of the vertices and their weights (n, 4), a pair for each set.
    :raises ValueError: for joints or weights that are none.
    """
    total, weight = np.zeros((count, 3, 4)), np.zeros(count)
    for indices, weights in holds:
        if indices.shape != weights.shape or len(indices) != count:
            raise ValueError(f"joints {indices.shape} and weights {weights.shape} of {count} vertices")
        if indices.size and not 0 <= indices.min() <= indices.max() < len(joints):
            raise ValueError(f"joint {indices.max()} of {len(joints)}")
        for column, share in zip(indices.T, weights.T):
            total += share[:, None, None] * joints[column]
            weight += share
    if not np.isfinite(weight).all():
        raise ValueError("weights that are not finite")
    # Weights need not add up to one exactly; a vertex without any stays where the first joint holds it.
    bound = weight > 1e-6
    total[bound] /= weight[bound, None, None]
    total[~bound] = joints[0]
    return total

"""Figures of the page: how far two tracks are apart on the mesh, and how far a fit is from its frames."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.crop import Crop
from blendvoca.errors import MeshError
from blendvoca.rig import BlendshapeRig
from blendvoca.sequence import MeshSequence
from blendvoca.track import CoefficientTrack

_BLOCK = 64


@dataclass(frozen=True)
class Difference:
    """How far a track is from the first, over their common time.

    :param label: the track's.
    :param mean_mm: mean distance of vertices in mm.
    :param max_mm: the largest.
    :param coefficient_rms: root mean square difference of the coefficients that both have.
    :param seconds: common time.
    """

    label: str
    mean_mm: float
    max_mm: float
    coefficient_rms: float
    seconds: float


@dataclass(frozen=True, eq=False)
class FitErrors:
    """How far a fitted clip is from the meshes it was fitted to.

    :param vertex_mean_mm: (V,) mean over the frames.
    :param vertex_max_mm: (V,) largest over the frames.
    """

    vertex_mean_mm: NDArray[np.float64]
    vertex_max_mm: NDArray[np.float64]


def difference(rig: BlendshapeRig, first: CoefficientTrack, other: CoefficientTrack, label: str) -> Difference:
    """Compare two tracks on a rig (in metres), at the first one's frames.

    :raises TrackError: if they have no blendshape in common.
    """
    other = other if other.fps == first.fps else other.resampled(first.fps)
    frames = min(len(first), len(other))
    left, right = _columns(first, rig)[:frames], _columns(other, rig)[:frames]
    steps = (right - left).astype(np.float32)
    flat = rig.deltas.reshape(len(rig.names), -1).astype(np.float32)
    total, largest = 0.0, 0.0
    for start in range(0, frames, _BLOCK):
        offsets = (steps[start : start + _BLOCK] @ flat).reshape(-1, rig.neutral.n_vertices, 3)
        distance = np.linalg.norm(offsets, axis=2)
        total += float(distance.sum(dtype=np.float64))
        largest = max(largest, float(distance.max()))
    shared = [name for name in first.names if name in other.names]
    apart = first.select(shared).values[:frames] - other.select(shared).values[:frames]
    mean = total / (frames * rig.neutral.n_vertices)
    return Difference(label, 1000 * mean, 1000 * largest, float(np.sqrt((apart**2).mean())), frames / first.fps)


def _columns(track: CoefficientTrack, rig: BlendshapeRig) -> NDArray[np.float64]:
    """Return the track's values on the rig's shapes (T, K), zero for those it lacks."""
    values = np.zeros((len(track), len(rig.names)))
    index = {name: place for place, name in enumerate(rig.names)}
    for column, name in enumerate(track.names):
        if name in index:
            values[:, index[name]] = track.values[:, column]
    return values


def fit_errors(rig: BlendshapeRig, crop: Crop | None, track: CoefficientTrack, sequence: MeshSequence) -> FitErrors:
    """Measure a fit against its frames, vertex by vertex.

    :param crop: relates the sequence's whole head to the rig's vertices.
    :raises MeshError: if the sequence has another number of vertices or frames.
    """
    count = rig.neutral.n_vertices
    kept = None if crop is None else crop.kept
    if sequence.n_vertices == count:
        kept = None
    elif crop is None or sequence.n_vertices != crop.n_vertices:
        raise MeshError(f"{sequence.name} is of another topology", expected=f"{count} vertices",
                        found=sequence.n_vertices)  # fmt: skip
    if len(sequence) != len(track):
        raise MeshError(f"{sequence.name} is of another length", expected=f"{len(track)} frames", found=len(sequence))
    values, row = _columns(track, rig), 0
    total, largest = np.zeros(count), np.zeros(count)
    for block in sequence.blocks(_BLOCK):
        given = block if kept is None else block[:, kept]
        distance = np.linalg.norm(rig.pose(values[row : row + len(block)]) - given, axis=2)
        total += distance.sum(axis=0)
        largest = np.maximum(largest, distance.max(axis=0))
        row += len(block)
    return FitErrors(1000 * total / len(track), 1000 * largest)

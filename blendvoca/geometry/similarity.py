"""Least-squares similarity between two point sets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import MeshError


@dataclass(frozen=True)
class Similarity:
    """x → scale · rotation @ x + translation.

    :param scale: the target's units in one of the source's.
    :param rotation: (3, 3), without reflection.
    :param translation: (3,) in the target's unit.
    :param rms: root mean square distance left between the fitted points, in the target's unit.
    """

    scale: float
    rotation: NDArray[np.float64]
    translation: NDArray[np.float64]
    rms: float

    def points(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map positions (…,3).

        :param points: (..., 3) positions.
        """
        return self.vectors(points) + self.translation

    def vectors(self, vectors: NDArray[np.float64]) -> NDArray[np.float64]:
        """Map displacements (…,3): scaled and rotated, not moved.

        :param vectors: (..., 3) displacements.
        """
        return np.asarray(self.scale * (np.asarray(vectors) @ self.rotation.T))

    @property
    def inverse(self) -> Similarity:
        """The similarity that undoes this one."""
        rotation = self.rotation.T
        scale = 1.0 / self.scale
        return Similarity(scale, rotation, -scale * (rotation @ self.translation), self.rms * scale)

    @property
    def angle_deg(self) -> float:
        """Rotation angle in degrees."""
        return float(np.degrees(np.arccos(np.clip((np.trace(self.rotation) - 1) / 2, -1, 1))))


def fit_similarity(source: NDArray[np.float64], target: NDArray[np.float64]) -> Similarity:
    """Similarity that takes `source` (m,3) closest to `target` (m,3), without reflection (Umeyama 1991).

    :param source: (m, 3) positions.
    :param target: (m, 3) positions, row by row those of the source.
    :raises MeshError: for fewer than three points, or points on one line (the rotation is then not determined).
    """
    source = np.asarray(source, dtype=np.float64)
    target = np.asarray(target, dtype=np.float64)
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 3 or len(source) < 3:
        found = f"{source.shape} and {target.shape}"
        raise MeshError("a similarity needs paired points", expected="two (m, 3) arrays, m >= 3", found=found)
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    x, y = source - source_mean, target - target_mean
    u, singular, vt = np.linalg.svd(y.T @ x)
    if singular[1] <= 1e-9 * singular[0]:
        raise MeshError("a similarity needs points that span a plane", found="points on one line")
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = (u * sign) @ vt
    scale = float((singular * sign).sum() / (x**2).sum())
    left = target_mean - scale * (rotation @ source_mean)
    residual = y - scale * (x @ rotation.T)
    return Similarity(scale, rotation, left, float(np.sqrt((residual**2).sum(axis=1).mean())))


def fit_rigid(source: NDArray[np.float64], target: NDArray[np.float64]) -> Similarity:
    """Rotation and translation, of scale 1, that take `source` (m,3) closest to `target` (m,3) (Kabsch 1976).

    :param source: (m, 3) positions.
    :param target: (m, 3) positions, row by row those of the source.
    :raises MeshError: as :func:`fit_similarity`.
    """
    rotation = fit_similarity(source, target).rotation
    shift = target.mean(axis=0) - rotation @ source.mean(axis=0)
    left = target - source @ rotation.T - shift
    return Similarity(1.0, rotation, shift, float(np.sqrt((left**2).sum(axis=1).mean())))


def rms_radius(points: NDArray[np.float64]) -> float:
    """Return the root mean square distance of points from their mean, the size of a set of landmarks.

    :param points: (m, 3) positions.
    """
    return float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=1).mean()))

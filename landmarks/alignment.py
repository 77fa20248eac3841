"""The face's own frame: where landmarks stand, in an adult's millimetres, whatever the mesh's unit and pose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import LandmarkError, MeshError
from blendvoca.geometry import Similarity, fit_similarity
from blendvoca.ibug68 import INNER, MIRROR, N_LANDMARKS
from landmarks.prototype import PROTOTYPE

Array = NDArray[np.float64]
#: Residuals of about this size (metres) count half in the robust fit: real faces differ by less.
_ROBUST_SCALE = 0.008


@dataclass(frozen=True, eq=False)
class FaceFrame:
    """Landmarks in the frame of the prototype: +x left, +y up, +z ahead, an adult's size, millimetres.

    :param points: (68, 3) aligned landmarks in mm.
    :param to_mesh: prototype metres to mesh coordinates.
    :param rms: root mean square distance from the prototype, mm, of the best three quarters of the inner points: a few
        wrong ones are to be named, not to condemn the list.
    """

    points: Array
    to_mesh: Similarity
    rms: float

    @property
    def offsets(self) -> Array:
        """(68, 3) landmark minus prototype, mm."""
        return self.points - 1000.0 * PROTOTYPE


def align_face(positions: Array, subset: NDArray[np.integer] = INNER) -> FaceFrame:
    """Align landmark positions (68, 3) with the prototype by a similarity that outliers hardly move.

    :param subset: the points that decide.
    :raises LandmarkError: if the points fall together or lie on one line.
    """
    weights = np.ones(len(subset))
    try:
        for _ in range(20):
            to_mesh = weighted_similarity(PROTOTYPE[subset], positions[subset], weights)
            residual = np.linalg.norm(to_mesh.inverse.points(positions[subset]) - PROTOTYPE[subset], axis=1)
            # Geman-McClure: one point far away must not turn the face.
            weights = 1.0 / (1.0 + (residual / _ROBUST_SCALE) ** 2) ** 2
    except MeshError as error:
        raise LandmarkError("the landmarks span no face", expected="68 places on a face", found=error.found) from error
    points = 1000.0 * to_mesh.inverse.points(positions)
    best = np.sort(residual)[: (3 * len(residual)) // 4]
    return FaceFrame(points, to_mesh, float(1000.0 * np.sqrt((best**2).mean())))


def weighted_similarity(source: Array, target: Array, weights: Array) -> Similarity:
    """Similarity (without reflection) that takes ``source`` (m, 3) closest to ``target`` with weights (m,).

    :raises MeshError: for points on one line.
    """
    if not np.ptp(weights):
        return fit_similarity(source, target)
    share = weights / weights.sum()
    middle, there = share @ source, share @ target
    root = np.sqrt(share)[:, None]
    # Centred and scaled by the roots of the weights, plain least squares on the rest is the weighted problem.
    u, singular, vt = np.linalg.svd((root * (target - there)).T @ (root * (source - middle)))
    if not singular[1] > 1e-9 * singular[0]:
        raise MeshError("a similarity needs points that span a plane", found="points on one line")
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = (u * sign) @ vt
    scale = float((singular * sign).sum() / (share @ ((source - middle) ** 2).sum(axis=1)))
    residual = target - there - scale * ((source - middle) @ rotation.T)
    rms = float(np.sqrt((residual**2).sum(axis=1).mean()))
    return Similarity(scale, rotation, there - scale * (rotation @ middle), rms)


def asymmetry(points: Array) -> Array:
    """Distance (68,) in mm between each aligned point and the mirror image of its partner.

    The mirror plane is the one that fits best, so that a slight turn of the face does not count.
    """
    image = points[MIRROR] * np.array([-1.0, 1.0, 1.0])
    fit = fit_similarity(image[INNER], points[INNER])
    rigid = image @ fit.rotation.T
    rigid += (points - rigid)[INNER].mean(axis=0)
    return np.asarray(np.linalg.norm(points - rigid, axis=1))


def stray(offsets: Array, neighbours: int = 6) -> Array:
    """How far (68,) each point's offset is from what its neighbours' offsets say, in the unit of ``offsets``.

    The neighbours are those nearest on the prototype; their median forgives one or two that are wrong themselves.
    """
    distance = np.linalg.norm(PROTOTYPE[:, None] - PROTOTYPE[None], axis=2)
    near = np.argsort(distance + np.eye(N_LANDMARKS), axis=1)[:, :neighbours]
    return np.asarray(np.linalg.norm(offsets - np.median(offsets[near], axis=1), axis=1))

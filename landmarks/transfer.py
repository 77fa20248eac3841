"""Landmarks of one mesh on another of any topology: the landmarked face is bent onto the other, then read off.

From about ten picked points, or from none where both heads look the same way. The bending is the registration of
:mod:`blendvoca.transfer.registration` (Sumner and Popović 2004, section 4.1), with the picked points as exact markers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from blendvoca.crop import Crop
from blendvoca.errors import LandmarkError, MeshError
from blendvoca.geometry import Surface, face_areas, fit_similarity, geodesic_distances, vertex_components
from blendvoca.geometry.similarity import Similarity, rms_radius
from blendvoca.ibug68 import INDEX, INNER, NAMES
from blendvoca.mesh import Mesh
from blendvoca.transfer.registration import RegistrationConfig, register
from landmarks.check import LandmarkReport, check_landmarks
from landmarks.files import checked_indices, checked_points
from landmarks.pose import align_alike

Array = NDArray[np.float64]

#: Fewest picked points: they must span a face.
MIN_PICKS = 4


@dataclass(frozen=True, eq=False)
class LandmarkTransfer:
    """Landmarks found on a target.

    :param landmarks: (68,) vertices of the target.
    :param positions: (68, 3) where the bent source has them, before the nearest vertex was taken.
    :param report: the check of ``landmarks``.
    :param fit: mean distance of the bent source's face from the target's surface, of the face's radius.
    """

    landmarks: NDArray[np.int64]
    positions: Array
    report: LandmarkReport
    fit: float


def transfer_landmarks(
    source: Mesh, source_landmarks: ArrayLike, target: Mesh, picks: Mapping[str, int] | None = None
) -> LandmarkTransfer:
    """Find the 68 landmarks of ``target``.

    :param source: a head whose landmarks are known.
    :param source_landmarks: (68,) vertices of it.
    :param target: a head of any topology, in any unit.
    :param picks: names to vertices of the target that are known; they are kept as they are. None: both heads look the
        same way (any unit, any place).
    :raises LandmarkError: for fewer than four picks, picks on one line, mirrored picks, or faces that do not fit.
    :raises MeshError: if the target has no faces.
    """
    known = checked_points(picks, target.n_vertices) if picks else {}
    if picks and len(known) < MIN_PICKS:
        raise LandmarkError(
            "too few picked points",
            expected=f"at least {MIN_PICKS}, better ten",
            found=len(known),
            remedy="Pick more, or none where both heads look the same way.",
        )
    marks = checked_indices(source_landmarks, source.n_vertices)
    skin = _skin(target, np.array(list(known.values()), dtype=np.int64))
    cropped = skin.apply(target)
    face = _face(source, marks)
    local = face.apply(source)
    inside = face.indices(marks)
    pairs = np.array([(inside[INDEX[name]], skin.position[vertex]) for name, vertex in known.items()], dtype=np.int64)
    pairs = pairs.reshape(-1, 2)
    if known:
        to_target = _by_picks(local.vertices[pairs[:, 0]], cropped.vertices[pairs[:, 1]])
    else:
        to_target = align_alike(local, _near(local, inside[INNER], 0.25), cropped)
    unit = rms_radius(local.vertices[inside])
    start = local.vertices / unit
    goal = to_target.inverse.points(cropped.vertices) / unit
    stiff = (0.0, 1.0, 10.0, 100.0, 1000.0) if known else (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 1000.0)
    config = RegistrationConfig(closest=stiff, max_angle_deg=60.0, max_distance=0.3)
    bent = register(Surface(start, local.faces), Surface(goal, cropped.faces), pairs, config)
    found = _vertices(bent.vertices[inside], goal, dict(zip((INDEX[name] for name in known), pairs[:, 1].tolist())))
    landmarks = skin.kept[found]
    positions = to_target.points(bent.vertices[inside] * unit)
    return LandmarkTransfer(landmarks, positions, check_landmarks(target, landmarks), float(bent.distance.mean()))


def _skin(target: Mesh, picked: NDArray[np.int64]) -> Crop:
    """The component that holds the picks, or the one with most area: no eyeballs, teeth or hair."""
    if target.n_faces == 0:
        raise MeshError("the target has no faces", expected="a surface")
    labels = vertex_components(target.faces, target.n_vertices)
    if len(picked):
        held = np.unique(labels[picked])
        if len(held) > 1:
            raise LandmarkError(
                "the picked points lie on different parts of the mesh",
                expected="all on the skin",
                found=f"{len(held)} parts",
                remedy="Pick the lids and not the eyeballs; merge seams first.",
            )
        return Crop.of(labels == held[0], target.n_vertices)
    area = np.bincount(
        labels[target.faces[:, 0]], face_areas(target.vertices, target.faces), minlength=labels.max() + 1
    )
    return Crop.of(labels == area.argmax(), target.n_vertices)


def _near(mesh: Mesh, seeds: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    """Vertices within a share of the seeds' extent from a seed, along the surface."""
    reach = share * float(np.linalg.norm(np.ptp(mesh.vertices[seeds], axis=0)))
    return np.flatnonzero(geodesic_distances(mesh.vertices, mesh.faces, seeds) <= reach)


def _face(source: Mesh, marks: NDArray[np.int64]) -> Crop:
    """The part of the source around its landmarks; ears, back of the head and neck would only lead astray."""
    near = np.zeros(source.n_vertices, dtype=bool)
    near[_near(source, marks, 0.2)] = True
    near[marks] = True
    faces = source.faces[near[source.faces].all(axis=1)]
    used = np.zeros(source.n_vertices, dtype=bool)
    used[faces] = True
    if not used[marks].all():
        lost = [NAMES[point] for point in np.flatnonzero(~used[marks])]
        raise LandmarkError("landmarks of the source that no face uses", found=lost[:5])
    # Pieces without a landmark would float.
    labels = vertex_components(source.faces, source.n_vertices)
    return Crop.of(used & np.isin(labels, labels[marks]), source.n_vertices)


def _by_picks(source: Array, target: Array) -> Similarity:
    """Similarity by the picked points, which must not be mirrored."""
    straight = fit_similarity(source, target)
    mirrored = fit_similarity(source * [-1.0, 1.0, 1.0], target)
    radius = rms_radius(target)
    if straight.rms > 0.2 * radius:
        clue = "they fit mirrored: left and right are exchanged" if mirrored.rms < 0.6 * straight.rms else ""
        raise LandmarkError(
            "the picked points do not lie like a face's",
            expected="a similarity to 20 % of their radius",
            found=f"{straight.rms / radius:.0%} {clue}".strip(),
            remedy="Left is the person's own left.",
        )
    return straight


def _vertices(points: Array, vertices: Array, known: Mapping[int, int]) -> NDArray[np.int64]:
    """The nearest vertices (68,), each taken once; known ones stand."""
    result = np.full(len(points), -1, dtype=np.int64)
    for point, vertex in known.items():
        result[point] = vertex
    count = min(len(vertices), 24)
    distance, near = cKDTree(vertices).query(points, k=count)
    open_points = np.flatnonzero(result < 0)
    candidates = np.setdiff1d(near[open_points], list(known.values()))
    cost = np.full((len(open_points), len(candidates)), 1e3)
    for row, point in enumerate(open_points.tolist()):
        free = np.isin(near[point], candidates)
        cost[row, np.searchsorted(candidates, near[point][free])] = distance[point][free] ** 2
    if len(candidates) < len(open_points):
        raise LandmarkError("the target is too coarse", expected="68 vertices on the face", found=len(candidates))
    rows, columns = linear_sum_assignment(cost)
    result[open_points[rows]] = candidates[columns]
    return result

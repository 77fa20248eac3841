"""Landmarks of one mesh on another of any topology: the landmarked face is bent onto the other, then read off.

From about ten picked points, or from none. The bending is the registration of
:mod:`blendvoca.transfer.registration` (Sumner and Popović 2004, section 4.1), with the picked points as exact markers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial import cKDTree

from blendvoca.crop import Crop
from blendvoca.errors import LandmarkError, MeshError
from blendvoca.geometry import Surface, face_areas, fit_similarity, geodesic_distances, vertex_components
from blendvoca.geometry.normals import vertex_normals
from blendvoca.geometry.similarity import Similarity, rms_radius
from blendvoca.ibug68 import INDEX, INNER, MOUTH, NAMES, OPENINGS, Opening
from blendvoca.mesh import Mesh
from blendvoca.transfer.openings.lids import along_curve
from blendvoca.transfer.registration import Guides, RegistrationConfig, register
from landmarks.check import LandmarkReport, check_landmarks
from landmarks.files import checked_indices, checked_points
from landmarks.pose import find_face
from landmarks.slits import FrontView, Slit

Array = NDArray[np.float64]

#: Fewest picked points: they must span a face.
MIN_PICKS = 4
#: Pull of the slits' rims on the source's lids and lips: nothing withstands it.
_GUIDE = 1000.0
#: Widths of an opening by which its slit is looked for beside the landmarks, until one is found.
_LIFTS = (0.0, -0.2, 0.2, -0.4, 0.4)
#: A lid or lip landmark farther from where the slit has it, in widths of the opening, sets that right.
_FAR = 0.12
#: Steps of the registration that are done again with them.
_AGAIN = 5


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
    :param picks: names to vertices of the target that are known; they are kept as they are. None: the face is
        searched, in any unit, place and pose.
    :raises LandmarkError: for fewer than four picks, picks on one line, mirrored picks, or faces that do not fit.
    :raises MeshError: if the target has no faces.
    """
    known = checked_points(picks, target.n_vertices) if picks else {}
    if picks and len(known) < MIN_PICKS:
        raise LandmarkError(
            "too few picked points",
            expected=f"at least {MIN_PICKS}, better ten",
            found=len(known),
            remedy="Pick more, or none.",
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
        cropped = _facing_as(local, pairs, cropped, to_target)
    else:
        to_target, cropped = find_face(local, _near(local, inside[INNER], 0.25), cropped)
    unit = rms_radius(local.vertices[inside])
    start = local.vertices / unit
    goal = to_target.inverse.points(cropped.vertices) / unit
    stiff = (0.0, 1.0, 10.0, 100.0, 1000.0) if known else (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 1000.0)
    config = RegistrationConfig(closest=stiff, max_angle_deg=60.0, max_distance=0.3)
    parts = (Surface(start, local.faces), Surface(goal, cropped.faces), pairs)
    bent = register(*parts, config)
    here = Mesh(goal, cropped.faces)
    slits = _slits(here, bent.vertices[inside])
    guides = _to_slits(Mesh(start, local.faces), inside, bent.vertices, slits)
    points = bent.vertices[inside]
    if guides is not None:
        again = replace(config, closest=stiff[-_AGAIN:])
        around = np.isin(inside, guides.vertices)
        points[around] = register(*parts, again, guides).vertices[inside][around]
    taken = dict(zip((INDEX[name] for name in known), pairs[:, 1].tolist()))
    found = _vertices(points, goal, taken, _wrong_side(here.n_vertices, slits))
    report = check_landmarks(target, skin.kept[found])
    if any(finding.code == "side" for finding in report.findings):
        # Seen from where the landmarks came to lie, the slit ends elsewhere.
        found = _vertices(points, goal, taken, _wrong_side(here.n_vertices, _slits(here, goal[found])))
        report = check_landmarks(target, skin.kept[found])
    positions = to_target.points(points * unit)
    return LandmarkTransfer(skin.kept[found], positions, report, float(bent.distance.mean()))


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


def _facing_as(source: Mesh, pairs: NDArray[np.int64], target: Mesh, to_target: Similarity) -> Mesh:
    """Return the target, turned if its triangles look inwards: normals pair what the bending brings together."""
    here = vertex_normals(source.vertices, source.faces)[pairs[:, 0]] @ to_target.rotation.T
    there = vertex_normals(target.vertices, target.faces)[pairs[:, 1]]
    return target if (here * there).sum() >= 0 else target.turned()


def _slits(mesh: Mesh, marks: Array) -> dict[Opening, tuple[Slit, Crop]]:
    """The slits of mouth and eyes near marks (68, 3) that lie about right, with the vertices of their potentials."""
    places = np.asarray(cKDTree(mesh.vertices).query(marks)[1], dtype=np.int64)
    view = FrontView(mesh, places, marks)
    found = {}
    for opening in OPENINGS:
        slit = next((slit for lift in _LIFTS if (slit := view.slit(opening, lift)) is not None), None)
        if slit is not None:
            found[opening] = slit, view.crop
    return found


def _to_slits(
    source: Mesh, marks: NDArray[np.int64], bent: Array, slits: dict[Opening, tuple[Slit, Crop]]
) -> Guides | None:
    """Pairs that draw the source's lid and lip landmarks to the rims of the target's slits, at the same share of their
    length; normals and nearness alone lay an upper lid on the lower as gladly."""
    view = FrontView(source, marks, source.vertices[marks])
    vertices, points = np.zeros(0, dtype=np.int64), np.zeros((0, 3))
    for opening, (there, _) in slits.items():
        here = view.slit(opening)
        if here is None:
            continue
        rows = [("upper", opening.upper), ("lower", opening.lower)]
        if opening is not MOUTH:
            rows += [("upper", opening.corners[:1]), ("lower", opening.corners[1:])]
        own = marks[[point for _, members in rows for point in members]]
        wanted = np.concatenate(
            [_at_rim(source.vertices, bent, marks[list(m)], here, there, r, opening) for r, m in rows]
        )
        width = float(np.linalg.norm(np.subtract(*source.vertices[marks[list(opening.corners)]])))
        if np.linalg.norm(wanted - bent[own], axis=1).max() > _FAR * width:
            vertices, points = np.append(vertices, own), np.concatenate([points, wanted])
    return Guides(vertices=vertices, points=points, weight=_GUIDE) if len(vertices) else None


def _at_rim(
    source: Array, bent: Array, members: NDArray[np.int64], here: Slit, there: Slit, rim: str, opening: Opening
) -> Array:
    """Where source vertices (n,) at a slit's rim belong on the target's: as far from it, at the same share of it.

    Eyes move along as wholes; lips lie about right along their slit, which is seen in part, and only its side matters.
    """
    own, other, at = getattr(here, rim), getattr(there, rim), source[members]
    share = _shares(bent[members], other) if opening is MOUTH else _shares(at, own)
    return np.asarray(along_curve(other, share) + at - along_curve(own, _shares(at, own)))


def _shares(points: Array, curve: Array) -> Array:
    """How far (n,) along a curve's chord points (n, 3) stand, 0 to 1."""
    chord = curve[-1] - curve[0]
    return np.asarray(np.clip((points - curve[0]) @ chord / (chord @ chord), 0.0, 1.0))


def _wrong_side(count: int, slits: dict[Opening, tuple[Slit, Crop]]) -> dict[int, NDArray[np.bool_]]:
    """For landmarks of lids and lips, the vertices (count,) that lie on the other side of the slit."""
    forbidden = {}
    for opening, (slit, crop) in slits.items():
        for rows, sign in ((opening.upper, 1.0), (opening.lower, -1.0)):
            beyond = np.zeros(count, dtype=bool)
            beyond[crop.kept] = sign * (slit.potential - slit.level) >= 0.0
            forbidden.update(dict.fromkeys(rows, beyond))
    return forbidden


def _vertices(
    points: Array, vertices: Array, known: Mapping[int, int], forbidden: Mapping[int, NDArray[np.bool_]]
) -> NDArray[np.int64]:
    """The nearest vertices (68,), each taken once, none that is forbidden to its point; known ones stand."""
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
        if point in forbidden and (free & ~forbidden[point][near[point]]).any():
            free &= ~forbidden[point][near[point]]
        cost[row, np.searchsorted(candidates, near[point][free])] = distance[point][free] ** 2
    if len(candidates) < len(open_points):
        raise LandmarkError("the target is too coarse", expected="68 vertices on the face", found=len(candidates))
    rows, columns = linear_sum_assignment(cost)
    result[open_points[rows]] = candidates[columns]
    return result

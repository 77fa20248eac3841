"""The part of a head that a transfer deforms, from geometry and landmarks alone.

The paper eliminates "the eyeballs, ears, back of the head, and neck" and publishes no list; a list would fit one
topology only. Here: the components that carry landmarks (eyeballs, teeth and lashes carry none), then what lies
within a bound along the surface from the landmarks and not behind the ears' front, then the largest piece of that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from blendvoca.crop import Crop
from blendvoca.errors import LandmarkError, MeshError
from blendvoca.geometry.components import vertex_components
from blendvoca.geometry.distance import geodesic_distances
from blendvoca.geometry.similarity import rms_radius
from blendvoca.ibug68 import GROUPS, INDEX, N_LANDMARKS, TEMPLES, face_axes
from blendvoca.mesh import Mesh

Array = NDArray[np.float64]

#: The plane under which the neck lies: how far below the chin it passes, in RMS radii of the landmarks (60 mm on an
#: adult), and by how many degrees it rises towards the nape.
NECK_BELOW_CHIN, NECK_TILT = 0.25, 20.0

#: A user's region that ends nearer to a landmark than this leaves shapes no room to fade, in RMS radii.
FADE_ROOM = 0.5


@dataclass(frozen=True)
class RegionConfig:
    """Bounds of the region, in RMS radii of the landmarks (60 mm on an adult).

    :param reach: farthest along the surface from the nearest landmark: into the neck, where jawOpen fades.
    :param behind: how far behind the front of the ears (the ends of the jaw line) it may go: landmarks at the jaw's
        angle must not count as cut.
    :param whole: A component of which this share would be kept is taken for a face that was cropped already, and kept
        whole.
    """

    reach: float = 1.8
    behind: float = 0.3
    whole: float = 0.9


def landmark_components(mesh: Mesh, landmarks: ArrayLike) -> Crop:
    """The components of `mesh` that carry landmarks: the skin, without eyeballs, teeth or lashes.

    :raises MeshError: if less than three quarters of the landmarks lie on one component.
    """
    labels = vertex_components(mesh.faces, mesh.n_vertices)
    on = labels[np.asarray(landmarks)]
    if np.bincount(on).max() < 0.75 * len(on):
        found = {int(label): int(count) for label, count in zip(*np.unique(on, return_counts=True), strict=True)}
        raise MeshError(
            "the landmarks are scattered over components that do not touch",
            expected="most of them on one connected skin", found=f"landmarks per component {found}",
            remedy="Weld the mesh's seams (merge equal vertices) and try again.",
        )  # fmt: skip
    return Crop.of(np.isin(labels, np.unique(on)), mesh.n_vertices)


def face_region(mesh: Mesh, landmarks: ArrayLike, config: RegionConfig | None = None) -> Crop:
    """Find the region of the face.

    :param mesh: the head, in any unit.
    :param landmarks: (m,) vertex indices; with 68 of them the ears and the back are cut by the ends of the jaw line.
    :param config: how far the region reaches; None takes the defaults.
    :raises MeshError: for landmarks scattered over components, or a region that loses some of them.
    """
    config = config or RegionConfig()
    places = np.asarray(landmarks)
    skin = landmark_components(mesh, places)
    points = mesh.vertices[places]
    unit = rms_radius(points)
    keep = geodesic_distances(mesh.vertices, mesh.faces, places) <= config.reach * unit
    if len(places) == N_LANDMARKS:
        ahead = face_axes(points)[2]
        keep &= mesh.vertices @ ahead >= (points[list(TEMPLES)] @ ahead).min() - config.behind * unit
    keep &= skin.position >= 0
    keep[places] = True
    if keep.sum() >= config.whole * len(skin.kept):
        return skin
    return _tidy(mesh, keep, places)


def completed_region(
    mesh: Mesh, region: Crop, landmarks: ArrayLike, config: RegionConfig | None = None
) -> tuple[Crop, tuple[str, ...]]:
    """Give a user's region what a transfer needs: the inside of its openings, and room to fade around landmarks.

    Masks of the face end at the lips' and lids' rims; shapes that faded towards those rims would not open the mouth. A
    dropped part is a hole where at least nine tenths of the border around it are nearest to landmarks of nose, eyes
    or lips. Landmarks do not fade; what lies around them outside the region takes the fade.

    :param mesh: the whole head.
    :param region: the vertices that a user lets move.
    :param landmarks: (68,) vertex indices; with other lists the region stays as it is.
    :param config: bounds of the face's own region.
    :return: the region, and sentences about what was taken in.
    """
    places = np.asarray(landmarks)
    skin = landmark_components(mesh, places).position >= 0
    kept = region.position >= 0
    if len(places) != N_LANDMARKS or not (skin & ~kept).any():
        return region, ()
    inside = _openings(mesh, skin & ~kept, places)
    unit = rms_radius(mesh.vertices[places])
    near = geodesic_distances(mesh.vertices, mesh.faces, places) <= FADE_ROOM * unit
    strip = np.zeros(mesh.n_vertices, dtype=bool)
    if (near & skin & ~kept & ~inside).any():
        strip[face_region(mesh, places, config).kept] = True
        strip &= ~kept & ~inside
    notes = []
    if inside.any():
        notes.append(f"{int(inside.sum())} vertices inside the openings of the region (mouth, lids, nostrils) move too")
    if strip.any():
        notes.append(f"the region ends at landmarks: {int(strip.sum())} vertices outside take the fade")
    return Crop.of(kept | inside | strip, mesh.n_vertices), tuple(notes)


def _openings(mesh: Mesh, dropped: NDArray[np.bool_], places: NDArray[np.integer]) -> NDArray[np.bool_]:
    """Which of the `dropped` vertices (V,) lie inside an opening of the face."""
    labels = vertex_components(mesh.faces[dropped[mesh.faces].all(axis=1)], mesh.n_vertices)
    mixed = mesh.faces[dropped[mesh.faces].any(axis=1) & ~dropped[mesh.faces].all(axis=1)]
    nearest = cKDTree(mesh.vertices[places]).query(mesh.vertices)[1]
    # One row for every two corners of a face on a border.
    one, other = np.repeat(mixed, 3, axis=1).ravel(), np.tile(mixed, (1, 3)).ravel()
    border = dropped[one] & ~dropped[other]
    part, opening = labels[one[border]], nearest[other[border]] >= GROUPS["nose_bridge"].start
    total = np.bincount(part, minlength=labels.max() + 1)
    share = np.bincount(part, opening, minlength=labels.max() + 1) / np.maximum(total, 1)
    return np.asarray(dropped & (total > 0)[labels] & (share >= 0.9)[labels])


def require_inside(region: Crop, landmarks: ArrayLike) -> None:
    """Check that a region that a user brings holds all landmarks.

    :param landmarks: vertex indices of the whole mesh.
    :raises LandmarkError: if it leaves some out.
    """
    places = np.asarray(landmarks)
    outside = places[region.position[places] < 0]
    if len(outside):
        raise LandmarkError(
            f"the region leaves {len(outside)} of the landmarks out",
            expected="a region with all of them",
            found=f"without vertices {outside[:8].tolist()}",
        )


def head_region(mesh: Mesh, landmarks: ArrayLike, face: Crop) -> Crop:
    """Find the head without the neck: what the paper publishes, on a topology without a published list.

    The neck lies under a plane that passes a little below the chin and rises towards the nape. Other components (eyes,
    teeth) and the face region are kept, wherever they lie.

    :param landmarks: (68,) vertex indices.
    :param face: the region of :func:`face_region`.
    """
    places = np.asarray(landmarks)
    if len(places) != N_LANDMARKS:
        return Crop.of(np.ones(mesh.n_vertices, dtype=bool), mesh.n_vertices)
    points = mesh.vertices[places]
    unit = rms_radius(points)
    up, ahead = face_axes(points)[1:]
    tilt = np.radians(NECK_TILT)
    height = (mesh.vertices - points[INDEX["chin"]]) @ (np.cos(tilt) * up + np.sin(tilt) * ahead)
    keep = height > -NECK_BELOW_CHIN * unit
    keep |= landmark_components(mesh, places).position < 0
    keep[face.kept] = True
    return _tidy_head(mesh, keep)


def _tidy_head(mesh: Mesh, keep: NDArray[np.bool_]) -> Crop:
    """Drop vertices without a kept triangle."""
    used = np.zeros(mesh.n_vertices, dtype=bool)
    used[mesh.faces[keep[mesh.faces].all(axis=1)].ravel()] = True
    return Crop.of(used, mesh.n_vertices)


def _tidy(mesh: Mesh, keep: NDArray[np.bool_], places: NDArray[np.integer]) -> Crop:
    """Drop vertices without a kept triangle, and pieces that carry no landmark."""
    faces = mesh.faces[keep[mesh.faces].all(axis=1)]
    used = np.zeros(mesh.n_vertices, dtype=bool)
    used[faces.ravel()] = True
    labels = vertex_components(faces, mesh.n_vertices)
    used &= np.isin(labels, np.unique(labels[places]))
    if not used[places].all():
        raise MeshError(
            "the face region loses landmarks", found=f"landmarks {np.flatnonzero(~used[places]).tolist()}",
            remedy="Check that they lie on the skin, or give the region as a mask or an index list.",
        )  # fmt: skip
    return Crop.of(used, mesh.n_vertices)

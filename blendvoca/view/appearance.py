"""The one look of heads: colours and light of the page, of pictures and videos, of exported files and of the picker.

A :class:`Appearance` says of every vertex what it is; :mod:`blendvoca.view.shading` lights it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.components import vertex_components
from blendvoca.ibug68 import N_LANDMARKS
from blendvoca.io.rig.gltf_write import Surface
from blendvoca.mesh import Mesh
from blendvoca.view.look import paint
from blendvoca.view.look.eyes import eyeballs
from blendvoca.view.look.occlusion import local_occlusion, occlusion

Array = NDArray[np.float64]

#: sRGB colours, 0 to 1, of the parts of a head.
PALETTE = {
    "skin": (0.80, 0.635, 0.55), "lips": (0.70, 0.42, 0.39), "brows": (0.35, 0.26, 0.21), "eyes": (0.86, 0.85, 0.83),
    "iris": (0.32, 0.40, 0.43), "pupil": (0.06, 0.06, 0.06), "teeth": (0.88, 0.86, 0.79), "gums": (0.66, 0.37, 0.36),
    "tongue": (0.68, 0.39, 0.38), "mouth": (0.40, 0.19, 0.17),
}  # fmt: skip
#: How rough each part is in exported files.
_ROUGHNESS = {"eyes": 0.15, "iris": 0.15, "pupil": 0.1, "teeth": 0.3, "lips": 0.45, "tongue": 0.4, "gums": 0.4}
#: Distances from the middle of the iris, as sines of angles at the eyeball: the pupil's edge, the iris' edge.
PUPIL, IRIS = 0.19, 0.47
PLAIN = PALETTE["skin"]
#: Colours of what closes the neck, or the back of a face: seen from inside, and from outside.
CAP_DARK, CAP_PLAIN = (0.16, 0.09, 0.08), (0.62, 0.48, 0.42)
#: Radius about the nose's base in which nostrils are looked for, relative to the mouth's width.
_NOSE = 0.45


@dataclass(frozen=True, eq=False)
class Appearance:
    """What each of V vertices looks like.

    :param colours: (V, 3) sRGB.
    :param occlusion: (V,) share of the light from all around that reaches it, 0 to 1.
    :param eyes: (V, 4) direction from the middle of its eyeball and 1; zeros elsewhere. The iris looks along +z.
    :param parts: (V,) index into :data:`PALETTE`'s names.
    """

    colours: Array
    occlusion: Array
    eyes: Array
    parts: NDArray[np.uint8]


def plain(n_vertices: int) -> Appearance:
    """Return skin all over, in full light."""
    colours = np.tile(np.array(PLAIN), (n_vertices, 1))
    return Appearance(colours, np.ones(n_vertices), np.zeros((n_vertices, 4)), np.zeros(n_vertices, dtype=np.uint8))


def appearance_of(mesh: Mesh, landmarks: NDArray[np.integer] | None = None) -> Appearance:
    """Return what a head looks like; lips, brows, teeth and tongue need its landmarks.

    :param mesh: at rest, the face along +z.
    :param landmarks: (68,) vertices in iBUG order; another number is no use here.
    """
    landmarks = landmarks if landmarks is not None and len(landmarks) == N_LANDMARKS else None
    eyes, light = eyeballs(mesh), occlusion(mesh)
    weights = {name: np.zeros(mesh.n_vertices) for name in PALETTE}
    weights["eyes"] = eyes[:, 3].copy()
    if landmarks is not None:
        labels = vertex_components(mesh.faces, mesh.n_vertices)
        skin = labels == np.bincount(labels[np.asarray(landmarks)]).argmax()
        weights["lips"], weights["mouth"] = paint.lips(mesh, landmarks, skin)
        weights["brows"] = 0.75 * paint.brows(mesh, landmarks, skin)
        teeth, gums, tongue, back = paint.inner_parts(mesh, landmarks, skin | (eyes[:, 3] > 0))
        weights |= {"teeth": teeth.astype(float), "gums": gums.astype(float), "tongue": tongue.astype(float)}
        points = mesh.vertices[np.asarray(landmarks)]
        nose = float(np.linalg.norm(points[54] - points[48])) * _NOSE
        light = np.minimum(light, local_occlusion(mesh, points[31:36].mean(axis=0), nose) ** 1.5)
        # At rest no light reaches the teeth; it does in an open mouth, less and less to the back.
        inner = teeth | gums | tongue
        light = np.where(inner, 0.75 * (1.0 - back) ** 1.5, light)
    colours, parts = np.tile(np.array(PLAIN), (mesh.n_vertices, 1)), np.zeros(mesh.n_vertices, dtype=np.uint8)
    for number, (name, colour) in enumerate(PALETTE.items()):
        colours += weights[name][:, None] * (np.array(colour) - colours)
        parts[weights[name] > 0.5] = number
    return Appearance(colours, light, eyes, parts)


def surfaces(mesh: Mesh, look: Appearance) -> tuple[Surface, ...]:
    """Return a head's triangles by part, each with its colour, for files that hold materials."""
    parts = _of_faces(mesh, look)
    found = []
    for number, name in enumerate(PALETTE):
        faces = mesh.faces[parts == number]
        if len(faces):
            linear = tuple(float(value) for value in to_linear(np.array(PALETTE[name])))
            found.append(Surface(name, faces, (linear[0], linear[1], linear[2]), _ROUGHNESS.get(name, 0.7)))
    return tuple(found)


def _of_faces(mesh: Mesh, look: Appearance) -> NDArray[np.int64]:
    """Return the part (F,) of each triangle: its corners' most frequent one; iris and pupil by direction."""
    corners = np.sort(look.parts[mesh.faces].astype(np.int64), axis=1)
    result = np.where(corners[:, 0] == corners[:, 1], corners[:, 0], corners[:, 1])
    names = list(PALETTE)
    ball = look.eyes[mesh.faces, 3].min(axis=1) > 0
    forward = look.eyes[mesh.faces].mean(axis=1)
    across = np.hypot(forward[:, 0], forward[:, 1])
    front = ball & (forward[:, 2] > 0)
    result[front & (across < IRIS)] = names.index("iris")
    result[front & (across < PUPIL)] = names.index("pupil")
    return result


def to_linear(colour: Array) -> Array:
    """Return linear light of sRGB values (IEC 61966-2-1)."""
    result: Array = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    return result


def heat_colours(amounts: NDArray[np.floating], most: float | None = None) -> Array:
    """Return colours (V, 3) from grey (none) over yellow and red to dark red (``most``) for amounts (V,).

    :param most: what is darkest; the largest amount where it is not given.
    """
    share = np.asarray(amounts) / max(float(np.max(amounts)) if most is None else most, 1e-12)
    return np.stack([np.interp(share, HEAT_STOPS, [colour[k] for colour in HEAT_COLOURS]) for k in range(3)], axis=1)


#: The heat map: shares of the largest amount, and their colours.
HEAT_STOPS = (0.0, 0.33, 0.7, 1.0)
HEAT_COLOURS = ((0.78, 0.79, 0.81), (0.95, 0.76, 0.25), (0.86, 0.22, 0.10), (0.42, 0.03, 0.20))

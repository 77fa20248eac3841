"""What shows of an eyeball when its lids are closed: gaps between landmarks and a ball that stands through its lid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.rays import RayIndex
from blendvoca.geometry.similarity import rms_radius
from blendvoca.ibug68 import LEFT_EYE, N_LANDMARKS, RIGHT_EYE, face_axes
from blendvoca.rig import BlendshapeRig
from blendvoca.transfer.parts import Part

Array = NDArray[np.float64]
Index = NDArray[np.integer]

#: Rays across the window in which the eyeball is looked for, and the window's half width in widths of the eye.
_RAYS, _WINDOW = 81, 0.7
#: RMS radius of an adult's landmarks in mm.
_ADULT = 60.0
_EYES = {"left eye": LEFT_EYE, "right eye": RIGHT_EYE}


def eyeball_seen(rig: BlendshapeRig, landmarks: Index, parts: Sequence[Part]) -> float | None:
    """Return the largest area of an eyeball, in mm² of an adult's face, seen from the front after its full blink.

    :param rig: the whole head's, in any unit.
    :param landmarks: (68,) vertices.
    :param parts: the components beside the skin.
    :return: None without eyeballs, or without blinks.
    """
    mesh, names, deltas = rig.neutral, rig.names, rig.deltas
    eyes = _eyeballs(parts) if len(landmarks) == N_LANDMARKS else {}
    axes, seen = face_axes(mesh.vertices[np.asarray(landmarks)]) if eyes else np.eye(3), []
    for role, members in eyes.items():
        blinks = [row for row, name in enumerate(names) if name.startswith("eyeBlink") and _of_side(name, role)]
        opening = _EYES[role]
        rim = mesh.vertices[np.asarray(landmarks)[list(opening.corners + opening.upper + opening.lower)]]
        width = float(np.linalg.norm(rim[0] - rim[1]))
        others = np.concatenate([part.vertices for part in parts if part.role not in _EYES] or [members[:0]])
        near = np.linalg.norm(mesh.vertices - rim.mean(axis=0), axis=1) < 2.0 * width
        near[others] = False
        faces = mesh.faces[near[mesh.faces].all(axis=1)]
        step = np.linspace(-_WINDOW, _WINDOW, _RAYS) * width
        grid = rim.mean(axis=0) + step[:, None, None] * axes[0] + step[None, :, None] * axes[1] + 2 * width * axes[2]
        for row in blinks:
            face, _ = RayIndex(mesh.vertices + deltas[row], faces).first(grid.reshape(-1, 3), -axes[2])
            hit = np.isin(faces[face[face >= 0], 0], members)
            seen.append(float(hit.sum()) * (step[1] - step[0]) ** 2)
    unit = rms_radius(mesh.vertices[np.asarray(landmarks)]) / _ADULT
    return max(seen) / unit**2 if seen else None


def _eyeballs(parts: Sequence[Part]) -> dict[str, NDArray[np.int64]]:
    """The vertices of each eyeball with its shells."""
    found = {role: [part.vertices for part in parts if part.role == role] for role in _EYES}
    return {role: np.concatenate(members) for role, members in found.items() if members}


def _of_side(name: str, role: str) -> bool:
    return name.lower().endswith(role.split(" ")[0])

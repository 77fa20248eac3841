"""Components beside the skin: lower teeth and tongue go with the jaw, upper teeth stay, eyeballs turn.

Which is which follows from the place relative to the landmarks, component by component (teeth may be one mesh or thirty
two). The jaw is a rigid motion, fitted for each of ARKit's jaw shapes to the chin and the lower lip; a component that
spans both jaws (gums) follows below the line of the lips and rests above it. Eyeballs turn about their own middle by
the source's own eyeballs where it has some, else by what a glance takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.crop import Crop
from blendvoca.geometry.components import vertex_components
from blendvoca.geometry.similarity import Similarity, fit_rigid
from blendvoca.geometry.sphere import fit_sphere
from blendvoca.ibug68 import GROUPS, LEFT_EYE, MOUTH, N_LANDMARKS, RIGHT_EYE, Opening, face_axes
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig

Array = NDArray[np.float64]
Index = NDArray[np.integer]

#: Landmarks that go with the jaw: the chin's contour and the lower lip's outer line.
JAW_POINTS = (*range(5, 12), *range(55, 60))
JAW_SHAPES = ("jawOpen", "jawLeft", "jawRight", "jawForward")
#: Degrees of a full glance about the face's axes: + turns to the person's left, and up. ARKit's eyeballs carry no mesh.
GLANCES: dict[str, tuple[float, float]] = {
    "eyeLookInLeft": (-30.0, 0.0), "eyeLookOutLeft": (30.0, 0.0), "eyeLookInRight": (30.0, 0.0),
    "eyeLookOutRight": (-30.0, 0.0), "eyeLookUpLeft": (0.0, 20.0), "eyeLookUpRight": (0.0, 20.0),
    "eyeLookDownLeft": (0.0, -25.0), "eyeLookDownRight": (0.0, -25.0),
}  # fmt: skip
#: Where the inside of the mouth lies, in widths of the mouth: to the sides, up and down, behind the lips.
_MOUTH_BOX = (0.85, 0.75, 3.0)
#: Sizes of an eyeball, and how far its middle may lie from the eye's, in widths of the eye.
_BALL_SIZE, _BALL_OFF = (0.5, 1.6), 0.5
#: Half the height over which a component that spans both jaws goes over from rest to the jaw, in widths of the mouth:
#: at the lips, and how much it grows with the depth behind them. Gums part in front; behind the teeth one surface joins
#: them, and a short way from rest to the jaw would turn its triangles over.
_BLEND, _BLEND_GROWTH = 0.12, 0.3


@dataclass(frozen=True, eq=False)
class Part:
    """A component beside the skin.

    :param number: its number among the mesh's components, largest first; the skin counts too.
    :param vertices: its vertices.
    :param role: ``jaw``, ``both`` (spans both jaws), ``still``, ``left eye`` or ``right eye``.
    :param what: what it looks like, in words.
    """

    number: int
    vertices: NDArray[np.int64]
    role: str
    what: str


def find_parts(
    mesh: Mesh,
    landmarks: Index,
    still: Sequence[Index] = (),
    jaw: Sequence[Index] = (),
    region: Crop | None = None,
) -> tuple[Part, ...]:
    """Tell the components of a head beside its skin apart.

    :param mesh: the whole head; vertices at one place count as joined.
    :param landmarks: (68,) vertices; with another scheme nothing is told apart.
    :param still: vertices of parts that stay, whatever they look like.
    :param jaw: vertices of parts that follow the jaw.
    :param region: what a user lets move; parts that are not wholly in it stay, unless `jaw` names them.
    """
    labels = component_numbers(mesh)
    skin = np.unique(labels[np.asarray(landmarks)])
    used = np.zeros(mesh.n_vertices, dtype=bool)
    used[mesh.faces] = True
    asked = {"still": _mask(mesh, still), "jaw": _mask(mesh, jaw)}
    judge = Judge(mesh.vertices[np.asarray(landmarks)]) if len(landmarks) == N_LANDMARKS else None
    parts = []
    for number in np.setdiff1d(np.unique(labels[used]), skin):
        members = np.flatnonzero((labels == number) & used)
        told = next((role for role, mask in asked.items() if mask[members].mean() > 0.5), None)
        role, what = judge.role(mesh.vertices[members]) if judge else ("still", "a part")
        if told is not None:
            role, what = told, f"{what}, as you say"
        elif role != "still" and region is not None and (region.position[members] < 0).any():
            role, what = "still", f"{what}, outside the region"
        parts.append(Part(int(number), members, role, what))
    return tuple(parts)


def component_numbers(mesh: Mesh) -> NDArray[np.int64]:
    """Return the component (V,) of each vertex, largest first; a surface torn at its seams is one."""
    _, group = np.unique(mesh.vertices, axis=0, return_inverse=True)
    group = group.reshape(-1)
    return np.asarray(vertex_components(group[mesh.faces], int(group.max()) + 1)[group], dtype=np.int64)


def move_parts(
    mesh: Mesh, landmarks: Index, names: Sequence[str], deltas: Array, parts: Sequence[Part],
    glances: dict[tuple[str, str], Array] | None = None,
) -> Array:  # fmt: skip
    """Return deltas (K, V, 3) with the parts' motion put in.

    :param mesh: the whole head.
    :param landmarks: (68,) vertices.
    :param names: of the K shapes.
    :param deltas: (K, V, 3), with the skin's motion.
    :param parts: of :func:`find_parts`.
    :param glances: by shape and eye (``left eye``) the rotation (3, 3) of the source's own eyeballs, at this head's
        pose; :data:`GLANCES` where there is none.
    """
    result, glances = deltas.copy(), glances or {}
    if len(landmarks) != N_LANDMARKS:
        return result
    judge = Judge(mesh.vertices[np.asarray(landmarks)])
    jaws = jaw_motions(mesh.vertices, landmarks, names, deltas)
    for row, name in enumerate(names):
        jaw = jaws.get(row)
        for part in parts:
            rest = mesh.vertices[part.vertices]
            turn = glances.get((name, part.role), _glance(name, part.role, judge.axes))
            if turn is not None:
                offset = rest - fit_sphere(rest)[0]
                result[row, part.vertices] = offset @ turn.T - offset
            elif jaw is not None and part.role in ("jaw", "both"):
                share = judge.share(rest) if part.role == "both" else np.ones(len(rest))
                result[row, part.vertices] = share[:, None] * (jaw.points(rest) - rest)
    return result


def jaw_motions(vertices: Array, landmarks: Index, names: Sequence[str], deltas: Array) -> dict[int, Similarity]:
    """Return, by row, the rigid motion of the jaw in ARKit's jaw shapes; it rests in all others.

    :param vertices: (V, 3) at rest.
    :param landmarks: (68,) vertices.
    :param names: of the K shapes.
    :param deltas: (K, V, 3).
    """
    held = np.asarray(landmarks)[list(JAW_POINTS)]
    rest = vertices[held]
    return {row: fit_rigid(rest, rest + deltas[row, held]) for row, name in enumerate(names) if name in JAW_SHAPES}


def source_glances(source: BlendshapeRig, landmarks: Index, onto: Array) -> dict[tuple[str, str], Array]:
    """Return how a source's own eyeballs turn, by shape and eye; empty where it has none.

    :param source: with its eyeballs.
    :param landmarks: (68,) vertices of it.
    :param onto: (3, 3) rotation of the source onto the target.
    """
    found = {}
    for part in find_parts(source.neutral, landmarks):
        if part.role.endswith("eye"):
            rest = source.neutral.vertices[part.vertices]
            for name, delta in zip(source.names, source.deltas, strict=True):
                turn = fit_rigid(rest, rest + delta[part.vertices]).rotation
                if np.trace(turn) < 3.0 - 1e-5:
                    found[name, part.role] = onto @ turn @ onto.T
    return found


def describe_parts(parts: Sequence[Part], names: Sequence[str]) -> list[str]:
    """Return sentences about which parts were found and what they do, alike parts together."""
    does = {"jaw": "with the jaw", "both": "below the lips with the jaw", "still": "still"}
    looks = any(name in GLANCES for name in names)
    groups: dict[tuple[str, str], list[Part]] = {}
    for part in parts:
        eye = "turns with eyeLook" if looks else "still (no eyeLook shape)"
        groups.setdefault((part.what, does.get(part.role, eye)), []).append(part)
    lines = []
    for (what, motion), members in groups.items():
        numbers = ", ".join(str(part.number) for part in members[:8]) + (", …" if len(members) > 8 else "")
        lines.append(f"{what}: {motion} ({sum(len(part.vertices) for part in members)} vertices, component {numbers})")
    return lines


class Judge:
    """Knows where mouth and eyes are.

    :param points: (68, 3) positions of the landmarks.
    """

    def __init__(self, points: Array) -> None:
        self.points, self.axes = points, face_axes(points)
        self.lips = points[list(GROUPS["lips_inner"])].mean(axis=0)
        self.width = float(np.linalg.norm(np.subtract(*points[list(MOUTH.corners)])))

    def role(self, vertices: Array) -> tuple[str, str]:
        """Return the role of a component, and words for it.

        :param vertices: (n, 3) its vertices.
        """
        for name, eye in (("left eye", LEFT_EYE), ("right eye", RIGHT_EYE)):
            if self._is_eyeball(vertices, eye):
                return name, f"{name}ball"
        local = (vertices - self.lips) @ self.axes.T / self.width
        middle, low, high = 0.5 * (local.min(axis=0) + local.max(axis=0)), local.min(axis=0), local.max(axis=0)
        inside = np.abs(middle[:2]) < (_MOUTH_BOX[0] - 0.25, _MOUTH_BOX[1])
        small = (high - low) < (2 * _MOUTH_BOX[0], 2 * _MOUTH_BOX[1], _MOUTH_BOX[2])
        if not (inside.all() and small.all() and -_MOUTH_BOX[2] < middle[2] < 0.0):
            return "still", "a part outside mouth and eyes"
        if high[1] > 0.25 and low[1] < -0.25:
            return "both", "gums or a mouth that span both jaws"
        long = high[2] - low[2] > 0.4 and abs(middle[0]) < 0.2 and middle[1] < 0.15
        if long and not _is_arch(local):
            return "jaw", "tongue"
        return ("jaw", "lower teeth") if middle[1] < 0.0 else ("still", "upper teeth")

    def share(self, vertices: Array) -> Array:
        """Return how far (n,) vertices go with the jaw: 1 well below the lips' line, 0 above.

        :param vertices: (n, 3) positions.
        """
        local = (vertices - self.lips) @ self.axes.T / self.width
        half = _BLEND + _BLEND_GROWTH * np.maximum(-local[:, 2], 0.0)
        s = np.clip(0.5 - 0.5 * local[:, 1] / half, 0.0, 1.0)
        return np.asarray(s * s * (3.0 - 2.0 * s))

    def _is_eyeball(self, vertices: Array, eye: Opening) -> bool:
        """Whether a component lies on a sphere of an eye's size right behind the lids."""
        rim = self.points[list(eye.corners + eye.upper + eye.lower)]
        width = float(np.linalg.norm(rim[0] - rim[1]))
        size = np.ptp(vertices @ self.axes.T, axis=0)
        if len(vertices) < 12 or not _BALL_SIZE[0] * width < size.min() <= size.max() < _BALL_SIZE[1] * width:
            return False
        middle, radius, _ = fit_sphere(vertices)
        off = (middle - rim.mean(axis=0)) @ self.axes.T / width
        rough = np.abs(np.linalg.norm(vertices - middle, axis=1) - radius).mean()
        return bool(np.abs(off[:2]).max() < _BALL_OFF and -1.2 < off[2] < 0.1 and rough < 0.15 * radius)


def _is_arch(local: Array) -> bool:
    """Whether a component seen from above leaves the middle of its back free, as a row of teeth does."""
    share = (local - local.min(axis=0)) / np.maximum(np.ptp(local, axis=0), 1e-12)
    return float(((np.abs(share[:, 0] - 0.5) < 0.2) & (share[:, 2] < 0.5)).mean()) < 0.02


def _glance(name: str, role: str, axes: Array) -> Array | None:
    """Return the rotation of an eyeball in a shape of that eye, None in others."""
    if name not in GLANCES or not name.lower().endswith(role.split(" ")[0]):
        return None
    left, up = np.radians(GLANCES[name])
    about_up = np.array([[np.cos(left), 0, np.sin(left)], [0, 1, 0], [-np.sin(left), 0, np.cos(left)]])
    about_left = np.array([[1, 0, 0], [0, np.cos(up), np.sin(up)], [0, -np.sin(up), np.cos(up)]])
    return np.asarray(axes.T @ about_up @ about_left @ axes)


def _mask(mesh: Mesh, groups: Sequence[Index]) -> NDArray[np.bool_]:
    mask = np.zeros(mesh.n_vertices, dtype=bool)
    for group in groups:
        mask[np.asarray(group)] = True
    return mask

"""A dark inside for heads that are open at the back, so that no background shows through the mouth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.boundary import boundary_loops
from blendvoca.mesh import Mesh
from blendvoca.view.appearance import CAP_DARK, CAP_PLAIN, Appearance
from blendvoca.view.camera import Camera

#: How far behind its rim the cap lies, relative to the picture's height; the dark part's size, relative to the opening,
#: so that nothing black stands out beside a neck; its thickness, relative to the mesh.
_BEHIND, _NARROW, _THICK = 0.012, 0.82, 0.002


def widest_opening(mesh: Mesh) -> NDArray[np.int64]:
    """Return the longest boundary loop (L,), the neck or the outline of a face; none for a closed mesh.

    It starts where it is frontmost or topmost, and runs in the winding of the faces.
    """
    loops = boundary_loops(mesh.faces)
    if not loops:
        return np.zeros(0, dtype=np.int64)
    lengths = [np.linalg.norm(np.diff(mesh.vertices[np.append(loop, loop[0])], axis=0), axis=1).sum() for loop in loops]
    loop = loops[int(np.argmax(lengths))]
    return np.roll(loop, -int(np.argmax(mesh.vertices[loop, 1] + mesh.vertices[loop, 2])))


def cap(mesh: Mesh) -> NDArray[np.int64]:
    """Return triangles (n, 3) across the widest opening, in strips from side to side.

    Drawn dark, they keep light and background from showing through mouth, eyes and nostrils.
    """
    return filled(widest_opening(mesh))


def filled(loop: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return triangles (n, 3) across a loop of vertices (L,), in strips from side to side."""
    return loop[_strips(len(loop))]


def _strips(count: int) -> NDArray[np.int64]:
    """Return triangles (count - 2, 3) that fill a loop of so many points."""
    left, right, strips = 0, count - 1, []
    while right - left >= 2:
        strips.append((left, left + 1, right))
        left += 1
        if right - left >= 2:
            strips.append((left, right - 1, right))
            right -= 1
    return np.array(strips, dtype=np.int64).reshape(-1, 3)


class CappedMesh:
    """A mesh with a cap in its widest opening, dark inside and plain outside: what renderers draw.

    :param mesh: the topology, and the positions by which the widest opening is chosen.
    """

    def __init__(self, mesh: Mesh) -> None:
        self._loop = loop = widest_opening(mesh)
        count, place = len(loop), mesh.n_vertices + np.arange(3 * len(loop)).reshape(3, -1)
        rim, middle, outside = place
        strips = _strips(count)
        onwards, inwards = np.roll(rim, -1), np.roll(middle, -1)
        ring = np.concatenate([np.stack([rim, onwards, inwards], 1), np.stack([rim, inwards, middle], 1)])
        # What is seen from behind has vertices of its own, and lies a little further out.
        self.faces = np.concatenate([mesh.faces, ring, middle[strips], outside[strips][:, ::-1]]).astype(np.int32)
        self.n_vertices = mesh.n_vertices + place.size
        a, b, c = (mesh.vertices[loop[strips[:, corner]]] for corner in range(3))
        normal = np.cross(b - a, c - a).sum(axis=0)
        self._outwards = -_THICK * mesh.extent * normal / max(float(np.linalg.norm(normal)), 1e-30)

    def positions(self, vertices: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
        """Return (V + cap, 3): the positions (V, 3), and the cap's for this view."""
        if not len(self._loop):
            return vertices
        rim = vertices[self._loop] - _BEHIND * camera.height * camera.rotation()[2]
        middle = rim.mean(axis=0)
        return np.concatenate([vertices, rim, middle + _NARROW * (rim - middle), rim + self._outwards])

    def look(self, look: Appearance) -> Appearance:
        """Return the look of the mesh's V vertices and the cap's."""
        count = 3 * len(self._loop)
        rows = np.repeat([CAP_PLAIN, CAP_DARK, CAP_PLAIN], len(self._loop), axis=0).reshape(-1, 3)
        return Appearance(
            np.concatenate([look.colours, rows]),
            np.concatenate([look.occlusion, np.ones(count)]),
            np.concatenate([look.eyes, np.zeros((count, 4))]),
            np.concatenate([look.parts, np.zeros(count, dtype=np.uint8)]),
        )

"""A dark inside for heads that are open at the back, so that no background shows through the mouth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.boundary import boundary_loops
from blendvoca.mesh import Mesh
from blendvoca.view.camera import Camera

#: Colours of the cap: inside, and outside.
_DARK, _PLAIN = (0.16, 0.09, 0.08), (0.56, 0.46, 0.42)
#: How far behind its rim the cap lies, relative to the picture's height; its size, relative to the opening, so that it
#: does not stand out beside a neck; its thickness, relative to the mesh.
_BEHIND, _NARROW, _THICK = 0.012, 0.82, 0.002


def cap(mesh: Mesh) -> NDArray[np.int64]:
    """Return triangles (n, 3) across the widest opening, the neck or the outline of a face; none for a closed mesh.

    Drawn dark, they keep light and background from showing through mouth, eyes and nostrils. They run in strips from
    side to side, starting where the opening is frontmost or topmost.
    """
    loops = boundary_loops(mesh.faces)
    if not loops:
        return np.zeros((0, 3), dtype=np.int64)
    lengths = [np.linalg.norm(np.diff(mesh.vertices[np.append(loop, loop[0])], axis=0), axis=1).sum() for loop in loops]
    loop = loops[int(np.argmax(lengths))]
    loop = np.roll(loop, -int(np.argmax(mesh.vertices[loop, 1] + mesh.vertices[loop, 2])))
    left, right, strips = 0, len(loop) - 1, []
    while right - left >= 2:
        strips.append((loop[left], loop[left + 1], loop[right]))
        left += 1
        if right - left >= 2:
            strips.append((loop[left], loop[right - 1], loop[right]))
            right -= 1
    return np.array(strips, dtype=np.int64).reshape(-1, 3)


class CappedMesh:
    """A mesh with a cap in its widest opening, dark inside and plain outside: what renderers draw.

    :param mesh: the topology, and the positions by which the widest opening is chosen.
    """

    def __init__(self, mesh: Mesh) -> None:
        triangles = cap(mesh)
        self._rim, places = np.unique(triangles, return_inverse=True)
        inside = mesh.n_vertices + places.reshape(-1, 3)
        # The other side has vertices of its own, and lies a little further out.
        outside = inside[:, ::-1] + len(self._rim)
        self.faces = np.concatenate([mesh.faces, inside, outside]).astype(np.int32)
        self.n_vertices = mesh.n_vertices + 2 * len(self._rim)
        a, b, c = (mesh.vertices[triangles[:, corner]] for corner in range(3))
        inwards = np.cross(b - a, c - a).sum(axis=0)
        self._outwards = -_THICK * mesh.extent * inwards / max(float(np.linalg.norm(inwards)), 1e-30)

    def positions(self, vertices: NDArray[np.float64], camera: Camera) -> NDArray[np.float64]:
        """Return (V + cap, 3): the positions (V, 3), and the cap's for this view."""
        if not len(self._rim):
            return vertices
        rim = vertices[self._rim]
        middle = rim.mean(axis=0)
        away = -_BEHIND * camera.height * camera.rotation()[2]
        inner = middle + _NARROW * (rim - middle) + away
        return np.concatenate([vertices, inner, inner + self._outwards])

    def colours(self, colours: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (V + cap, 3): the colours (V, 3) and the cap's."""
        count = len(self._rim)
        return np.concatenate([colours, np.tile(_DARK, (count, 1)), np.tile(_PLAIN, (count, 1))])

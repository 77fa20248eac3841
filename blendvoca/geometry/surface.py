"""A triangle mesh with what follows from it, computed when it is first asked for and then kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry.adjacency import face_adjacency
from blendvoca.geometry.boundary import boundary_loops
from blendvoca.geometry.closest import SurfaceIndex
from blendvoca.geometry.distance import SurfaceGraph
from blendvoca.geometry.normals import face_areas, face_normals, vertex_areas, vertex_normals


@dataclass(frozen=True, eq=False)
class Surface:
    """Positions and triangles.

    :param vertices: (V, 3) positions.
    :param faces: (F, 3) vertex indices.
    """

    vertices: NDArray[np.float64]
    faces: NDArray[np.integer]

    def __len__(self) -> int:
        return len(self.vertices)

    def moved(self, vertices: NDArray[np.float64]) -> Surface:
        """Return the same triangles on other positions.

        :param vertices: (V, 3) positions.
        """
        return Surface(vertices, self.faces)

    @cached_property
    def face_normals(self) -> NDArray[np.float64]:
        """Unit normals (F, 3); zero for a triangle without area."""
        return face_normals(self.vertices, self.faces)

    @cached_property
    def face_areas(self) -> NDArray[np.float64]:
        """Area (F,) of each triangle, in the square of the vertices' unit."""
        return face_areas(self.vertices, self.faces)

    @cached_property
    def vertex_areas(self) -> NDArray[np.float64]:
        """Each vertex's third (V,) of the triangles around it."""
        return vertex_areas(self.vertices, self.faces)

    @cached_property
    def vertex_normals(self) -> NDArray[np.float64]:
        """Area-weighted unit normals (V, 3); zero where no triangle has area."""
        return vertex_normals(self.vertices, self.faces)

    @cached_property
    def centroids(self) -> NDArray[np.float64]:
        """Centroids (F, 3) of the triangles."""
        return np.asarray(self.vertices[self.faces].mean(axis=1))

    @cached_property
    def face_pairs(self) -> NDArray[np.int64]:
        """Pairs (P, 2) of triangles that share an edge."""
        return face_adjacency(self.faces)

    @cached_property
    def loops(self) -> tuple[NDArray[np.int64], ...]:
        """Boundary loops, the most extended first: the outer boundary, then the holes."""
        loops = boundary_loops(self.faces)
        extents = [float(np.ptp(self.vertices[loop], axis=0).max()) for loop in loops]
        return tuple(loops[place] for place in sorted(range(len(loops)), key=lambda place: -extents[place]))

    @property
    def outer_boundary(self) -> NDArray[np.int64]:
        """The most extended boundary loop; empty on a closed surface."""
        return self.loops[0] if self.loops else np.zeros(0, dtype=np.int64)

    @property
    def holes(self) -> tuple[NDArray[np.int64], ...]:
        """The boundary loops but the outer one."""
        return self.loops[1:]

    @cached_property
    def graph(self) -> SurfaceGraph:
        """The edges, prepared for distances along the surface."""
        return SurfaceGraph(self.vertices, self.faces)

    @cached_property
    def index(self) -> SurfaceIndex:
        """The triangles, prepared for closest points."""
        return SurfaceIndex(self.vertices, self.faces)

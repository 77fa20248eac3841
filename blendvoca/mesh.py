"""Triangle meshes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import MeshError

Vertices = NDArray[np.float64]
Faces = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Mesh:
    """A triangle mesh: read-only arrays, checked when it is made.

    :param vertices: (V, 3) positions in metres; stored as float64.
    :param faces: (F, 3) vertex indices, counter-clockwise seen from outside; stored as int32.
    :raises MeshError: for a wrong shape, values that are not finite, or an index out of range.
    """

    vertices: Vertices
    faces: Faces

    def __post_init__(self) -> None:
        object.__setattr__(self, "vertices", checked_vertices(self.vertices))
        object.__setattr__(self, "faces", checked_faces(self.faces, len(self.vertices)))

    def __repr__(self) -> str:
        return f"Mesh({self.n_vertices} vertices, {self.n_faces} triangles)"

    @property
    def n_vertices(self) -> int:
        """Number of vertices V."""
        return len(self.vertices)

    @property
    def n_faces(self) -> int:
        """Number of triangles F."""
        return len(self.faces)

    @property
    def extent(self) -> float:
        """Length of the bounding box's diagonal, in the unit of the vertices."""
        return float(np.linalg.norm(np.ptp(self.vertices, axis=0)))

    def with_vertices(self, vertices: ArrayLike) -> Mesh:
        """Return the same faces on other positions (V, 3).

        :param vertices: (V, 3) positions in metres.
        """
        moved = Mesh(vertices, self.faces)  # type: ignore[arg-type]
        if moved.n_vertices != self.n_vertices:
            raise MeshError("vertex count changed", expected=self.n_vertices, found=moved.n_vertices)
        return moved

    def turned(self) -> Mesh:
        """Return the same vertices with every triangle the other way round: inside out."""
        return Mesh(self.vertices, self.faces[:, [0, 2, 1]])


def checked_vertices(vertices: ArrayLike) -> Vertices:
    """Return (V, 3) positions as a read-only float64 array.

    :raises MeshError: for a wrong shape, no vertex, or values that are not finite.
    """
    array = np.asarray(vertices)
    if array.ndim != 2 or array.shape[1] != 3 or len(array) == 0:
        raise MeshError("vertices have a wrong shape", expected="(V, 3) with V > 0", found=array.shape)
    if not np.issubdtype(array.dtype, np.number) or np.iscomplexobj(array):
        raise MeshError("vertices are not numbers", found=array.dtype)
    # One copy: an array that others can still write to would not stay as it was checked.
    result = np.array(array, dtype=np.float64)
    if not np.isfinite(result).all():
        bad = int(np.flatnonzero(~np.isfinite(result).all(axis=1))[0])
        raise MeshError("vertices are not finite", found=f"{result[bad].tolist()} at vertex {bad}")
    result.setflags(write=False)
    return result


def checked_faces(faces: ArrayLike, n_vertices: int) -> Faces:
    """Return (F, 3) triangles as a read-only int32 array.

    :raises MeshError: for a wrong shape, no integer, or an index outside ``[0, n_vertices)``.
    """
    array = np.asarray(faces)
    if array.ndim != 2 or array.shape[1] != 3:
        raise MeshError("faces have a wrong shape", expected="(F, 3) triangles", found=array.shape)
    if array.size and not np.issubdtype(array.dtype, np.integer):
        raise MeshError("faces are not integers", found=array.dtype)
    if array.size and (array.min() < 0 or array.max() >= n_vertices):
        bad = int(array.min()) if array.min() < 0 else int(array.max())
        raise MeshError("a face names a vertex that does not exist", expected=f"0..{n_vertices - 1}", found=bad)
    result = np.array(array, dtype=np.int32)
    result.setflags(write=False)
    return result

"""Crops: which vertices of a mesh are kept, the maps both ways, and the way back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import MeshError
from blendvoca.mesh import Mesh


@dataclass(frozen=True, eq=False)
class Crop:
    """The vertices of a mesh that are kept.

    :param kept: (n,) sorted, unique vertex indices of the whole mesh.
    :param n_vertices: V of the whole mesh.
    :raises MeshError: for no vertex, a repeated or unsorted index, or one out of range.
    """

    kept: NDArray[np.int64]
    n_vertices: int

    def __post_init__(self) -> None:
        kept = np.array(self.kept)
        if kept.ndim != 1 or kept.size == 0 or not np.issubdtype(kept.dtype, np.integer):
            raise MeshError("a crop keeps a list of vertices", expected="(n,) integers, n > 0", found=kept.shape)
        kept = kept.astype(np.int64)
        if kept.min() < 0 or kept.max() >= self.n_vertices:
            raise MeshError("a crop names vertices that do not exist", expected=f"0..{self.n_vertices - 1}",
                            found=int(kept.min() if kept.min() < 0 else kept.max()))  # fmt: skip
        if (np.diff(kept) <= 0).any():
            raise MeshError("a crop's vertices are sorted and unique", remedy="Use Crop.of() for any order.")
        kept.setflags(write=False)
        object.__setattr__(self, "kept", kept)

    @classmethod
    def of(cls, indices: ArrayLike, n_vertices: int) -> Crop:
        """Make a crop of vertex indices in any order, or of a boolean mask (V,).

        :param indices: (n,) vertex indices in any order, or (V,) booleans.
        :param n_vertices: V of the whole mesh.
        """
        array = np.asarray(indices)
        return cls(np.flatnonzero(array) if array.dtype == bool else np.unique(array), n_vertices)

    @cached_property
    def position(self) -> NDArray[np.int64]:
        """(V,) position of every vertex of the whole mesh in the crop, -1 where it is dropped."""
        position = np.full(self.n_vertices, -1, dtype=np.int64)
        position[self.kept] = np.arange(len(self.kept))
        return position

    def apply(self, mesh: Mesh) -> Mesh:
        """Return the part of ``mesh`` whose triangles have all corners kept.

        :param mesh: the whole mesh.
        :raises MeshError: if the mesh has another vertex count.
        """
        if mesh.n_vertices != self.n_vertices:
            raise MeshError("the crop is of another mesh", expected=self.n_vertices, found=mesh.n_vertices)
        faces = self.position[mesh.faces]
        return Mesh(mesh.vertices[self.kept], faces[(faces >= 0).all(axis=1)].astype(np.int32))

    def restrict(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the kept part of values (..., V, C).

        :param values: (..., V, C) of the whole mesh.
        """
        return values[..., self.kept, :]

    def restore(self, values: NDArray[np.floating], rest: ArrayLike = 0.0) -> NDArray[np.float64]:
        """Put values (..., n, C) of the crop back onto the whole mesh (..., V, C); dropped vertices get ``rest``.

        :param values: (..., n, C) of the crop's vertices.
        :param rest: what dropped vertices get; anything that broadcasts to (..., V, C).
        """
        whole = np.empty((*values.shape[:-2], self.n_vertices, values.shape[-1]))
        whole[...] = rest
        whole[..., self.kept, :] = values
        return whole

    def indices(self, vertices: ArrayLike) -> NDArray[np.int64]:
        """Return where vertices of the whole mesh stand in the crop.

        :param vertices: (n,) indices of the whole mesh.
        :raises MeshError: if one of them is dropped.
        """
        wanted = np.asarray(vertices, dtype=np.int64)
        found = self.position[wanted]
        if (found < 0).any():
            raise MeshError("vertices outside the crop", found=wanted[found < 0][:8].tolist())
        return found

"""Geometry that is repaired because it is harmless, and geometry that is refused."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import MeshError
from blendvoca.geometry.adjacency import directed_edges
from blendvoca.mesh import Mesh
from blendvoca.transfer.frames import degenerate_faces

#: Largest region that is transferred to; beyond, the factor alone takes gigabytes.
MAX_VERTICES = 400_000


def usable_faces(mesh: Mesh) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """The faces to work with, and sentences about those left out.

    Triangles without area carry no gradient, and a triangle given twice counts once; vertices that are left without a
    triangle stay at rest or go with their landmark.

    :raises MeshError: for a mesh that is too large, has no usable triangle, or is mostly not a surface.
    """
    if mesh.n_vertices > MAX_VERTICES:
        raise MeshError(
            "the region is too large to transfer to", expected=f"at most {MAX_VERTICES} vertices",
            found=mesh.n_vertices, remedy="Reduce the mesh (trimesh's simplify_quadric_decimation) and rig that.",
        )  # fmt: skip
    faces, notes = mesh.faces, []
    flat = degenerate_faces(mesh.vertices, faces)
    if len(flat):
        notes.append(f"{len(flat)} triangles without area are left out")
        faces = np.delete(faces, flat, axis=0)
    first = np.sort(np.unique(np.sort(faces, axis=1), axis=0, return_index=True)[1])
    if len(first) < len(faces):
        notes.append(f"{len(faces) - len(first)} triangles are given twice and count once")
        faces = faces[first]
    if not len(faces):
        raise MeshError("the target has no triangle with an area", remedy="Check the file and its unit.")
    crowded = _crowded_edges(faces)
    if crowded > 0.05 * len(faces):
        raise MeshError(
            "the target is no surface", expected="edges that belong to one or two triangles",
            found=f"{crowded} edges with more", remedy="Remove inner walls and doubled sheets.",
        )  # fmt: skip
    if crowded:
        notes.append(f"{crowded} edges belong to more than two triangles")
    return faces, tuple(notes)


def check_source(mesh: Mesh) -> None:
    """Refuse a source that has no frames or is no surface.

    :raises MeshError: naming the first triangle without area.
    """
    flat = degenerate_faces(mesh.vertices, mesh.faces)
    if len(flat):
        raise MeshError("the source has triangles without area", found=f"{len(flat)}, first {int(flat[0])}",
                        remedy="Remove them from neutral and shapes alike.")  # fmt: skip


def _crowded_edges(faces: NDArray[np.integer]) -> int:
    """Number of edges that more than two triangles share."""
    edges = directed_edges(faces)
    base = int(edges.max()) + 1
    keys = np.minimum(edges[:, 0], edges[:, 1]) * base + np.maximum(edges[:, 0], edges[:, 1])
    return int((np.unique(keys, return_counts=True)[1] > 2).sum())

"""Harmless repairs of a head's triangles, each said; what cannot be repaired is refused by name."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import MeshError
from blendvoca.geometry.adjacency import directed_edges
from blendvoca.geometry.normals import vertex_normals
from blendvoca.mesh import Mesh
from blendvoca.transfer.frames import degenerate_faces
from landmarks.alignment import align_face
from landmarks.scheme import GROUPS, INDEX

#: Share of the edges that may belong to more than two faces.
MAX_NON_MANIFOLD = 0.01


def repaired(mesh: Mesh, landmarks: NDArray[np.int64]) -> tuple[Mesh, tuple[str, ...]]:
    """Drop degenerate and repeated triangles and turn those of a mesh that looks inwards; vertices stay.

    :param landmarks: (68,) vertices, which tell outside from inside.
    :returns: the mesh (itself if nothing was wrong) and what was done.
    :raises MeshError: for no faces, or too many edges with more than two faces.
    """
    if mesh.n_faces == 0:
        raise MeshError("the head has no faces", expected="a surface", remedy="Export it with its triangles.")
    faces, notes = mesh.faces, []
    flat = np.zeros(len(faces), dtype=bool)
    flat[degenerate_faces(mesh.vertices, faces)] = True
    if flat.any():
        faces = faces[~flat]
        notes.append(f"{flat.sum()} triangles without area were left out")
    _, first = np.unique(np.sort(faces, axis=1), axis=0, return_index=True)
    if len(first) < len(faces):
        notes.append(f"{len(faces) - len(first)} repeated triangles were left out")
        faces = faces[np.sort(first)]
    if not len(faces):
        raise MeshError("the head has no proper triangle", found=f"{mesh.n_faces} without area")
    _check_edges(faces)
    if _inward(mesh.vertices, faces, landmarks):
        faces = faces[:, [0, 2, 1]]
        notes.append("the triangles looked inwards and were turned")
    return (Mesh(mesh.vertices, faces), tuple(notes)) if notes else (mesh, ())


def _check_edges(faces: NDArray[np.integer]) -> None:
    _, count = np.unique(np.sort(directed_edges(faces), axis=1), axis=0, return_counts=True)
    crowded = int((count > 2).sum())
    if crowded > MAX_NON_MANIFOLD * len(count):
        raise MeshError(
            "the head is no surface",
            expected=f"at most {MAX_NON_MANIFOLD:.0%} of the edges with more than two triangles",
            found=f"{crowded} of {len(count)}",
            remedy="Clean the mesh in the program that made it.",
        )


def _inward(vertices: NDArray[np.float64], faces: NDArray[np.integer], landmarks: NDArray[np.int64]) -> bool:
    """Whether brows, bridge of the nose and chin look back into the head."""
    ahead = align_face(vertices[landmarks]).to_mesh.rotation[:, 2]
    flat = landmarks[[*GROUPS["brow_right"], *GROUPS["brow_left"], *GROUPS["nose_bridge"], INDEX["chin"]]]
    return bool((vertex_normals(vertices, faces)[flat] @ ahead > 0).mean() < 0.4)


def weld(mesh: Mesh) -> tuple[Mesh, NDArray[np.int64]]:
    """Join vertices at exactly one place.

    :returns: the mesh, and for every vertex (V,) its vertex there.
    """
    _, first, group = np.unique(mesh.vertices, axis=0, return_index=True, return_inverse=True)
    group = group.reshape(-1).astype(np.int64)
    return Mesh(mesh.vertices[first], group[mesh.faces].astype(np.int32)), group

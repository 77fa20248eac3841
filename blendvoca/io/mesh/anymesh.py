"""One mesh from any file that people bring: PLY, OBJ, glTF, GLB and VRM by this package, STL by trimesh."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError, MeshError
from blendvoca.io.files import StrPath, naming, read_bytes
from blendvoca.io.gltf.container import SUFFIXES as GLTF_SUFFIXES
from blendvoca.io.gltf.scene import read_scene
from blendvoca.io.mesh.obj import decode_obj
from blendvoca.io.mesh.ply import decode_ply
from blendvoca.mesh import Mesh

#: Suffixes that :func:`read_mesh` knows.
MESH_SUFFIXES: tuple[str, ...] = (".ply", ".obj", *GLTF_SUFFIXES, ".stl")


def read_mesh(path: StrPath) -> Mesh:
    """Read a mesh, its format chosen by the suffix; units and axes stay those of the file.

    Of glTF, GLB and VRM it is the scene as a viewer shows it: all meshes, placed by their nodes, skinned by their
    skeletons. They and STL repeat a vertex wherever its normal or texture changes, which tears the surface apart:
    vertices at exactly the same place become one, in the order of their first use. PLY and OBJ keep theirs as they are.

    :raises MissingInputError: if the file, or one that it names, cannot be read.
    :raises FormatError: for an unknown suffix or a damaged file.
    :raises MeshError: if it holds no proper mesh.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in MESH_SUFFIXES:
        raise FormatError("unknown mesh format", expected=f"one of {', '.join(MESH_SUFFIXES)}", found=suffix, path=path)
    if suffix in GLTF_SUFFIXES:
        scene = read_scene(path)
        with naming(path):
            return welded(scene.mesh())
    data = read_bytes(path)
    with naming(path):
        if suffix == ".ply":
            return decode_ply(data)
        if suffix == ".obj":
            return decode_obj(data)
        return welded(_stl(data))


def _stl(data: bytes) -> Mesh:
    """Read the triangles of an STL file."""
    import trimesh

    try:
        scene = trimesh.load_scene(io.BytesIO(data), file_type="stl", process=False)
        whole = scene.to_mesh()
        vertices, faces = np.asarray(whole.vertices), np.asarray(whole.faces)
    except Exception as error:  # trimesh and its loaders raise many kinds for a file that is none
        raise FormatError(
            "not a readable STL file",
            found=f"{type(error).__name__}: {str(error)[:80]}",
            remedy="Save it again, or as .ply.",
        ) from error
    if not len(faces):
        raise MeshError("no triangles in this file", found=f"{len(vertices)} vertices")
    return Mesh(vertices, faces)


def welded(mesh: Mesh) -> Mesh:
    """Return the mesh with vertices at exactly the same place made one; triangles that vanish by it are left out."""
    kept, group = weld_groups(mesh.vertices)
    faces = group[mesh.faces]
    whole = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    return Mesh(mesh.vertices[kept], faces[whole])


def weld_groups(vertices: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Find vertices (V, 3) at exactly the same place.

    :returns: the first vertex of each place, rising, and for every vertex (V,) the number of its place.
    """
    _, first, group = np.unique(vertices, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return first[order], rank[group.reshape(-1)]

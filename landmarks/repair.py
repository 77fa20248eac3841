"""What a file may do to a head's triangles and landmarks do notice: turned inside out, or torn at its seams.

Triangles without area, repeated ones, and meshes that are no surface are the transfer's own concern
(:mod:`blendvoca.transfer.clean`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import MeshError
from blendvoca.geometry import vertex_normals
from blendvoca.ibug68 import GROUPS, INDEX
from blendvoca.mesh import Mesh
from landmarks.alignment import align_face

#: Points where the skin looks ahead on every face.
_FLAT = [*GROUPS["brow_right"], *GROUPS["brow_left"], *GROUPS["nose_bridge"], INDEX["chin"]]


def looks_inwards(mesh: Mesh, landmarks: NDArray[np.int64]) -> bool:
    """Whether brows, bridge of the nose and chin look back into the head.

    :param landmarks: (68,) vertices.
    :raises MeshError: for a mesh without faces.
    """
    if mesh.n_faces == 0:
        raise MeshError("the head has no faces", expected="a surface", remedy="Export it with its triangles.")
    ahead = align_face(mesh.vertices[landmarks]).to_mesh.rotation[:, 2]
    return bool((vertex_normals(mesh.vertices, mesh.faces)[landmarks[_FLAT]] @ ahead > 0).mean() < 0.4)


def weld(mesh: Mesh) -> tuple[Mesh, NDArray[np.int64]]:
    """Join vertices at exactly one place.

    :returns: the mesh, and for every vertex (V,) its vertex there.
    """
    _, first, group = np.unique(mesh.vertices, axis=0, return_index=True, return_inverse=True)
    group = group.reshape(-1).astype(np.int64)
    return Mesh(mesh.vertices[first], group[mesh.faces].astype(np.int32)), group

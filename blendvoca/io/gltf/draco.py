"""Draco-compressed geometry of glTF files, through DracoPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError, MissingDependencyError


@dataclass(frozen=True, eq=False)
class DracoMesh:
    """A decoded Draco mesh.

    :param faces: (F, 3) triangles.
    :param attributes: arrays (n, width) by Draco's identifier.
    """

    faces: NDArray[np.int64]
    attributes: dict[int, NDArray[Any]]


def decode_draco(data: bytes) -> DracoMesh:
    """Decode a Draco stream.

    :raises MissingDependencyError: without DracoPy.
    :raises FormatError: if it is no such stream.
    """
    try:
        import DracoPy
    except ImportError as error:
        raise MissingDependencyError("DracoPy", "gltf", "reading KHR_draco_mesh_compression") from error
    try:
        found = DracoPy.decode(data)
        faces = np.asarray(found.faces, np.int64).reshape(-1, 3)
        attributes = {int(entry["unique_id"]): np.asarray(entry["data"]) for entry in found.attributes}
    except Exception as error:  # the decoder raises several kinds, its own among them
        raise FormatError("a damaged Draco mesh", found=str(error)[:80]) from error
    return DracoMesh(faces, attributes)

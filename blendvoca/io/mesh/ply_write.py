"""Writing PLY meshes and sequences as VOCASET lays them out: float x y z, then faces as ``list uchar int``."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import MeshError
from blendvoca.io.atomic import write_bytes
from blendvoca.io.files import StrPath
from blendvoca.mesh import Mesh

_FACE_ROW = np.dtype([("count", "u1"), ("corners", "<i4", (3,))])


def write_ply(path: StrPath, mesh: Mesh, binary: bool = True) -> None:
    """Write a mesh atomically, with float32 coordinates; text keeps nine digits and so loses none of them."""
    write_bytes(path, PlyEncoder(mesh.faces, binary).encode(mesh.vertices))


class PlyEncoder:
    """Encodes frames of one topology; header and face block are made once per topology.

    :param faces: (F, 3) triangles.
    :param binary: little endian if true, else text.
    """

    def __init__(self, faces: NDArray[np.integer], binary: bool = True) -> None:
        self.binary = binary
        self.n_faces = len(faces)
        if binary:
            rows = np.empty(len(faces), _FACE_ROW)
            rows["count"], rows["corners"] = 3, faces
            self._tail = rows.tobytes()
        else:
            self._tail = (_text_format("3 %d %d %d\n", len(faces)) % tuple(np.asarray(faces).ravel().tolist())).encode()

    def encode(self, vertices: ArrayLike) -> bytes:
        """Return the file's bytes for positions (V, 3)."""
        positions = np.ascontiguousarray(vertices, dtype="<f4")
        if positions.ndim != 2 or positions.shape[1] != 3:
            raise MeshError("vertices have a wrong shape", expected="(V, 3)", found=positions.shape)
        kind = "binary_little_endian" if self.binary else "ascii"
        header = (
            f"ply\nformat {kind} 1.0\nelement vertex {len(positions)}\n"
            "property float x\nproperty float y\nproperty float z\n"
            f"element face {self.n_faces}\nproperty list uchar int vertex_indices\nend_header\n"
        ).encode()
        if self.binary:
            return header + positions.tobytes() + self._tail
        body = _text_format("%.9g %.9g %.9g\n", len(positions)) % tuple(positions.ravel().tolist())
        return header + body.encode() + self._tail


def write_ply_frames(
    folder: StrPath,
    frames: ArrayLike,
    faces: NDArray[np.integer],
    binary: bool = True,
    first: int = 1,
) -> None:
    """Write frames (T, V, 3) as VOCASET does: ``folder/<folder's name>.<frame %06d>.ply``.

    Files are not synced to disk one by one: what must survive a crash writes the folder elsewhere and renames it.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    encoder = PlyEncoder(faces, binary)
    for number, frame in enumerate(np.asarray(frames), start=first):
        (target / f"{target.name}.{number:06d}.ply").write_bytes(encoder.encode(frame))


@lru_cache(maxsize=4)
def _text_format(row: str, count: int) -> str:
    return row * count

"""Landmark embeddings, as FLAME's tools keep them: a triangle and barycentric coordinates a point.

``{"lmk_face_idx": (n,), "lmk_b_coords": (n, 3)}`` in a pickle or ``.npz``: 51 points (static: all but the contour of
the face), 68, 17 (the contour), or a table (angles, 17) of contours by head turn (dynamic: its first row is frontal).
"""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError, LandmarkError
from blendvoca.ibug68 import NAMES
from blendvoca.io.files import naming, open_file, read_bytes
from blendvoca.io.npz import decode_arrays
from blendvoca.io.pickle.safe_pickle import decode_pickle
from blendvoca.mesh import Faces

_FACES = ("lmk_face_idx", "full_lmk_faces_idx", "static_lmk_faces_idx", "dynamic_lmk_faces_idx", "lmk_faces_idx")
_WEIGHTS = ("lmk_b_coords", "full_lmk_bary_coords", "static_lmk_bary_coords", "dynamic_lmk_bary_coords",
            "lmk_bary_coords")  # fmt: skip
#: Points of an embedding by their number: FLAME's order is that of the 68, its static points leave the contour out.
_POINTS = {68: NAMES, 51: NAMES[17:], 17: NAMES[:17]}


def is_embedding(path: str | PathLike[str]) -> bool:
    """Whether a file is a pickle or an archive of arrays rather than a list of landmarks."""
    with open_file(path, archive=True) as file:
        start = file.read(2)
    return start in (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK") or Path(path).suffix == ".pkl"


def read_embedding(path: str | PathLike[str], faces: Faces | None) -> dict[str, int]:
    """Read an embedding: name of every point to the corner of its triangle that it lies nearest to.

    :param path: of a pickle or ``.npz``.
    :param faces: (F, 3) triangles of the mesh that it was made for.
    :raises FormatError: if it is no embedding.
    :raises UnsafePickleError: for a pickle of anything but plain data.
    :raises LandmarkError: without triangles, or for a triangle that the mesh does not have.
    """
    with naming(path):
        triangles, weights = _arrays(_table(path))
        names = _POINTS[len(triangles)]
        if faces is None:
            raise LandmarkError("a landmark embedding needs the triangles of its mesh", expected="the mesh as well",
                                found=f"{len(names)} points on triangles")  # fmt: skip
        if triangles.min() < 0 or triangles.max() >= len(faces):
            raise LandmarkError("a landmark embedding of another mesh", expected=f"triangles 0..{len(faces) - 1}",
                                found=int(triangles.max() if triangles.min() >= 0 else triangles.min()))  # fmt: skip
        corners = np.asarray(faces)[triangles, weights.argmax(axis=1)]
        return dict(zip(names, corners.tolist()))


def _table(path: str | PathLike[str]) -> Any:
    with open_file(path, archive=True) as file:
        packed = file.read(2) == b"PK"
    if packed:
        with open_file(path, archive=True) as file:
            return decode_arrays(file.read())
    return decode_pickle(read_bytes(path))


def _arrays(table: Any) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return triangles (n,) and barycentric coordinates (n, 3) of 68, 51 or 17 points."""
    held = table if isinstance(table, dict) else {}
    pairs = [(held[face], held[weight]) for face, weight in zip(_FACES, _WEIGHTS) if face in held and weight in held]
    if not pairs:
        raise FormatError("no landmark embedding", expected="lmk_face_idx and lmk_b_coords",
                          found=sorted(str(key)[:40] for key in held)[:6] or type(table).__name__)  # fmt: skip
    triangles, weights = (np.asarray(part) for part in pairs[0])
    if triangles.ndim == 2 and weights.ndim == 3 and len(triangles) == len(weights) > 0:
        # One row a head turn, the first of them frontal; or a batch of one.
        triangles, weights = triangles[0], weights[0]
    good = triangles.dtype.kind in "iu" and weights.dtype.kind == "f" and weights.shape == (*triangles.shape, 3)
    if not good or triangles.ndim != 1 or len(triangles) not in _POINTS or not np.isfinite(weights).all():
        raise FormatError("no landmark embedding", expected="(n,) triangles and (n, 3) weights of 68, 51 or 17 points",
                          found=f"{triangles.shape} {triangles.dtype} and {weights.shape} {weights.dtype}")  # fmt: skip
    return triangles.astype(np.int64), weights.astype(np.float64)

"""Regions of a mesh that users bring: a list of vertex indices, or a mask file such as FLAME's ``FLAME_masks.pkl``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from blendvoca.crop import Crop
from blendvoca.errors import FormatError, nearest
from blendvoca.io.files import StrPath, naming, read_bytes
from blendvoca.io.pickle.safe_pickle import decode_pickle
from blendvoca.io.vertex_list import read_vertex_list

#: The mask that is taken where none is named.
DEFAULT_MASK = "face"


def read_region(path: StrPath, n_vertices: int) -> Crop:
    """Read the vertices of a region.

    :param path: a text of vertex indices, or ``MASKS.pkl`` or ``MASKS.pkl:NAME``, a pickled dict of index arrays.
    :param n_vertices: V of the mesh.
    :raises MissingInputError: if the file cannot be read.
    :raises FormatError: if it is neither, or lacks the mask.
    :raises UnsafePickleError: for a pickle of anything but plain data.
    :raises MeshError: for no vertex, or one that the mesh lacks.
    """
    path, mask = region_file(path)
    with naming(path):
        if path.suffix.lower() in (".pkl", ".pickle"):
            return Crop.of(_mask(decode_pickle(read_bytes(path), path), mask or DEFAULT_MASK), n_vertices)
        return Crop.of(read_vertex_list(path, n_vertices), n_vertices)


def region_file(path: StrPath) -> tuple[Path, str]:
    """Return the file of a region, and the mask in it that is asked for, which ``MASKS.pkl:NAME`` names; else empty."""
    file, _, mask = str(path).partition(".pkl:")
    return (Path(f"{file}.pkl"), mask) if mask else (Path(path), "")


def _mask(masks: object, name: str) -> np.ndarray:
    if not isinstance(masks, dict):
        raise FormatError("no mask file", expected="a dict of vertex lists", found=type(masks).__name__)
    names = [key for key in masks if isinstance(key, str)]
    if name not in names:
        raise FormatError(f"no mask {name!r}{nearest(name, names)}", expected=f"one of {names[:20]}")
    indices = np.asarray(masks[name])
    if indices.ndim != 1 or not np.issubdtype(indices.dtype, np.integer):
        raise FormatError(f"mask {name} is no list of vertices", expected="(n,) integers", found=indices.shape)
    return indices

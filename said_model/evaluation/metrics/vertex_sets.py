"""Vertex sets that users bring as files."""

from __future__ import annotations

from os import PathLike

import numpy as np

from blendvoca.errors import FormatError, nearest
from blendvoca.io.pickle.safe_pickle import read_pickle
from blendvoca.io.region import region_file
from blendvoca.io.vertex_list import read_vertex_list
from blendvoca.vertex_sets import VertexSet


def from_file(path: str | PathLike[str], region: str) -> VertexSet:
    """Read a set: an index list (text, one or more numbers a line), or a mask of a pickle of them such as FLAME's.

    Indices are of the whole head; :meth:`VertexSet.within` finds them in a rig of a part of it.

    :param path: ``MASKS.pkl:NAME`` names the mask, ``NAME+OTHER`` several together; else it is called as the region.
    :raises FormatError: if it is neither, or has no such region.
    """
    file, mask = region_file(path)
    if file.suffix == ".pkl":
        masks = read_pickle(file)
        known = sorted(map(str, masks)) if isinstance(masks, dict) else []
        parts = []
        for name in (mask or region).split("+"):
            if name not in known:
                raise FormatError(f"no region {name!r}{nearest(name, known)}", expected=known, path=file,
                                  remedy=f"Name the masks: {file.name}:NAME or {file.name}:NAME+OTHER.")  # fmt: skip
            part = np.asarray(masks[name])
            parts.append(np.flatnonzero(part) if part.dtype == bool else part)
        return VertexSet(region, np.concatenate(parts), f"{file.name}:{mask}" if mask else file.name)
    return VertexSet(region, read_vertex_list(file), file.name)

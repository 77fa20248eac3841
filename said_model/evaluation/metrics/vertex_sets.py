"""Named sets of vertices: figures on vertices mean nothing without saying which ones."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from blendvoca.crop import Crop
from blendvoca.errors import FormatError, InputError, nearest
from blendvoca.io.pickle.safe_pickle import read_pickle
from blendvoca.io.region import region_file
from blendvoca.rig import BlendshapeRig

#: Shapes that move the lips, and those that move the upper face, for sets derived from a rig.
LIP_SHAPES = ("mouthClose", "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper", "mouthPressLeft",
              "mouthPressRight", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft",
              "mouthLowerDownRight")  # fmt: skip
UPPER_SHAPES = ("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "eyeBlinkLeft",
                "eyeBlinkRight", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight")  # fmt: skip
#: A vertex belongs to a derived set where a shape moves it by this share of the shape's largest displacement.
_SHARE = 0.35


@dataclass(frozen=True, eq=False)
class VertexSet:
    """Vertices under a name.

    :param name: what reports call the set.
    :param indices: (n,) sorted, unique.
    :param source: where it comes from.
    :raises InputError: for an empty set or one with negative indices.
    """

    name: str
    indices: NDArray[np.int64]
    source: str

    def __post_init__(self) -> None:
        indices = np.unique(np.asarray(self.indices))
        if not indices.size or not np.issubdtype(indices.dtype, np.integer) or indices[0] < 0:
            raise InputError(f"vertex set {self.name!r} holds no vertices", found=indices[:5].tolist())
        object.__setattr__(self, "indices", indices.astype(np.int64))

    def of(self, vertices: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the set's part of vertices (..., V, 3).

        :raises InputError: if the mesh has fewer vertices than the set names.
        """
        if self.indices[-1] >= vertices.shape[-2]:
            raise InputError(f"vertex set {self.name!r} lies outside the mesh", expected=f"below {vertices.shape[-2]}",
                             found=int(self.indices[-1]), remedy="Use the set of this topology.")  # fmt: skip
        return vertices[..., self.indices, :]

    def within(self, crop: Crop | None) -> VertexSet:
        """Return where the set's vertices of the whole head stand in a crop of it; what the crop drops is left out.

        :raises InputError: if the head has fewer vertices than the set names, or the crop drops all of them.
        """
        if crop is None:
            return self
        if self.indices[-1] >= crop.n_vertices:
            raise InputError(f"vertex set {self.name!r} lies outside the mesh", expected=f"below {crop.n_vertices}",
                             found=int(self.indices[-1]), remedy="Use the set of this topology.")  # fmt: skip
        places = crop.position[self.indices]
        left = places[places >= 0]
        source = self.source if len(left) == len(places) else f"{self.source}, {len(left)} of {len(places)} vertices"
        return VertexSet(self.name, left, source)


def from_rig(rig: BlendshapeRig, region: str) -> VertexSet:
    """Return the vertices that the ``lips`` or the ``upper`` face's shapes move.

    :raises InputError: for another region, or a rig without such shapes.
    """
    shapes = {"lips": LIP_SHAPES, "upper": UPPER_SHAPES}.get(region)
    present = [name for name in shapes or () if name in rig.names]
    if not present:
        raise InputError(f"no region {region!r} can be told from this rig", expected="lips or upper, and their shapes",
                         found=list(rig.names), remedy="Name vertices (--lips, --upper), or measure none "
                         "(--no-vertices).")  # fmt: skip
    motion = np.linalg.norm(rig.deltas[rig.indices(present)], axis=2)
    moved = (motion > _SHARE * motion.max(axis=1, keepdims=True)).any(axis=0)
    return VertexSet(region, np.flatnonzero(moved), f"rig: moved by {len(present)} shapes")


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
    try:
        numbers = [int(word) for word in file.read_text().replace(",", " ").split()]
    except (OSError, ValueError) as error:
        raise FormatError("not a list of vertex indices", found=error, path=file) from error
    return VertexSet(region, np.array(numbers), file.name)

"""Named sets of vertices: a figure "over the lips" means nothing without saying which vertices those are.

A :class:`ShapeRegion` finds a set on any rig by the shapes that move it. Lips, mouth region and upper face are defined
here and nowhere else; fits are measured over :data:`LIPS`, lip vertex errors over :data:`MOUTH_REGION`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.crop import Crop
from blendvoca.errors import InputError
from blendvoca.rig import BlendshapeRig


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


@dataclass(frozen=True)
class ShapeRegion:
    """A part of the face, by the shapes that move it.

    :param name: what reports call it.
    :param shapes: names of blendshapes; those that a rig lacks are left out.
    :param share: a vertex belongs to the region where a shape moves it farther than this share of the shape's largest
        displacement.
    """

    name: str
    shapes: tuple[str, ...]
    share: float

    def vertices(self, rig: BlendshapeRig) -> NDArray[np.int64]:
        """Return the region's vertices.

        :param rig: any rig with BlendVOCA's or ARKit's names.
        :returns: (n,) sorted vertex indices; empty where the rig has none of the shapes, or none of them moves.
        """
        present = [name for name in self.shapes if name in rig.names]
        motion = np.linalg.norm(rig.deltas[rig.indices(present)], axis=2)
        return np.flatnonzero((motion > self.share * motion.max(axis=1, keepdims=True)).any(axis=0))

    def of(self, rig: BlendshapeRig) -> VertexSet:
        """Return the region's vertices under its name.

        :param rig: any rig with BlendVOCA's or ARKit's names.
        :raises InputError: for a rig without such shapes.
        """
        indices = self.vertices(rig)
        if not indices.size:
            raise InputError(f"no {self.name} can be found on this rig", expected=f"one of {self.shapes}",
                             found=list(rig.names), remedy="Name vertices (--lips, --upper), or measure none "
                             "(--no-vertices).")  # fmt: skip
        return VertexSet(self.name, indices, f"rig: moved by {sum(n in rig.names for n in self.shapes)} shapes")


#: The lips themselves: where pucker and lip rolls act most.
LIPS = ShapeRegion("lips", ("mouthPucker", "mouthRollUpper", "mouthRollLower"), 0.5)

#: The lips and the skin around them that eleven mouth shapes take along.
MOUTH_REGION = ShapeRegion(
    "mouth region",
    ("mouthClose", "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthRollUpper", "mouthPressLeft",
     "mouthPressRight", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight"),
    0.35,
)  # fmt: skip

#: Brows, lids, cheek bones and the sides of the nose.
UPPER_FACE = ShapeRegion(
    "upper face",
    ("browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "eyeBlinkLeft",
     "eyeBlinkRight", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight"),
    0.35,
)  # fmt: skip

"""The synthetic head: the user's entry point to its meshes, landmarks and blendshape rigs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import ConfigurationError
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.synthetic.anatomy.inner_lips import with_lip_gap
from blendvoca.synthetic.anatomy.shapes import SHAPE_NAMES, displacement
from blendvoca.synthetic.anatomy.sites import COMPONENTS, LEFT_EYEBALL, Sites
from blendvoca.synthetic.anatomy.surface import Surface, build_surface
from blendvoca.synthetic.identity import Identity, carry_sites, shape_sites

REGIONS = ("head", "mask")
_METRES = 1e-3


class CanonicalHead:
    """The two samplings of the average head, each computed when first asked for; share one among speakers."""

    @cached_property
    def head(self) -> Surface:
        """The whole head, about 5,000 vertices."""
        return build_surface("head")

    @cached_property
    def mask(self) -> Surface:
        """The face only, about 1,200 vertices."""
        return build_surface("mask")

    def surface(self, region: str) -> Surface:
        """Return the sampling ``"head"`` or ``"mask"``.

        :raises ConfigurationError: for another region.
        """
        if region not in REGIONS:
            raise ConfigurationError("unknown region", expected=f"one of {REGIONS}", found=repr(region))
        surface: Surface = getattr(self, region)
        return surface


class SyntheticHead:
    """A parametric head with FLAME's traits: skin, inner lips, teeth, tongue, eyeballs, 51 analytic shapes.

    :param identity: what makes the speaker; the average head by default.
    :param canonical: the average head's samplings, to share their cost among speakers.
    """

    def __init__(self, identity: Identity | None = None, canonical: CanonicalHead | None = None) -> None:
        self.identity = identity or Identity()
        self.canonical = canonical or CanonicalHead()

    def head(self) -> tuple[Mesh, NDArray[np.int64]]:
        """Return the whole head at rest in metres and its 68 landmarks (iBUG order)."""
        return self._neutral("head")

    def mask(self) -> tuple[Mesh, NDArray[np.int64]]:
        """Return the face-only sampling of the same surface in metres and its 68 landmarks."""
        return self._neutral("mask")

    def landmarks(self, region: str = "head") -> NDArray[np.int64]:
        """Return the 68 landmark vertices of a sampling."""
        return self.canonical.surface(region).landmarks.copy()

    def parts(self) -> dict[str, NDArray[np.int64]]:
        """Return the vertices of the whole head's components by name: skin, eyeballs, teeth, tongue."""
        region = self.canonical.head.sites.region
        wanted = {"skin": region < LEFT_EYEBALL} | {name: region == number for name, number in COMPONENTS.items()}
        return {name: np.flatnonzero(mask) for name, mask in wanted.items()}

    def _sites(self, region: str) -> Sites:
        return with_lip_gap(self.canonical.surface(region).sites, self.identity.lip_gap)

    def _neutral(self, region: str) -> tuple[Mesh, NDArray[np.int64]]:
        surface = self.canonical.surface(region)
        rest = shape_sites(self.identity, self._sites(region))
        return Mesh(_METRES * rest, surface.faces.astype(np.int32)), surface.landmarks.copy()

    def rig(self, region: str = "head", names: Sequence[str] = SHAPE_NAMES) -> BlendshapeRig:
        """Return the blendshape rig of a sampling, in metres.

        A speaker's shape is the canonical one carried along by the speaker's deformation of space, so both samplings
        of one speaker have the same true shape as well, and shapes that cancel each other still do.

        :raises ConfigurationError: for a region or a shape that does not exist.
        """
        neutral, _ = self._neutral(region)
        sites = self._sites(region)
        deltas = [carry_sites(self.identity, sites, displacement(name, sites)) for name in names]
        return BlendshapeRig(neutral, _METRES * np.array(deltas), tuple(names))

"""Blendshape rigs: a neutral mesh and named deltas."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.crop import Crop
from blendvoca.errors import RigError
from blendvoca.internal.lazy import html_by
from blendvoca.internal.names import check_labels, places_of
from blendvoca.mesh import Mesh


@dataclass(frozen=True, eq=False)
class BlendshapeRig:
    """A neutral mesh and K blendshapes (paper 2.2): a pose is ``neutral + Σ u_k delta_k``.

    :param neutral: the mesh at rest.
    :param deltas: (K, V, 3) shape minus neutral, in metres; stored as read-only float64.
    :param names: the K blendshape names.
    :raises RigError: for wrong shapes, repeated names or values that are not finite.
    """

    neutral: Mesh
    deltas: NDArray[np.float64]
    names: tuple[str, ...]

    def __post_init__(self) -> None:
        deltas = np.array(self.deltas, dtype=np.float64)
        names = tuple(self.names)
        if deltas.shape != (len(names), self.neutral.n_vertices, 3) or not names:
            expected = (len(names), self.neutral.n_vertices, 3)
            raise RigError("deltas have a wrong shape", expected=f"{expected}, K > 0", found=deltas.shape)
        check_labels(names, "blendshape", RigError)
        if not np.isfinite(deltas).all():
            bad = int(np.flatnonzero(~np.isfinite(deltas).all(axis=(1, 2)))[0])
            raise RigError("deltas are not finite", found=names[bad])
        deltas.setflags(write=False)
        object.__setattr__(self, "deltas", deltas)
        object.__setattr__(self, "names", names)

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:3]) + (f" … {self.names[-1]}" if len(self.names) > 3 else "")
        facts = f"{len(self.names)} shapes, {self.neutral.n_vertices} vertices, {self.neutral.n_faces} faces"
        return f"BlendshapeRig({facts},\n  {shown}; diagonal {self.neutral.extent:.3g})"

    _repr_html_ = html_by("rig_html")

    def indices(self, names: Sequence[str]) -> list[int]:
        """Return where ``names`` stand in this rig.

        :param names: blendshapes of this rig.
        :raises RigError: naming those the rig lacks.
        """
        return places_of(names, self.names, "rig", RigError)

    def select(self, names: Sequence[str]) -> BlendshapeRig:
        """Return the rig with these shapes only, in this order.

        :param names: blendshapes of this rig, in the order wanted.
        """
        return BlendshapeRig(self.neutral, self.deltas[self.indices(names)], tuple(names))

    def delta(self, name: str) -> NDArray[np.float64]:
        """Return one delta (V, 3).

        :param name: a blendshape of this rig.
        """
        return self.deltas[self.indices([name])[0]]

    def pose(self, coefficients: ArrayLike) -> NDArray[np.float64]:
        """Return positions (V, 3) for coefficients (K,), or (T, V, 3) for (T, K).

        :param coefficients: (K,) or (T, K), in the order of ``names``.
        :raises RigError: if the last axis is not K long.
        """
        u = np.asarray(coefficients, dtype=np.float64)
        if u.ndim not in (1, 2) or u.shape[-1] != len(self.names):
            raise RigError("wrong number of coefficients", expected=f"(..., {len(self.names)})", found=u.shape)
        flat = u @ self.deltas.reshape(len(self.names), -1)
        return self.neutral.vertices + flat.reshape(*u.shape[:-1], -1, 3)

    def basis(self) -> NDArray[np.float64]:
        """Return B (3V, K): one flattened delta a column, coordinates fastest (paper supplement 8)."""
        return self.deltas.reshape(len(self.names), -1).T

    def cropped(self, crop: Crop) -> BlendshapeRig:
        """Return the rig on the kept vertices of ``crop``.

        :param crop: of this rig's mesh.
        """
        return BlendshapeRig(crop.apply(self.neutral), crop.restrict(self.deltas), self.names)

"""ICT-FaceKit's face model: the compact archive, and the original folder of OBJ files (or a zip of it).

The model is in centimetres; everything here is returned in metres. Expressions keep ICT's own names
(:func:`blendvoca.arkit.ict_parts` maps ARKit's onto them).
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import ARKIT_NAMES, ict_parts
from blendvoca.errors import FormatError, MissingInputError, RigError, nearest
from blendvoca.io.archive import extracted
from blendvoca.io.json_file import integer, list_of, read_json, table, text
from blendvoca.io.mesh.obj import read_obj
from blendvoca.io.npz import read_npz
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig

_METRES = 0.01
#: Vertices 0..n-1 of the model's regions: the face from ear to ear, the same with ears and neck, the skin of the head.
ICT_REGIONS: dict[str, int] = {"face": 6706, "full face": 9409, "head": 11248}
_NEUTRAL = "generic_neutral_mesh.obj"
_INDICES = table({"idx_to_landmark_verts": list_of(integer(0, 2**31)), "expressions": list_of(text())})


@dataclass(frozen=True, eq=False)
class IctModel:
    """ICT-FaceKit in metres.

    :param mesh: neutral of the generic identity, the whole model (skin, sockets, teeth, eyeballs, lashes).
    :param expressions: ICT's expression name to deltas (n, 3) of the first n vertices; the others rest.
    :param identities: identity name to deltas (V, 3).
    :param landmarks: (68,) vertices.
    """

    mesh: Mesh
    expressions: Mapping[str, NDArray[np.float64]]
    identities: Mapping[str, NDArray[np.float64]]
    landmarks: NDArray[np.int64]

    def head(self, weights: Mapping[str, float] | None = None) -> Mesh:
        """Return the whole model of one identity (name to weight, about -2..2).

        :raises RigError: for an identity the model lacks.
        """
        vertices = self.mesh.vertices.copy()
        for name, weight in (weights or {}).items():
            if name not in self.identities:
                raise RigError(f"no identity {name!r}{nearest(name, self.identities)}", expected=list(self.identities))
            vertices += weight * self.identities[name]
        return self.mesh.with_vertices(vertices)

    def arkit_names(self) -> tuple[str, ...]:
        """Return the ARKit shapes whose parts the model has, in ARKit's order."""
        return tuple(name for name in ARKIT_NAMES if all(part in self.expressions for part in ict_parts(name)))

    def rig(self, weights: Mapping[str, float] | None = None, region: str = "face") -> BlendshapeRig:
        """Return ARKit's shapes on a region of the skin (:data:`ICT_REGIONS`) or on the ``whole`` model.

        :param weights: identity, as in :meth:`head`; ICT adds the same expression deltas to every identity.
        :raises RigError: for an unknown region, or a model without any ARKit shape.
        """
        if region != "whole" and region not in ICT_REGIONS:
            raise RigError(f"no region {region!r}", expected=[*ICT_REGIONS, "whole"])
        head, names = self.head(weights), self.arkit_names()
        if not names:
            raise RigError("the ICT model has no ARKit expression", found=list(self.expressions)[:5])
        count = min(ICT_REGIONS.get(region, head.n_vertices), head.n_vertices)
        deltas = np.zeros((len(names), count, 3))
        for row, name in enumerate(names):
            for part in ict_parts(name):
                moved = self.expressions[part][:count]
                deltas[row, : len(moved)] += moved
        kept = head.faces[(head.faces < count).all(axis=1)]
        return BlendshapeRig(Mesh(head.vertices[:count], kept), deltas, names)


def read_ict(path: str | PathLike[str]) -> IctModel:
    """Read the model from ``ict_facekit.npz``, from the folder ``FaceXModel`` or from a zip of it.

    :raises MissingInputError: if a file is not there.
    :raises FormatError: if an array or a file is not what the model has.
    """
    place = Path(path)
    if place.is_dir():
        return _read_folder(place)
    if not place.is_file():
        raise MissingInputError("no ICT-FaceKit model", expected="ict_facekit.npz or the folder FaceXModel", path=place)
    if zipfile.is_zipfile(place) and place.suffix.lower() == ".zip":
        with extracted(place, (".obj", ".json")) as folder:
            return _read_folder(folder)
    return _read_archive(place)


def _read_archive(path: Path) -> IctModel:
    wanted = (
        "neutral",
        "polygons",
        "expression_names",
        "expression_deltas",
        "identity_names",
        "identity_deltas",
        "landmarks68",
    )
    data = read_npz(path, wanted, what="no ICT-FaceKit archive")
    neutral = data["neutral"] * np.float64(_METRES)
    for kind in ("expression", "identity"):
        deltas = data[f"{kind}_deltas"]
        if deltas.ndim != 3 or deltas.shape[::2] != (len(data[f"{kind}_names"]), 3) or deltas.shape[1] > len(neutral):
            raise FormatError(f"{kind} deltas do not fit the model", found=deltas.shape, path=path)
    expressions, identities = (
        {str(name): delta * np.float64(_METRES) for name, delta in zip(data[f"{kind}_names"], data[f"{kind}_deltas"])}
        for kind in ("expression", "identity")
    )
    mesh = Mesh(neutral, split_polygons(data["polygons"]))
    return IctModel(mesh, expressions, identities, data["landmarks68"].astype(np.int64))


def _read_folder(folder: Path) -> IctModel:
    """Read the original layout: a neutral, an OBJ per expression and identity, ``vertex_indices.json``."""
    found = sorted(folder.rglob(_NEUTRAL))
    if not found:
        raise MissingInputError("no ICT-FaceKit model", expected=_NEUTRAL, path=folder)
    folder = found[0].parent
    facts = read_json(folder / "vertex_indices.json", _INDICES, "no vertex indices")
    landmarks, names = np.array(facts["idx_to_landmark_verts"], dtype=np.int64), set(facts["expressions"])
    neutral = read_obj(found[0])
    expressions: dict[str, NDArray[np.float64]] = {}
    identities: dict[str, NDArray[np.float64]] = {}
    for path in sorted(folder.glob("*.obj")):
        table_of = expressions if path.stem in names else identities if path.stem.startswith("identity") else None
        if table_of is None:
            continue
        moved = read_obj(path)
        if moved.n_vertices != neutral.n_vertices or not np.array_equal(moved.faces, neutral.faces):
            raise FormatError("other faces or vertices than the neutral", expected=neutral.n_vertices,
                              found=moved.n_vertices, path=path)  # fmt: skip
        table_of[path.stem] = (moved.vertices - neutral.vertices) * _METRES
    return IctModel(neutral.with_vertices(neutral.vertices * _METRES), expressions, identities, landmarks)


def split_polygons(polygons: NDArray[np.integer]) -> NDArray[np.int32]:
    """Return triangles (F, 3) of triangles and quads (P, 4), where -1 as the fourth corner means a triangle.

    A quad becomes two neighbouring rows, split at its first corner, as :func:`blendvoca.io.mesh.obj.read_obj` does.
    """
    fans = np.stack([polygons[:, [0, 1, 2]], polygons[:, [0, 2, 3]]], axis=1).reshape(-1, 3)
    keep = np.column_stack([np.ones(len(polygons), dtype=bool), polygons[:, 3] >= 0]).ravel()
    return np.asarray(fans[keep], dtype=np.int32)

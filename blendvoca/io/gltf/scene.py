"""The meshes of a glTF scene as they are seen: placed by their nodes, skinned by their skeletons."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError, InputError, nearest
from blendvoca.io.files import StrPath
from blendvoca.io.gltf.accessors import Accessors, whole
from blendvoca.io.gltf.container import DRACO, GltfFile, open_gltf, reading
from blendvoca.io.gltf.draco import DracoMesh, decode_draco
from blendvoca.io.gltf.limits import PER_PIECE
from blendvoca.io.gltf.nodes import NOWHERE, PlacedMesh, placed_meshes, world_matrices
from blendvoca.io.gltf.skins import MOST_SETS, joint_matrices, skin_matrices
from blendvoca.io.mesh.polygons import strip
from blendvoca.mesh import Mesh

_TRIANGLES, _STRIP, _FAN = 4, 5, 6


@dataclass(frozen=True, eq=False)
class Piece:
    """A primitive as a node places it (or several that share their vertices).

    :param node: its node.
    :param mesh: its mesh.
    :param primitives: which primitives of the mesh.
    :param part: name of its part.
    :param vertices: (n, 3) in the scene.
    :param faces: (m, 3) of these vertices, counter-clockwise seen from outside.
    :param linear: (3, 3), or (n, 3, 3) where a skin bends it: how a displacement of the mesh's own space is seen.
    :param targets: accessor of the displacement of each shape, None where it moves nothing.
    :param shapes: the shapes' names, as the file spells them.
    """

    node: int
    mesh: int
    primitives: tuple[int, ...]
    part: str
    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]
    linear: NDArray[np.float64]
    targets: tuple[int | None, ...] = ()
    shapes: tuple[str, ...] = ()

    def seen(self, displacement: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return displacements (n, 3) of the mesh's own space as they are seen in the scene."""
        return _turned(self.linear, displacement)

    def unseen(self, displacement: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return displacements (n, 3) of the scene in the mesh's own space.

        :raises FormatError: if the transform flattens the mesh.
        """
        try:
            inverse: NDArray[np.float64] = np.asarray(np.linalg.inv(self.linear), np.float64)
        except np.linalg.LinAlgError as error:
            raise FormatError(f"the transform of {self.part} flattens it", expected="one that can be undone") from error
        return _turned(inverse, displacement)


def _turned(linear: NDArray[np.float64], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return vectors (n, 3) under one matrix (3, 3), or each under its own (n, 3, 3)."""
    return vectors @ linear.T if linear.ndim == 2 else np.einsum("nij,nj->ni", linear, vectors)


@dataclass(frozen=True, eq=False)
class GltfScene:
    """The meshes of a file, one after another.

    :param file: the file.
    :param pieces: all primitives with triangles, in the order of the scene's nodes.
    """

    file: GltfFile
    accessors: Accessors
    pieces: tuple[Piece, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts, without repetition."""
        return tuple(dict.fromkeys(piece.part for piece in self.pieces))

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Where the vertices of each piece begin in :meth:`mesh`."""
        sizes = [len(piece.vertices) for piece in self.pieces]
        return tuple(int(start) for start in np.cumsum([0, *sizes[:-1]]))

    def mesh(self) -> Mesh:
        """Return all pieces as one mesh, vertices and triangles in the order of the file.

        :raises MeshError: if positions are not finite.
        """
        faces = [piece.faces + start for piece, start in zip(self.pieces, self.starts)]
        return Mesh(np.concatenate([piece.vertices for piece in self.pieces]), np.concatenate(faces))


def read_scene(path: StrPath, part: str | None = None, *, shaped: bool = False) -> GltfScene:
    """Read the meshes of a file.

    :param part: only the part of this name.
    :param shaped: only primitives with morph targets.
    :raises MissingInputError: if it, or a buffer beside it, cannot be read.
    :raises FormatError: if it is broken, or has no such meshes.
    :raises InputError: if it has no part of that name.
    """
    return scene_of(open_gltf(path), part, shaped=shaped)


def scene_of(file: GltfFile, part: str | None = None, *, shaped: bool = False) -> GltfScene:
    """Return the meshes of an open file; parameters and errors are those of :func:`read_scene`."""
    matrices = world_matrices(file)
    placed = placed_meshes(file, matrices)
    chosen = [found for found in placed if not shaped or _has_targets(file, found.mesh)]
    names = tuple(dict.fromkeys(found.name for found in chosen))
    if not chosen:
        what = "no mesh with morph targets" if shaped and placed else "no mesh"
        raise FormatError(f"{what} in this file", expected="a mesh with morph targets" if shaped else "a mesh",
                          found=f"meshes {', '.join(dict.fromkeys(found.name for found in placed))[:200]}" if placed
                          else None, path=file.path)  # fmt: skip
    if part is not None and part not in names:
        raise InputError(f"no part {part!r}{nearest(part, names)}", expected=f"one of {', '.join(names)[:300]}",
                         path=file.path)  # fmt: skip
    reader = _Reader(file, matrices)
    for found in chosen:
        if part in (None, found.name):
            reader.add(found, shaped)
    if not reader.pieces:
        raise FormatError("no triangles in this file", expected="a surface", path=file.path)
    return GltfScene(file, reader.accessors, tuple(reader.pieces), tuple(reader.notes))


def _has_targets(file: GltfFile, mesh: int) -> bool:
    with reading(file.path, f"mesh {mesh}"):
        return any(primitive.get("targets") for primitive in file.entry("meshes", mesh)["primitives"])


class _Reader:
    """Collects the pieces of a scene."""

    def __init__(self, file: GltfFile, matrices: dict[int, NDArray[np.float64]]) -> None:
        self.file, self.matrices = file, matrices
        self.accessors = Accessors(file)
        self.pieces: list[Piece] = []
        self.notes: list[str] = []
        self._draco: dict[int, DracoMesh] = {}
        if "VRM" in file.document.get("extensions", {}):
            self.notes.append("a VRM 0 avatar: turned to look along +z")

    def add(self, placed: PlacedMesh, shaped: bool) -> None:
        """Read the primitives of a mesh; those that share all their vertices become one piece."""
        with reading(self.file.path, f"mesh {placed.name}"):
            mesh = self.file.entry("meshes", placed.mesh)
            together: dict[str, list[int]] = {}
            for index, primitive in enumerate(mesh["primitives"]):
                if shaped and not primitive.get("targets"):
                    continue
                if primitive.get("mode", _TRIANGLES) not in (_TRIANGLES, _STRIP, _FAN):
                    self.notes.append(f"{placed.name}: points and lines are left out")
                    continue
                together.setdefault(_vertices_key(primitive, index), []).append(index)
            for indices in together.values():
                self.pieces.append(self._piece(placed, mesh, indices))

    def _piece(self, placed: PlacedMesh, mesh: dict[str, Any], indices: list[int]) -> Piece:
        primitives = [mesh["primitives"][index] for index in indices]
        first = primitives[0]
        positions = self._attribute(first, "POSITION")
        if positions.shape[1:] != (3,) or not len(positions):
            raise ValueError(f"positions of shape {positions.shape}")
        if not np.isfinite(positions).all():
            raise ValueError("positions that are not finite")
        self.file.budget.charge(len(positions) * 24 + PER_PIECE)
        faces = np.concatenate([self._faces(primitive, len(positions)) for primitive in primitives])
        node = self.file.entry("nodes", placed.node) if placed.node != NOWHERE else {}
        if "skin" in node and "JOINTS_0" in first["attributes"]:
            matrices = self._skin(node["skin"], first, len(positions))
            linear, shift = matrices[:, :, :3], matrices[:, :, 3]
        else:
            linear, shift = placed.matrix[:3, :3], placed.matrix[:3, 3]
        vertices = _turned(linear, positions) + shift
        if np.linalg.det(linear.reshape(-1, 3, 3)).mean() < 0:
            # A mirrored node shows its triangles turned.
            faces = faces[:, [0, 2, 1]]
        targets = tuple(target.get("POSITION") for target in first.get("targets", []))
        shapes = shape_names(mesh, first, len(targets))
        return Piece(placed.node, placed.mesh, tuple(indices), placed.name, vertices, faces, linear, targets, shapes)

    def _skin(self, skin: int, primitive: dict[str, Any], count: int) -> NDArray[np.float64]:
        """Return where a skin holds each vertex: matrices (n, 3, 4)."""
        joints = joint_matrices(self.file, self.accessors, self.matrices, skin)
        # Twelve numbers a vertex, and as many again while they are added up.
        self.file.budget.charge(count * 192)
        sets = [n for n in range(MOST_SETS) if f"JOINTS_{n}" in primitive["attributes"]]
        holds = [tuple(self._attribute(primitive, f"{kind}_{n}") for kind in ("JOINTS", "WEIGHTS")) for n in sets]
        return skin_matrices(joints, [(which.astype(np.int64), share) for which, share in holds], count)

    def _attribute(self, primitive: dict[str, Any], name: str) -> NDArray[np.float64]:
        """Return an attribute (n, width) of a primitive, out of its Draco stream where it has one."""
        packed = primitive.get("extensions", {}).get(DRACO)
        if packed is None or name not in packed["attributes"]:
            return self.accessors.read(primitive["attributes"][name])
        entry = self.file.entry("accessors", primitive["attributes"][name])
        values = self._decoded(packed["bufferView"]).attributes[packed["attributes"][name]]
        if len(values) != whole(entry, "count"):
            raise ValueError(f"a Draco mesh of {len(values)} vertices where {entry['count']} are stated")
        scale = np.iinfo(values.dtype).max if entry.get("normalized") and values.dtype.kind in "iu" else 1
        return np.asarray(values.astype(np.float64) / scale)

    def _decoded(self, view: int) -> DracoMesh:
        if view not in self._draco:
            self._draco[view] = decode_draco(self.accessors.view_bytes(view))
        return self._draco[view]

    def _faces(self, primitive: dict[str, Any], n_vertices: int) -> NDArray[np.int64]:
        packed = primitive.get("extensions", {}).get(DRACO)
        if packed is not None:
            corners = self._decoded(packed["bufferView"]).faces.reshape(-1)
        elif "indices" in primitive:
            corners = self.accessors.indices(primitive["indices"])
        else:
            corners = np.arange(n_vertices)
        self.file.budget.charge(corners.size * 16)
        if corners.size and not 0 <= int(corners.min()) <= int(corners.max()) < n_vertices:
            raise ValueError(f"a triangle of vertex {int(corners.max())}, where there are {n_vertices}")
        return _triangles(corners, primitive.get("mode", _TRIANGLES))


def _triangles(corners: NDArray[np.int64], mode: int) -> NDArray[np.int64]:
    """Return (m, 3) triangles of a list, strip or fan."""
    if mode == _TRIANGLES or len(corners) < 3:
        return corners[: len(corners) // 3 * 3].reshape(-1, 3)
    if mode == _FAN:
        return np.stack([corners[1:-1], corners[2:], np.broadcast_to(corners[0], len(corners) - 2)], axis=1)
    return strip(corners)


def _vertices_key(primitive: dict[str, Any], index: int) -> str:
    """Return what two primitives agree in when they share all their vertices; a Draco mesh has its own."""
    if DRACO in primitive.get("extensions", {}):
        return f"packed {index}"
    places = {name: value for name, value in primitive["attributes"].items() if name == "POSITION" or name[0] in "JW"}
    return repr((sorted(places.items()), [target.get("POSITION") for target in primitive.get("targets", [])]))


def shape_names(mesh: dict[str, Any], primitive: dict[str, Any], count: int) -> tuple[str, ...]:
    """Return the names of a primitive's morph targets; numbers stand in where the file has none.

    :raises ValueError: if there are names for another number of targets.
    """
    for owner in (mesh, primitive):
        extras = owner.get("extras")
        names = extras.get("targetNames") if isinstance(extras, dict) else None
        if isinstance(names, list) and names:
            if len(names) != count and count:
                raise ValueError(f"{len(names)} names for {count} morph targets")
            return tuple(map(str, names))[:count]
    return tuple(f"target {index}" for index in range(count))

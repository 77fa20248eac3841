"""Into the artist's own file: morph targets and an animation added, everything else as it was.

Textures, coordinates, materials, skins, nodes, other meshes and the order of vertices stay; what is new is appended to
the binary chunk.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import MeshError, OutputError, RigError
from blendvoca.geometry.normals import vertex_normals
from blendvoca.internal.limits import GLTF
from blendvoca.internal.spelling import match_names
from blendvoca.io.atomic import write_bytes
from blendvoca.io.files import StrPath
from blendvoca.io.gltf.accessors import Accessors
from blendvoca.io.gltf.animation import CLIP, mesh_shapes, weights_node
from blendvoca.io.gltf.container import GltfFile, open_gltf, reading
from blendvoca.io.gltf.copying import opened_copy
from blendvoca.io.gltf.nodes import NOWHERE, world_matrices
from blendvoca.io.gltf.scene import Piece, scene_of
from blendvoca.io.gltf.spelling import arkit_spellings, distinct
from blendvoca.io.gltf.write import GrowingBuffer, frame_times, packed
from blendvoca.io.mesh.anymesh import weld_groups
from blendvoca.track import CoefficientTrack

#: A part whose vertices move less than this share of the scene's size is not a part of the face.
_STILL = 1e-6


@dataclass(frozen=True, eq=False)
class NewShapes:
    """Shapes for a file that has none, or others.

    :param names: their K names.
    :param deltas: (K, V, 3) on the vertices of :func:`blendvoca.io.mesh.anymesh.read_mesh`, in the file's own unit.
    :param parts: names of the parts that get them; every part that moves where there is none.
    """

    names: tuple[str, ...]
    deltas: NDArray[np.float64]
    parts: tuple[str, ...] = ()


def write_into(
    path: StrPath,
    source: StrPath,
    *,
    shapes: NewShapes | None = None,
    track: CoefficientTrack | None = None,
    on_report: Callable[[str], None],
) -> None:
    """Write a copy of a glTF file with shapes, an animation or both added.

    :param path: GLB file to write.
    :param source: the artist's file: ``.glb``, ``.vrm`` or ``.gltf``.
    :param shapes: are given to every mesh that they move; a shape that a mesh has under that name is replaced.
    :param track: becomes an animation of all meshes that have its shapes, however they spell them.
    :param on_report: is called with what was replaced and what was left out.
    :raises FormatError: for a broken source.
    :raises MeshError: if the shapes are of another mesh, or move nothing.
    :raises RigError: if no mesh has a shape of the track.
    :raises OutputError: if the source would be written over.
    """
    if Path(path).resolve() == Path(source).resolve():
        raise OutputError("this file is read, and would be written over", remedy="Name another output.", path=path)
    file = open_gltf(source)
    document, buffer = opened_copy(file, on_report)
    with reading(file.path, "its meshes"):
        if shapes is not None:
            _Additions(file, document, buffer, on_report).add(shapes)
        if track is not None:
            document.setdefault("animations", []).append(_animation(document, buffer, track, file, on_report))
    write_bytes(path, packed(document, buffer))


class _Additions:
    """Adds shapes to the meshes of a document."""

    def __init__(
        self, file: GltfFile, document: dict[str, Any], buffer: GrowingBuffer, on_report: Callable[[str], None]
    ) -> None:
        self.file, self.document, self.buffer, self.on_report = file, document, buffer, on_report

    def add(self, shapes: NewShapes) -> None:
        """Add the shapes to every node that they move.

        :raises MeshError: if they are of another mesh, or move nothing.
        """
        scene = scene_of(self.file)
        mesh = scene.mesh()
        kept, group = weld_groups(mesh.vertices)
        if shapes.deltas.shape != (len(shapes.names), len(kept), 3):
            raise MeshError("the shapes are of another mesh", expected=f"{len(kept)} vertices",
                            found=shapes.deltas.shape[1], path=self.file.path)  # fmt: skip
        moves = np.abs(shapes.deltas).max(axis=(0, 2)) > _STILL * mesh.extent
        by_node: dict[int, list[tuple[Piece, NDArray[np.int64]]]] = {}
        for piece, start in zip(scene.pieces, scene.starts):
            rows = group[start : start + len(piece.vertices)]
            if not shapes.parts or piece.part in shapes.parts:
                by_node.setdefault(piece.node, []).append((piece, rows))
        moved = {node: found for node, found in by_node.items() if any(moves[rows].any() for _, rows in found)}
        if not moved:
            raise MeshError("the shapes move no part of this file", path=self.file.path)
        for node, found in moved.items():
            if node == NOWHERE:
                raise MeshError("no node shows the meshes of this file", remedy="Save it again with its scene.",
                                path=self.file.path)  # fmt: skip
            self._to_node(node, found, shapes)
        still = sorted({found[0][0].part for node, found in by_node.items() if node not in moved})
        parts = ", ".join(dict.fromkeys(found[0][0].part for found in moved.values()))
        self.on_report(f"shapes were added to {parts}" + (f"; as it was: {', '.join(still)[:200]}" if still else ""))

    def _to_node(self, node: int, found: Sequence[tuple[Piece, NDArray[np.int64]]], shapes: NewShapes) -> None:
        mesh = self._own_mesh(node)
        old = mesh_shapes(mesh)
        names, places = _placed(old, shapes.names)
        replaced = [name for name, place in zip(shapes.names, places) if place < len(old)]
        if replaced:
            self.on_report(f"{found[0][0].part}: {len(replaced)} shapes were replaced ({', '.join(replaced[:3])}, …)")
        added = {
            primitive: self._targets(piece, mesh["primitives"][primitive], shapes.deltas[:, rows])
            for piece, rows in found
            for primitive in piece.primitives[:1]
        }
        shared = {other: piece.primitives[0] for piece, _ in found for other in piece.primitives}
        for index, primitive in enumerate(mesh["primitives"]):
            new = added[shared[index]] if index in shared else self._resting(primitive, len(shapes.names))
            targets = list(primitive.get("targets", [])) or self._resting(primitive, len(old))
            targets += self._resting(primitive, len(names) - len(targets))
            for place, target in zip(places, new):
                targets[place] = target
            primitive["targets"] = targets
            extras = primitive.get("extras")
            if isinstance(extras, dict) and "targetNames" in extras:
                extras["targetNames"] = names
        extras = mesh.get("extras")
        mesh["extras"] = {**(extras if isinstance(extras, dict) else {}), "targetNames": names}
        for owner in (mesh, self.document["nodes"][node]):
            if owner is mesh or "weights" in owner:
                owner["weights"] = [*owner.get("weights", [0.0] * len(old)), *[0.0] * (len(names) - len(old))]
        if old and len(names) > len(old):
            self._widen_animations(node, len(old), len(names))

    def _own_mesh(self, node: int) -> dict[str, Any]:
        """Return the mesh of a node; where other nodes show it too, a copy that is this node's alone."""
        nodes, meshes = self.document["nodes"], self.document["meshes"]
        index = nodes[node]["mesh"]
        if sum(other.get("mesh") == index for other in nodes) > 1:
            meshes.append(copy.deepcopy(meshes[index]))
            nodes[node]["mesh"] = len(meshes) - 1
        found: dict[str, Any] = meshes[nodes[node]["mesh"]]
        return found

    def _targets(self, piece: Piece, primitive: dict[str, Any], deltas: NDArray[np.float64]) -> list[dict[str, int]]:
        """Return the targets of a primitive for displacements (K, n, 3) of the scene."""
        GLTF.check(deltas.nbytes, self.file.budget.size, self.file.path)
        kinds = {kind for target in primitive.get("targets", []) for kind in target} & primitive["attributes"].keys()
        own = [piece.unseen(delta) for delta in deltas]
        targets = [{"POSITION": self.buffer.deltas(delta.astype(np.float32))} for delta in own]
        if "NORMAL" in kinds:
            # Viewers take either all shapes' normals or none.
            rest = _normals(piece, np.zeros_like(own[0]))
            for target, delta in zip(targets, own):
                target["NORMAL"] = self.buffer.deltas((_normals(piece, delta) - rest).astype(np.float32))
        if "TANGENT" in kinds:
            still = self.buffer.deltas(np.zeros_like(own[0], dtype=np.float32))
            targets = [target | {"TANGENT": still} for target in targets]
        return targets

    def _resting(self, primitive: dict[str, Any], count: int) -> list[dict[str, int]]:
        """Return targets that move nothing: all primitives of a mesh have equally many."""
        if count <= 0:
            return []
        n_vertices = self.file.entry("accessors", primitive["attributes"]["POSITION"])["count"]
        GLTF.check(12 * n_vertices, self.file.budget.size, self.file.path)
        still = self.buffer.deltas(np.zeros((n_vertices, 3), np.float32))
        return [{"POSITION": still}] * count

    def _widen_animations(self, node: int, before: int, after: int) -> None:
        """Give the file's own animations of a node's weights zeros for the new shapes."""
        accessors = Accessors(self.file)
        for animation in self.document.get("animations", []):
            for channel in animation["channels"]:
                if weights_node(channel) != node:
                    continue
                sampler = dict(animation["samplers"][channel["sampler"]])
                values = accessors.read(sampler["output"]).reshape(-1, before)
                wide = np.zeros((len(values), after), np.float32)
                wide[:, :before] = values
                sampler["output"] = self.buffer.scalars(wide.ravel())
                animation["samplers"].append(sampler)
                channel["sampler"] = len(animation["samplers"]) - 1


def _placed(old: Sequence[str], new: Sequence[str]) -> tuple[list[str], list[int]]:
    """Return the names of a mesh with new shapes, and the place of each new one: in front of its like, or behind."""
    known = {name: place for place, name in enumerate(arkit_spellings(old))}
    names, places = list(old), []
    for name in new:
        if name not in known:
            known[name] = len(names)
            names.append(name)
        places.append(known[name])
    return distinct(names), places


def _normals(piece: Piece, delta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return unit normals of a piece's displaced vertices, in the mesh's own space."""
    moved = piece.vertices + piece.seen(delta)
    normals = piece.unseen(vertex_normals(moved, piece.faces))
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.asarray(normals / np.where(lengths > 0, lengths, 1.0))


def _animation(
    document: dict[str, Any],
    buffer: GrowingBuffer,
    track: CoefficientTrack,
    file: GltfFile,
    on_report: Callable[[str], None],
) -> dict[str, Any]:
    """Return the animation of all meshes that have shapes of a track."""
    weights: dict[int, NDArray[np.float32]] = {}
    found: set[str] = set()
    shapes: dict[str, None] = {}
    for node in world_matrices(file):
        entry = document["nodes"][node]
        mesh = document["meshes"][entry["mesh"]] if "mesh" in entry else {"primitives": []}
        names = mesh_shapes(mesh)
        matched = match_names(list(track.names), list(names))
        shapes |= dict.fromkeys(names)
        if matched:
            found |= matched.keys()
            weights[node] = _table(track, names, matched, entry.get("weights") or mesh.get("weights"))
    lacking = [name for name in track.names if name not in found]
    if not weights:
        raise RigError("no mesh of this file has a blendshape of the track", expected=", ".join(track.names[:4]),
                       found=", ".join(list(shapes)[:6]) or "no shapes", remedy="Rename with --map.",
                       path=file.path)  # fmt: skip
    if lacking:
        shown = f"{', '.join(lacking[:5])}{', …' if len(lacking) > 5 else ''}"
        on_report(f"{len(lacking)} of {len(track.names)} shapes are not in the file and left out: {shown}")
    clips = [str(animation.get("name")) for animation in document.get("animations", [])]
    if clips:
        on_report(f"the file's own animations are kept ({', '.join(clips)[:200]})")
    name = distinct([*clips, CLIP])[-1]
    return buffer.animation(frame_times(len(track), track.fps), weights, track.fps, name)


def _table(
    track: CoefficientTrack, names: Sequence[str], matched: dict[str, list[str]], rest: Any
) -> NDArray[np.float32]:
    """Return the weights (T, K) of a mesh; shapes that the track lacks rest where the file has them."""
    table = np.zeros((len(track), len(names)), np.float32)
    if isinstance(rest, list) and len(rest) == len(names):
        table[:] = np.asarray(rest, np.float32)
    places = {name: place for place, name in enumerate(names)}
    for name, column in zip(track.names, track.values.T):
        for own in matched.get(name, ()):
            table[:, places[own]] = column
    return table

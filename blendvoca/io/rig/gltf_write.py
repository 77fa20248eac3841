"""glTF 2.0 binary: a rig as morph targets with their names, a track as their animation.

Deltas that rest on most vertices are written as sparse accessors. glTF shares our units and axes: metres, +y up, the
face looks along +z.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import MeshError
from blendvoca.geometry.normals import vertex_normals
from blendvoca.io.atomic import write_bytes
from blendvoca.io.gltf.animation import CLIP
from blendvoca.io.gltf.write import GrowingBuffer, frame_times, packed
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack


@dataclass(frozen=True, eq=False)
class Surface:
    """Triangles of one material.

    :param name: of the part, such as ``eyes``.
    :param faces: (F, 3) of the rig's vertices.
    :param colour: linear red, green, blue in [0, 1].
    :param roughness: 0 (a mirror) to 1.
    :param painted: (V, 3) linear colours of the rig's vertices, in place of the one colour.
    """

    name: str
    faces: NDArray[np.int32]
    colour: tuple[float, float, float] = (0.80, 0.62, 0.53)
    roughness: float = 0.7
    painted: NDArray[np.float64] | None = None


def write_glb(
    path: str | PathLike[str],
    rig: BlendshapeRig,
    track: CoefficientTrack | None = None,
    name: str = "face",
    surfaces: Sequence[Surface] = (),
) -> None:
    """Write a rig, and a track as its animation, as one GLB file.

    Positions, deltas and weights are stored as float32: the error is that rounding, below 1e-8 m on a head.

    :param track: its blendshapes must all be in the rig; shapes it lacks rest at zero.
    :param surfaces: the rig's triangles by material, each a primitive of its own; none makes all of them skin.
    :raises MeshError: for a rig without faces.
    :raises RigError: if the rig lacks a blendshape of the track.
    """
    if rig.neutral.n_faces == 0:
        raise MeshError("glTF needs triangles", found="a rig without faces")
    chosen = [surface for surface in surfaces if len(surface.faces)] or [Surface("skin", rig.neutral.faces)]
    buffer = GrowingBuffer()
    attributes = {
        "POSITION": buffer.vectors(rig.neutral.vertices.astype(np.float32)),
        "NORMAL": buffer.vectors(_unit_normals(rig.neutral.vertices, rig.neutral.faces)),
    }
    targets = [{"POSITION": buffer.deltas(delta)} for delta in rig.deltas.astype(np.float32)]
    # All primitives share the vertices, so that the mesh stays one and its order the rig's.
    primitives = [
        {
            "attributes": attributes | _paint(buffer, surface),
            "indices": buffer.triangles(surface.faces, rig.neutral.n_vertices),
            "material": number,
            "targets": targets,
        }
        for number, surface in enumerate(chosen)
    ]
    mesh = {"name": name, "primitives": primitives, "weights": [0.0] * len(rig.names)}
    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "blendvoca"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": name, "mesh": 0}],
        "meshes": [mesh | {"extras": {"targetNames": list(rig.names)}}],
        "materials": [_material(surface) for surface in chosen],
    }
    if track is not None:
        weights = np.zeros((len(track), len(rig.names)), dtype=np.float32)
        weights[:, rig.indices(track.names)] = track.values
        times = frame_times(len(track), track.fps)
        document["animations"] = [buffer.animation(times, {0: weights}, track.fps, CLIP)]
    write_bytes(path, packed(document, buffer))


def _paint(buffer: GrowingBuffer, surface: Surface) -> dict[str, int]:
    return {} if surface.painted is None else {"COLOR_0": buffer.vectors(surface.painted.astype(np.float32))}


def _material(surface: Surface) -> dict[str, Any]:
    colour = [*map(float, surface.colour), 1.0] if surface.painted is None else [1.0] * 4
    return {
        "name": surface.name,
        "pbrMetallicRoughness": {
            "baseColorFactor": colour, "metallicFactor": 0.0, "roughnessFactor": float(surface.roughness)
        },
        "doubleSided": True,
    }  # fmt: skip


def _unit_normals(vertices: NDArray[np.float64], faces: NDArray[np.int32]) -> NDArray[np.float32]:
    """Return area-weighted vertex normals; a vertex without a triangle points forward, since glTF wants unit length."""
    normals = vertex_normals(vertices, faces)
    normals[~normals.any(axis=1)] = (0.0, 0.0, 1.0)
    return normals.astype(np.float32)

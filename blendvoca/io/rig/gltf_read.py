"""Blendshape rigs and tracks out of glTF 2.0 files: morph targets of all meshes as one rig, and their animation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError, MissingInputError
from blendvoca.io.files import StrPath
from blendvoca.io.gltf.animation import clip_names, read_motion
from blendvoca.io.gltf.container import GltfFile, open_gltf, reading
from blendvoca.io.gltf.limits import PER_SHAPE
from blendvoca.io.gltf.scene import GltfScene, Piece, scene_of
from blendvoca.io.gltf.spelling import arkit_spellings
from blendvoca.io.mesh.anymesh import weld_groups, welded
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.track import RANGE_TOLERANCE, CoefficientTrack


@dataclass(frozen=True, eq=False)
class GltfRig:
    """A rig with its parts.

    :param rig: all meshes with morph targets as one, as the scene shows them (glTF says: in metres).
    :param parts: the parts' names, with their vertices: part n has ``starts[n]`` to ``starts[n + 1]``.
    :param starts: where the vertices of each part begin, and the number of all.
    :param notes: what was renamed, left out or turned.
    """

    rig: BlendshapeRig
    parts: tuple[str, ...]
    starts: tuple[int, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class GltfTrack:
    """A track out of a file.

    :param clip: name of the animation.
    :param clips: names of all animations of morph targets in it.
    :param notes: what was chosen, moved, clipped or left out.
    """

    track: CoefficientTrack
    clip: str
    clips: tuple[str, ...]
    notes: tuple[str, ...] = ()


def read_gltf(path: StrPath) -> tuple[BlendshapeRig, CoefficientTrack | None]:
    """Read the rig of a file, and its first animation where it has one.

    :raises FormatError: for a file without morph targets, or a broken one.
    """
    file = open_gltf(path)
    motion = _track(file, None).track if clip_names(file) else None
    return _rig(file, None).rig, motion


def read_gltf_rig(path: StrPath, part: str | None = None) -> GltfRig:
    """Read all meshes with morph targets as one rig. Names are ARKit's where the spelling is known.

    :param part: only the part of this name.
    :raises MissingInputError: if the file, or a buffer beside it, cannot be read.
    :raises FormatError: for a file without morph targets, or a broken one.
    :raises InputError: if it has no part of that name.
    """
    return _rig(open_gltf(path), part)


def read_gltf_track(path: StrPath, clip: str | None = None) -> GltfTrack:
    """Read an animation of morph targets on an even grid that holds all its keys.

    :param clip: its name; the first one where it is None.
    :raises MissingInputError: if there is no file, or no animation of morph targets in it.
    :raises FormatError: for a broken file.
    :raises InputError: if it has none of that name.
    """
    return _track(open_gltf(path), clip)


def read_gltf_source(path: StrPath) -> BlendshapeRig:
    """Read the rig of a file on the vertices of :func:`blendvoca.io.mesh.anymesh.read_mesh`, which landmarks name.

    Meshes without morph targets are in it too, at rest.

    :raises MissingInputError: if the file, or a buffer beside it, cannot be read.
    :raises FormatError: for a file without morph targets, or a broken one.
    """
    file = open_gltf(path)
    scene = scene_of(file)
    with reading(file.path, "its morph targets"):
        spelt = [arkit_spellings(piece.shapes) for piece in scene.pieces]
        if not any(spelt):
            raise FormatError("no mesh with morph targets in this file", expected="a rig", path=file.path)
        deltas, names = _deltas(scene, spelt)
        kept, _ = weld_groups(scene.mesh().vertices)
        return BlendshapeRig(welded(scene.mesh()), deltas[:, kept], names)


def _deltas(scene: GltfScene, spelt: Sequence[Sequence[str]]) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the displacements (K, V, 3) of all pieces as they are seen, and the K names.

    :param spelt: the names of each piece's shapes.
    """
    names = tuple(dict.fromkeys(name for piece in spelt for name in piece))
    index = {name: row for row, name in enumerate(names)}
    n_vertices = scene.starts[-1] + len(scene.pieces[-1].vertices)
    n_targets = sum(len(piece.targets) for piece in scene.pieces)
    scene.file.budget.charge(len(names) * n_vertices * 24 + n_targets * PER_SHAPE)
    deltas = np.zeros((len(names), n_vertices, 3))
    for piece, start, own in zip(scene.pieces, scene.starts, spelt):
        for accessor, name in zip(piece.targets, own):
            if accessor is not None:
                moved = scene.accessors.read(accessor, count=len(piece.vertices))
                deltas[index[name], start : start + len(moved)] = piece.seen(moved)
    return deltas, names


def _rig(file: GltfFile, part: str | None) -> GltfRig:
    scene = scene_of(file, part, shaped=True)
    with reading(file.path, "its morph targets"):
        spelt = [arkit_spellings(piece.shapes) for piece in scene.pieces]
        mesh = scene.mesh()
        deltas, names = _deltas(scene, spelt)
        parts, belongs = _parts(scene)
        kept, faces = _seams_closed(scene, mesh, deltas)
        rig = BlendshapeRig(Mesh(mesh.vertices[kept], faces), deltas[:, kept], names)
    starts = np.searchsorted(belongs[kept], np.arange(len(parts) + 1))
    notes = (*scene.notes, *_renamed(scene, spelt))
    return GltfRig(rig, parts, tuple(map(int, starts)), notes)


def _parts(scene: GltfScene) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Return the parts' names, and for every vertex (V,) its part's number."""
    names: list[str] = []
    belongs = []
    for number, piece in enumerate(scene.pieces):
        if not number or _place(piece) != _place(scene.pieces[number - 1]):
            names.append(piece.part)
        belongs.append(np.full(len(piece.vertices), len(names) - 1))
    return tuple(names), np.concatenate(belongs)


def _place(piece: Piece) -> tuple[int, int]:
    return piece.node, piece.mesh


def _seams_closed(
    scene: GltfScene, mesh: Mesh, deltas: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Make one of vertices that primitives of a node have in common: a head in two materials is one surface.

    :returns: the vertices that stay, rising, and the triangles (F, 3) of them.
    """
    stands_for = np.arange(mesh.n_vertices)
    for place in range(1, len(scene.pieces)):
        piece, start = scene.pieces[place], scene.starts[place]
        first = next(n for n in range(len(scene.pieces)) if _place(scene.pieces[n]) == _place(piece))
        if first == place:
            continue
        before = np.arange(scene.starts[first], start)
        at = {position.tobytes(): int(n) for n, position in zip(before[::-1], mesh.vertices[before][::-1])}
        for own in range(start, start + len(piece.vertices)):
            other = at.get(mesh.vertices[own].tobytes())
            if other is not None and np.array_equal(deltas[:, own], deltas[:, other]):
                stands_for[own] = stands_for[other]
    kept = np.flatnonzero(stands_for == np.arange(mesh.n_vertices))
    return kept, np.searchsorted(kept, stands_for[mesh.faces]).astype(np.int32)


def _renamed(scene: GltfScene, spelt: Sequence[Sequence[str]]) -> list[str]:
    """Return a note on names that were taken for ARKit's, and on those that stand in for none."""
    pairs = {(old, new) for piece, own in zip(scene.pieces, spelt) for old, new in zip(piece.shapes, own) if old != new}
    if not pairs:
        return []
    old, new = min(pairs)
    return [f"{len(pairs)} shapes by ARKit's names ({old}: {new}{', …' if len(pairs) > 1 else ''})"]


def _track(file: GltfFile, clip: str | None) -> GltfTrack:
    motion = read_motion(file, clip)
    notes = list(motion.notes)
    outside = (motion.values < -RANGE_TOLERANCE) | (motion.values > 1 + RANGE_TOLERANCE)
    if outside.any():
        most = np.unravel_index(np.abs(motion.values - 0.5).argmax(), motion.values.shape)
        notes.append(f"{int(outside.sum())} values outside 0 to 1 ({motion.names[most[1]]} = "
                     f"{motion.values[most]:.3g}): clipped")  # fmt: skip
    if motion.values.shape[1] == 0:
        raise MissingInputError("no animation of morph targets in it", path=file.path)
    with reading(file.path, "its animations"):
        track = CoefficientTrack(motion.values.clip(0, 1), motion.names, motion.fps)
    return GltfTrack(track, motion.clip, motion.clips, tuple(notes))

"""Sequences on disk: a folder of PLY or OBJ files, or one NumPy array; recognised by looking."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import FormatError, MeshError, MissingInputError
from blendvoca.io.files import StrPath, naming
from blendvoca.io.mesh.obj import decode_obj
from blendvoca.io.sequence.npy_frames import NpyFrames, open_npz
from blendvoca.io.sequence.ply_frames import PlyFrames
from blendvoca.io.stores import FolderStore, Store, ZipStore
from blendvoca.mesh import Faces
from blendvoca.sequence import FrameSource, MeshSequence

_SUFFIXES = (".ply", ".obj")
_LAST_NUMBER = re.compile(r"(\d+)(?=\.[^.]*$)")


def open_sequence(path: StrPath, fps: float, faces: ArrayLike | None = None, name: str | None = None) -> MeshSequence:
    """Open a sequence; frames are read when asked for.

    :param path: a folder (or zip) of PLY or OBJ files, one a frame; ``.npy`` or ``.npz`` of shape (T, V, 3) or (T, 3V),
        with axes of length 1 besides, as VOCA, FaceFormer and CodeTalker write it.
    :param fps: frames per second; no such file states it.
    :param faces: triangles of an ``.npy``, which holds none; checked against those of mesh files.
    :param name: what errors call the sequence; None takes the name of the path.
    :raises MissingInputError: if nothing is there.
    :raises FormatError: for a folder without frames or an array of another shape.
    :raises MeshError: for frames that are no mesh.
    """
    target = Path(path)
    name = name or target.name
    if target.suffix.lower() in (".npy", ".npz"):
        frames, n_vertices = open_array(target)
        triangles = np.empty((0, 3), np.int32) if faces is None else np.asarray(faces)
        with naming(target):
            return MeshSequence(frames, triangles, n_vertices, fps, name)
    if not target.exists():
        raise MissingInputError("no such sequence", expected="a folder of PLY or OBJ files, .npy or .npz", path=target)
    if not target.is_dir() and target.suffix.lower() != ".zip":
        raise FormatError("no sequence", expected="a folder of PLY or OBJ files, .npy or .npz", path=target)
    store: Store = FolderStore(target) if target.is_dir() else ZipStore(target)
    names = [entry for entry in store.names() if target.suffix.lower() == ".zip" or "/" not in entry]
    with naming(target):
        return frames_in(store, names, fps, name, faces)


def open_array(path: StrPath) -> tuple[FrameSource, int]:
    """Open the frames of an ``.npy`` (memory-mapped) or ``.npz`` file.

    :param path: of the array: (T, V, 3) or (T, 3V), with axes of length 1 besides.
    :returns: the frames and their vertex count V.
    :raises MissingInputError: if it cannot be read.
    :raises FormatError: for another array.
    """
    if Path(path).suffix.lower() == ".npz":
        held = open_npz(path)
        return held, held.frames.shape[1]
    mapped = NpyFrames.open(path)
    return mapped, mapped.n_vertices


def frames_in(
    store: Store, names: Sequence[str], fps: float, name: str, faces: ArrayLike | None = None
) -> MeshSequence:
    """Open the mesh files among ``names`` of a store as one sequence, ordered by frame number.

    :raises FormatError: if there are none, both PLY and OBJ files, or if frame numbers repeat or are missing.
    """
    kinds = {suffix: [entry for entry in names if entry.lower().endswith(suffix)] for suffix in _SUFFIXES}
    present = [suffix for suffix in _SUFFIXES if kinds[suffix]]
    if len(present) != 1:
        found = "none" if not present else "both"
        raise FormatError(f"{name} has no clear frames", expected="either PLY or OBJ files, one a frame", found=found)
    ordered = in_frame_order(kinds[present[0]], name)
    source = PlyFrames(store, ordered) if present[0] == ".ply" else ObjFrames(store, ordered)
    if faces is not None and not np.array_equal(source.faces, np.asarray(faces)):
        raise MeshError(f"{name} has another face list than its template", found=f"{len(source.faces)} faces")
    return MeshSequence(source, source.faces, source.n_vertices, fps, name)


def in_frame_order(names: Sequence[str], sequence: str) -> list[str]:
    """Sort file names by the last number in each, which counts the frames.

    :raises FormatError: for a name without a number, a number that repeats, or one that is missing: a frame that is not
        there would shift all later ones against the sound.
    """
    if len(names) == 1:
        return list(names)
    numbered: dict[int, str] = {}
    for name in names:
        match = _LAST_NUMBER.search(name)
        if match is None:
            raise FormatError(f"{sequence} has a file without a frame number", found=name)
        if int(match[1]) in numbered:
            raise FormatError(f"{sequence} has frame {match[1]} twice", found=f"{numbered[int(match[1])]} and {name}")
        numbered[int(match[1])] = name
    order = sorted(numbered)
    gaps = [before + 1 for before, after in pairwise(order) if after != before + 1]
    if gaps:
        raise FormatError(
            f"{sequence} lacks frames",
            expected=f"every number from {order[0]} to {order[-1]}",
            found=f"{len(order)} files, none for frame {gaps[0]}{' and others' if gaps[1:] else ''}",
            remedy="Copy the missing files again.",
        )
    return [numbered[number] for number in order]


class ObjFrames:
    """Frames in OBJ files, one a file, read on demand (a :class:`blendvoca.sequence.FrameSource`)."""

    def __init__(self, store: Store, names: Sequence[str]) -> None:
        self._store, self._names = store, tuple(names)
        mesh = decode_obj(store.read(names[0]), store.where(names[0]))
        self.faces: Faces = mesh.faces
        self.n_vertices = mesh.n_vertices

    def __len__(self) -> int:
        return len(self._names)

    def read(self, start: int, stop: int) -> NDArray[np.floating]:
        """Return frames ``start`` to ``stop``, end excluded, as (n, V, 3) float32.

        :raises MeshError: naming the file, for another vertex count or face list.
        """
        names = self._names[start:stop]
        block = np.empty((len(names), self.n_vertices, 3), np.float32)
        for row, name in zip(block, names, strict=True):
            mesh = decode_obj(self._store.read(name), self._store.where(name))
            if mesh.n_vertices != self.n_vertices or not np.array_equal(mesh.faces, self.faces):
                raise MeshError(
                    "another topology than the sequence's first frame",
                    expected=f"{self.n_vertices} vertices, the same {len(self.faces)} faces",
                    found=f"{mesh.n_vertices} vertices, {mesh.n_faces} faces",
                    path=self._store.where(name),
                )
            row[:] = mesh.vertices
        return block

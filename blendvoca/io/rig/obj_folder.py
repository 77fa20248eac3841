"""Blendshape rigs as people keep them: a folder (or zip) of OBJ files, one a shape, beside a neutral."""

from __future__ import annotations

import zipfile
from os import PathLike
from pathlib import Path

import numpy as np

from blendvoca.arkit import canonical_name
from blendvoca.errors import FormatError, MeshError, MissingInputError, TrackError
from blendvoca.io.archive import extracted
from blendvoca.io.files import check_file
from blendvoca.io.mesh.obj import read_obj
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig

_NEUTRAL_NAMES = ("neutral", "base", "basis", "rest", "generic_neutral_mesh")


def read_rig_folder(path: str | PathLike[str]) -> BlendshapeRig:
    """Read a rig from a folder of OBJ files or a zip of one, in the unit of the files.

    The neutral is the file of that name (``Neutral.obj``, ``base.obj``, …); every other file is a shape. Names are
    ARKit's where :func:`blendvoca.arkit.canonical_name` knows the spelling, else the file's own.

    :raises MissingInputError: if there is no folder, no neutral or no shape.
    :raises MeshError: if a shape has other vertices or faces than the neutral.
    """
    place = Path(path)
    if place.is_dir():
        return _read_files(_obj_files(place), place)
    if place.is_file():
        check_file(place, archive=True)
    if place.is_file() and zipfile.is_zipfile(place):
        with extracted(place, (".obj",)) as folder:
            return _read_files(_obj_files(folder), place)
    raise MissingInputError("no blendshape rig", expected="a folder or zip of OBJ files, one a shape", path=place)


def _obj_files(folder: Path) -> list[Path]:
    """Return the OBJ files below a folder, sorted; hidden ones (macOS leaves ``._jawOpen.obj``) are left out."""
    inside = [path for path in folder.rglob("*") if path.suffix.lower() == ".obj"]
    return sorted(path for path in inside if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _read_files(files: list[Path], place: Path) -> BlendshapeRig:
    neutrals = [file for file in files if file.stem.lower() in _NEUTRAL_NAMES]
    if len(neutrals) != 1:
        raise MissingInputError("no neutral among the shapes", expected="one Neutral.obj",
                                found=[file.name for file in neutrals] or f"{len(files)} OBJ files",
                                path=place)  # fmt: skip
    neutral = read_obj(neutrals[0])
    deltas: dict[str, np.ndarray] = {}
    for file in files:
        if file == neutrals[0]:
            continue
        name = shape_name(file.stem)
        if name in deltas:
            raise FormatError(f"two files for {name}", found=file.name, path=place)
        deltas[name] = _same_topology(read_obj(file), neutral, f"{place}: {file.name}") - neutral.vertices
    if not deltas:
        raise MissingInputError("no shapes beside the neutral", expected="jawOpen.obj, …", path=place)
    return BlendshapeRig(neutral, np.stack(list(deltas.values())), tuple(deltas))


def _same_topology(shape: Mesh, neutral: Mesh, where: str) -> np.ndarray:
    """Return the shape's vertices; its faces must be the neutral's, in order."""
    if shape.n_vertices != neutral.n_vertices:
        raise MeshError(
            "a shape has another vertex count", expected=neutral.n_vertices, found=shape.n_vertices, path=where
        )
    if not np.array_equal(shape.faces, neutral.faces):
        raise MeshError("a shape has other faces than the neutral", expected="the same faces in the same order",
                        found=f"{shape.n_faces} faces", remedy="Export all shapes with one vertex order.",
                        path=where)  # fmt: skip
    return shape.vertices


def shape_name(spelling: str) -> str:
    """Return ARKit's name where the spelling is one of its, else the spelling itself."""
    try:
        return canonical_name(spelling)
    except TrackError:
        return spelling

"""Blendshape rigs as people keep them: a folder (or zip) of OBJ files, one a shape, beside a neutral."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import arkit_name
from blendvoca.errors import FormatError, MeshError, MissingInputError, nearest
from blendvoca.internal.limits import ARCHIVE_UNPACKED
from blendvoca.io.files import StrPath, check_file, naming
from blendvoca.io.mesh.obj import decode_obj_polygons
from blendvoca.io.mesh.polygons import PolygonMesh
from blendvoca.io.stores import FolderStore, Store, ZipStore
from blendvoca.rig import BlendshapeRig

#: What a neutral's whole name may be, or a word of it, letters alone.
_NEUTRAL_NAMES = ("neutral", "base", "basis", "rest", "restpose", "default", "template", "genericneutralmesh", "mean")
_NEUTRAL_WORDS = ("neutral", "basis", "rest", "base", "template", "default")


def read_rig_folder(
    path: StrPath, neutral: str | None = None, *, on_report: Callable[[str], None] | None = None
) -> BlendshapeRig:
    """Read a rig from a folder of OBJ files or a zip of one, in the unit of the files.

    The neutral goes by its name (``Neutral.obj``, ``_neutral.obj``, ``Head_base.obj``, …); every other file is a shape,
    called as :func:`blendvoca.arkit.arkit_name` understands its name, else by the name itself. Vertices are matched by
    their order; the same faces in another order are the same faces.

    :param neutral: name of the neutral's file, with or without its suffix.
    :param on_report: is called with what was found in another order.
    :raises MissingInputError: if there is no folder, no neutral or no shape.
    :raises FormatError: if two files mean one shape, or the zip is damaged.
    :raises MeshError: if a shape has other vertices or faces than the neutral.
    """
    store = open_shapes(path)
    reader = _Counted(store, path)
    files = [name for name in store.names() if name.lower().endswith(".obj")]
    if not files:
        raise MissingInputError("no blendshape rig", expected="a folder or zip of OBJ files, one a shape", path=path)
    rest_file = _neutral_file(files, neutral, path)
    shapes = _named([file for file in files if file != rest_file], path)
    rest = reader.mesh(rest_file)
    deltas, turned = [], []
    for file in shapes.values():
        shape = reader.mesh(file)
        with naming(f"{path}: {file}"):
            if _compared(shape, rest):
                turned.append(file)
        deltas.append(shape.vertices - rest.vertices)
    if turned and on_report:
        on_report(f"{len(turned)} shapes have their faces in another order than the neutral ({turned[0]}, …): "
                  "vertices are what counts")  # fmt: skip
    with naming(f"{path}: {rest_file}"):
        return BlendshapeRig(rest.triangulated(), np.stack(deltas), tuple(shapes))


def _named(files: list[str], path: StrPath) -> dict[str, str]:
    """Return the files of the shapes by what the shapes are called.

    :raises MissingInputError: if there is none.
    :raises FormatError: if two files mean one shape.
    """
    shapes: dict[str, str] = {}
    for file in files:
        stem = PurePosixPath(file).stem
        name = arkit_name(stem) or stem
        if name in shapes:
            raise FormatError(f"two files for {name}", expected="one", found=f"{shapes[name]} and {file}", path=path)
        shapes[name] = file
    if not shapes:
        raise MissingInputError("no shapes beside the neutral", expected="jawOpen.obj, …", path=path)
    return shapes


def open_shapes(path: StrPath) -> Store:
    """Open a folder or zip of shapes.

    :raises MissingInputError: if it is neither.
    """
    place = Path(path)
    if place.is_dir():
        return FolderStore(place)
    if place.exists():
        check_file(place, archive=True)
        if zipfile.is_zipfile(place):
            return ZipStore(place)
    raise MissingInputError("no blendshape rig", expected="a folder or zip of OBJ files, one a shape", path=path)


class _Counted:
    """Reads meshes of a folder or archive; what an archive gives in all is bounded."""

    def __init__(self, store: Store, path: StrPath) -> None:
        self.store, self.path, self.read = store, path, 0
        self.size = Path(path).stat().st_size if Path(path).is_file() else None

    def mesh(self, name: str) -> PolygonMesh:
        with naming(self.store.where(name)):
            content = self.store.read(name)
            self.read += len(content)
            if self.size is not None:
                ARCHIVE_UNPACKED.check(self.read, self.size, self.path)
            return decode_obj_polygons(content)


def _neutral_file(files: list[str], asked: str | None, path: StrPath) -> str:
    """Return the file of the neutral: the one asked for, or the one whose name says so."""
    if asked is not None:
        wanted = asked.lower().removesuffix(".obj")
        found = [name for name in files if wanted in (name.lower()[:-4], PurePosixPath(name).stem.lower())]
    else:
        stems = {name: PurePosixPath(name).stem for name in files}
        found = [name for name in files if re.sub("[^a-z]", "", stems[name].lower()) in _NEUTRAL_NAMES]
        found = found or [name for name in files if _means_rest(stems[name])]
    if len(found) == 1:
        return found[0]
    names = [PurePosixPath(name).name for name in (found or files)]
    shown = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")
    hint = nearest(asked, [PurePosixPath(name).name for name in files]) if asked is not None and not found else ""
    raise MissingInputError(
        ("several neutrals" if found else "no neutral") + f" among the shapes{hint}",
        expected="one file such as Neutral.obj, or its name: --neutral FILE",
        found=shown,
        path=path,
    )


def _means_rest(stem: str) -> bool:
    """Whether a word of a name says that it is the face at rest."""
    words = re.sub(r"([a-z])([A-Z])", r"\1 \2", stem).lower()
    return any(word in _NEUTRAL_WORDS for word in re.split("[^a-z]+", words)) and arkit_name(stem) is None


def _compared(shape: PolygonMesh, neutral: PolygonMesh) -> bool:
    """Check that a shape has the neutral's vertices and faces; return whether the faces come in another order.

    :raises MeshError: if it has others.
    """
    if len(shape.vertices) != len(neutral.vertices):
        raise MeshError("a shape has another vertex count", expected=len(neutral.vertices), found=len(shape.vertices))
    if np.array_equal(shape.counts, neutral.counts) and np.array_equal(shape.corners, neutral.corners):
        return False
    own, rest = _face_sets(shape), _face_sets(neutral)
    if own.keys() != rest.keys() or any(not np.array_equal(own[count], rest[count]) for count in own):
        raise MeshError("a shape has other faces than the neutral", expected="the same faces, in any order",
                        found=f"{len(shape.counts)} faces", remedy="Export all shapes with one vertex order.",
                        )  # fmt: skip
    return True


def _face_sets(mesh: PolygonMesh) -> dict[int, NDArray[np.int64]]:
    """Return faces by their number of corners, in an order that depends neither on theirs nor on their corners'."""
    starts = np.cumsum(mesh.counts) - mesh.counts
    faces = {}
    for count in np.unique(mesh.counts):
        rows = mesh.corners[starts[mesh.counts == count][:, None] + np.arange(count)]
        rows = np.sort(rows, axis=1)
        faces[int(count)] = rows[np.lexsort(rows.T[::-1])]
    return faces

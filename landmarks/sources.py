"""Source rigs: ARKit-style blendshapes with their 68 landmarks, ready to be transferred to other heads.

``synthetic`` is made here; ``arkit`` and ``ict`` are read from the assets folder or the download cache; any other word
is a path to a folder or zip of OBJ files, a glTF, GLB or VRM file, an ``.npz`` or a rig file ``.h5``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import select_names
from blendvoca.errors import ConfigurationError, LandmarkError, MissingInputError, nearest
from blendvoca.io.archive import open_zip
from blendvoca.io.npz import read_npz
from blendvoca.rig import BlendshapeRig
from landmarks.assets import find_asset
from landmarks.files import checked_indices, read_landmarks
from landmarks.schemes import recognise, topology_landmarks
from landmarks.units import guess_unit

#: Names that are no paths.
SOURCES: tuple[str, ...] = ("synthetic", "arkit", "ict")


@dataclass(frozen=True, eq=False)
class SourceRig:
    """A rig to transfer from.

    :param rig: neutral and deltas in metres.
    :param landmarks: (68,) vertices of the neutral.
    :param name: what to call it in reports and provenance.
    :param licence: licence and origin in a few words; empty where it is the user's own.
    :raises LandmarkError: if the landmarks do not fit the neutral.
    """

    rig: BlendshapeRig
    landmarks: NDArray[np.int64]
    name: str
    licence: str = ""

    def __post_init__(self) -> None:
        indices = checked_indices(self.landmarks, self.rig.neutral.n_vertices)
        indices.setflags(write=False)
        object.__setattr__(self, "landmarks", indices)

    def select(self, shapes: str | tuple[str, ...]) -> SourceRig:
        """Return it with these shapes only: ``blendvoca`` (the 32), ``all`` or names.

        :param shapes: ``blendvoca`` (the 32), ``all``, or names separated by commas.
        :raises TrackError: naming the shapes it lacks.
        """
        return replace(self, rig=self.rig.select(select_names(shapes, self.rig.names)))


def load_source(
    source: str | PathLike[str] = "arkit",
    *,
    landmarks: str | PathLike[str] | None = None,
    assets: Path | None = None,
) -> SourceRig:
    """Load a source rig.

    :param source: ``synthetic``, ``arkit``, ``ict`` or a path.
    :param landmarks: landmark file, for a path that brings none of its own.
    :param assets: folder to look for fetched files first.
    :raises MissingInputError: if its files are not there, saying where they were looked for.
    :raises ConfigurationError: for a word that is neither a name nor a path.
    :raises FormatError, MeshError, LandmarkError: if the files are not what they should be.
    """
    makers: dict[str, Callable[[Path | None], SourceRig]] = {"synthetic": _synthetic, "arkit": _arkit, "ict": _ict}
    word = str(source)
    if word in makers and landmarks is None:
        return makers[word](assets)
    path = Path(source)
    if path.exists():
        return _from_path(path, landmarks, assets)
    if path.suffix or len(path.parts) > 1:
        raise MissingInputError("no source rig", expected="a folder or zip of OBJ files, .npz or .h5", path=path)
    raise ConfigurationError(f"unknown source rig {word!r}{nearest(word, SOURCES)}", expected=f"{SOURCES} or a path")


def default_source(
    landmarks: str | PathLike[str] | None = None, on_report: Callable[[str], None] | None = None
) -> SourceRig:
    """Load ARKit's reference where it is, else the embedded head.

    :param landmarks: landmark file of the reference, where its own is not to be used.
    :param on_report: is called with a sentence where the embedded head stands in.
    :raises FormatError: if the reference's files are not what they should be.
    """
    try:
        return load_source("arkit", landmarks=landmarks)
    except MissingInputError:
        if on_report is not None:
            on_report("the embedded sample's: ARKit's reference is not here (blendvoca download arkit-reference)")
        return load_source("synthetic")


def _synthetic(assets: Path | None) -> SourceRig:
    from blendvoca.synthetic.head import SyntheticHead

    head = SyntheticHead()
    return SourceRig(head.rig("mask"), head.landmarks("mask"), "synthetic", "Apache-2.0 (made by this toolkit)")


def _arkit(assets: Path | None) -> SourceRig:
    from blendvoca.io.rig.obj_folder import read_rig_folder

    rig = read_rig_folder(find_asset("ARKit_reference_blendshapes.zip", assets))
    return SourceRig(
        rig, topology_landmarks("arkit", assets), "arkit", "Apache-2.0 (yunik1004/SAiD); derives from Apple's ARKit"
    )


def _ict(assets: Path | None) -> SourceRig:
    from blendvoca.io.rig.ict import read_ict

    try:
        path = find_asset("ict_facekit.npz", assets)
    except MissingInputError:
        path = find_asset("generic_neutral_mesh.obj", assets).parent
    model = read_ict(path)
    return SourceRig(model.rig(), model.landmarks, "ict", "MIT (ICT-FaceKit)")


def _from_path(path: Path, landmarks: str | PathLike[str] | None, assets: Path | None) -> SourceRig:
    """Load a rig that the user points at, and find its landmarks."""
    from blendvoca.io.gltf.container import SUFFIXES as GLTF_SUFFIXES
    from blendvoca.io.rig.gltf_read import read_gltf_source
    from blendvoca.io.rig.obj_folder import read_rig_folder

    own: NDArray[np.int64] | None = None
    if _is_ict(path):
        from blendvoca.io.rig.ict import read_ict

        model = read_ict(path)
        rig, own = model.rig(), model.landmarks
    elif path.suffix.lower() in (".h5", ".hdf5"):
        rig, own = _rig_file(path)
    elif path.suffix.lower() == ".npz":
        rig, own = _archive(path)
    elif path.suffix.lower() in GLTF_SUFFIXES:
        rig = read_gltf_source(path)
    else:
        rig = read_rig_folder(path)
    if landmarks is not None:
        own = read_landmarks(landmarks, rig.neutral.n_vertices)
    if own is None:
        own = _find_landmarks(path, rig, assets)
    unit = guess_unit(rig.neutral.vertices[checked_indices(own, rig.neutral.n_vertices)])
    if unit.metres != 1.0:
        rig = BlendshapeRig(
            rig.neutral.with_vertices(rig.neutral.vertices * unit.metres), rig.deltas * unit.metres, rig.names
        )
    return SourceRig(rig, own, path.stem or path.name)


def _find_landmarks(path: Path, rig: BlendshapeRig, assets: Path | None) -> NDArray[np.int64]:
    """Return the one landmark list beside the shapes, or that of a known topology."""
    if path.is_dir():
        lists = sorted(file for end in ("txt", "json") for file in path.glob(f"*[lL]andmark*.{end}"))
        if len(lists) > 1:
            raise LandmarkError(
                "several landmark files", expected="one", found=[file.name for file in lists], path=path
            )
        if lists:
            return read_landmarks(lists[0], rig.neutral.n_vertices)
    known = recognise(rig.neutral.n_vertices, rig.neutral.n_faces)
    if known is None:
        raise MissingInputError(
            "the source rig has no landmarks",
            expected="landmarks.txt or landmarks.json beside the shapes",
            remedy="Name a file, or make one with 'blendvoca landmarks pick' or 'transfer'.",
            path=path,
        )
    return topology_landmarks(known.name, assets)


def _is_ict(path: Path) -> bool:
    """Whether a path is the ICT model, in either layout."""
    if path.is_dir():
        return any(path.rglob("generic_neutral_mesh.obj"))
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with open_zip(path) as archive:
        names = archive.namelist()
    return "expression_deltas.npy" in names or any(name.endswith("generic_neutral_mesh.obj") for name in names)


def _archive(path: Path) -> tuple[BlendshapeRig, NDArray[np.int64] | None]:
    """Read ``neutral`` (V, 3), ``faces`` (F, 3), ``deltas`` (K, V, 3), ``names`` (K,), perhaps ``landmarks`` (68,)."""
    from blendvoca.mesh import Mesh

    data = read_npz(path, ("neutral", "faces", "deltas", "names"), ("landmarks",), what="no rig in the archive")
    neutral, faces, deltas, names = (data[name] for name in ("neutral", "faces", "deltas", "names"))
    own = data.get("landmarks")
    rig = BlendshapeRig(Mesh(neutral, faces), deltas, tuple(str(name) for name in names))
    return rig, None if own is None else checked_indices(own, rig.neutral.n_vertices, path=path)


def _rig_file(path: Path) -> tuple[BlendshapeRig, NDArray[np.int64] | None]:
    from blendvoca.shard.rig_file import read_rig

    stored = read_rig(path)
    return stored.whole(path), None if stored.landmarks is None else np.asarray(stored.landmarks, dtype=np.int64)

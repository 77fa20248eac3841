"""Which part of a scene is the head: what landmarks are looked for on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import arkit_name
from blendvoca.crop import Crop
from blendvoca.errors import ConfigurationError
from blendvoca.io.files import StrPath, naming
from blendvoca.io.gltf.container import SUFFIXES as GLTF_SUFFIXES
from blendvoca.io.gltf.scene import GltfScene, Piece, read_scene
from blendvoca.io.mesh.anymesh import read_mesh, weld_groups, welded
from blendvoca.mesh import Mesh

_HEAD_WORDS = {"head", "face", "skin"}
#: Words of parts that are named after the head too, but are not it.
_OTHER_WORDS = {"eye", "eyes", "teeth", "tongue", "hair", "lash", "lashes", "brow", "brows", "hat", "wear", "accessory"}


@dataclass(frozen=True, eq=False)
class HeadMesh:
    """A mesh and its head.

    :param mesh: everything in the file, as :func:`blendvoca.io.mesh.anymesh.read_mesh` gives it.
    :param crop: the vertices of the head; all of them where the file is nothing else.
    :param part: name of the head's part, None where the file has no parts to choose from.
    :param parts: the vertices of each part of a glTF file.
    """

    mesh: Mesh
    crop: Crop
    part: str | None
    parts: dict[str, NDArray[np.int64]] = field(default_factory=dict)


def read_head(path: StrPath, part: str | None = None) -> HeadMesh:
    """Read a mesh of any format and find its head: the part of that name, or the one that looks like it.

    :param part: name of the head's part in a glTF file; by default the part called head or face, else the one with the
        most of ARKit's shapes.
    :raises ConfigurationError: if a format has no parts.
    :raises InputError: if the file has no part of that name.
    :raises FormatError: as :func:`blendvoca.io.mesh.anymesh.read_mesh`.
    """
    if Path(path).suffix.lower() not in GLTF_SUFFIXES:
        if part is not None:
            expected = ", ".join(GLTF_SUFFIXES)
            raise ConfigurationError("--part chooses from a glTF file", expected=expected, found=Path(path).name)
        mesh = read_mesh(path)
        return HeadMesh(mesh, Crop.of(np.arange(mesh.n_vertices), mesh.n_vertices), None)
    if part is not None:
        # Raises where there is none.
        read_scene(path, part)
    scene = read_scene(path)
    with naming(path):
        chosen = part or _head(scene)
        whole = scene.mesh()
        kept, group = weld_groups(whole.vertices)
        own: dict[str, list[NDArray[np.int64]]] = {}
        for piece, start in zip(scene.pieces, scene.starts):
            own.setdefault(piece.part, []).append(group[start : start + len(piece.vertices)])
        parts = {name: np.unique(np.concatenate(vertices)) for name, vertices in own.items()}
        head = np.concatenate([parts[name] for name in parts if chosen in (None, name)])
        return HeadMesh(welded(whole), Crop.of(head, len(kept)), chosen, parts)


def _head(scene: GltfScene) -> str | None:
    """Return the name of the part that looks like the head, None where none does."""
    parts: dict[str, list[Piece]] = {}
    for piece in scene.pieces:
        parts.setdefault(piece.part, []).append(piece)
    if len(parts) < 2:
        return None
    named = {name: pieces for name, pieces in parts.items() if _is_head(name)}
    shaped = {name: pieces for name, pieces in (named or parts).items() if _known(pieces)}
    found = shaped or named
    return max(found, key=lambda name: (_known(found[name]), _size(found[name]))) if found else None


def _is_head(name: str) -> bool:
    words = set(re.split("[^a-z]+", re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", name).lower()))
    return bool(words & _HEAD_WORDS) and not words & _OTHER_WORDS


def _known(pieces: Iterable[Piece]) -> int:
    """Return how many of ARKit's shapes pieces have."""
    return len({name for piece in pieces for name in map(arkit_name, piece.shapes) if name})


def _size(pieces: Iterable[Piece]) -> int:
    return sum(len(piece.vertices) for piece in pieces)

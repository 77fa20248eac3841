"""Known head topologies: their sizes, and which fetched file lists their 68 landmarks.

The lists themselves are other people's data and are read from the assets folder or the download cache.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import ConfigurationError, FormatError, nearest
from landmarks.assets import find_asset
from landmarks.files import checked_indices, read_landmarks


@dataclass(frozen=True)
class Topology:
    """Sizes of a known head and where its landmarks stand."""

    name: str
    vertices: int
    faces: int
    landmarks: str
    about: str
    head: str | None = None


@cache
def topologies() -> dict[str, Topology]:
    """Return the known topologies by name."""
    table = json.loads(files(__package__).joinpath("topologies.json").read_text())
    return {name: Topology(name, **facts) for name, facts in table.items()}


def recognise(n_vertices: int, n_faces: int | None = None) -> Topology | None:
    """Return the known topology of these sizes (triangles), or None."""
    for topology in topologies().values():
        if topology.vertices == n_vertices and n_faces in (None, topology.faces):
            return topology
    return None


def topology_landmarks(name: str, assets: Path | None = None) -> NDArray[np.int64]:
    """Read the 68 landmarks (68,) of a known topology.

    :param assets: folder to look in first.
    :raises ConfigurationError: for an unknown name.
    :raises MissingInputError: if the index list has not been fetched.
    """
    topology = _topology(name)
    path = find_asset(topology.landmarks, assets)
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as archive:
            if "landmarks68" not in archive.files:
                raise FormatError("no landmarks in the archive", expected="landmarks68", found=archive.files, path=path)
            return checked_indices(archive["landmarks68"], topology.vertices, path=path)
    return read_landmarks(path, topology.vertices)


def head_indices(name: str = "flame", assets: Path | None = None) -> NDArray[np.int64]:
    """Read the vertices (n,) of the published head region of a topology (``FLAME_head_idx.txt``).

    :raises ConfigurationError: if the topology has no such list.
    :raises MissingInputError: if the list has not been fetched.
    :raises FormatError: if it is not a sorted list of its vertices.
    """
    topology = _topology(name)
    if topology.head is None:
        raise ConfigurationError(f"topology {name} has no head region", expected="flame")
    path = find_asset(topology.head, assets)
    words = path.read_text(encoding="ascii", errors="replace").split()
    if not words or not all(word.isdigit() for word in words):
        raise FormatError("no vertex indices", expected="one index a line", path=path)
    indices = np.array(words, dtype=np.int64)
    if (np.diff(indices) <= 0).any() or indices[-1] >= topology.vertices:
        raise FormatError(
            "head region is not a list of vertices",
            expected=f"sorted indices below {topology.vertices}",
            found=f"up to {indices.max()}",
            path=path,
        )
    return indices


def _topology(name: str) -> Topology:
    if name not in topologies():
        raise ConfigurationError(f"unknown topology {name!r}{nearest(name, topologies())}", expected=list(topologies()))
    return topologies()[name]

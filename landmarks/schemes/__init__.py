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

from blendvoca.errors import ConfigurationError, nearest
from blendvoca.io.npz import read_npz
from blendvoca.io.vertex_list import read_vertex_list
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
        found = read_npz(path, ("landmarks68",), what="no landmarks in the archive")
        return checked_indices(found["landmarks68"], topology.vertices, path=path)
    return read_landmarks(path, topology.vertices)


def head_indices(name: str = "flame", assets: Path | None = None) -> NDArray[np.int64]:
    """Read the vertices (n,) of the published head region of a topology (``FLAME_head_idx.txt``).

    :raises ConfigurationError: if the topology has no such list.
    :raises MissingInputError: if the list has not been fetched.
    :raises FormatError, MeshError: if it is no list of its vertices.
    """
    topology = _topology(name)
    if topology.head is None:
        raise ConfigurationError(f"topology {name} has no head region", expected="flame")
    path = find_asset(topology.head, assets)
    return np.unique(read_vertex_list(path, topology.vertices))


def _topology(name: str) -> Topology:
    if name not in topologies():
        raise ConfigurationError(f"unknown topology {name!r}{nearest(name, topologies())}", expected=list(topologies()))
    return topologies()[name]

"""The node tree of a glTF scene: which meshes stand in it, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import FormatError
from blendvoca.io.gltf.container import GltfFile, reading
from blendvoca.io.gltf.limits import MOST_LEVELS

#: Stands for the node of a mesh that none places.
NOWHERE = -1
#: VRM 0 avatars look along -z, everything else along +z.
_TURNED = np.diag([-1.0, 1.0, -1.0, 1.0])


@dataclass(frozen=True, eq=False)
class PlacedMesh:
    """A mesh as a node of the scene places it.

    :param node: its node.
    :param mesh: its mesh.
    :param name: the node's name, else the mesh's.
    :param matrix: (4, 4) from the mesh's own space to the scene's.
    """

    node: int
    mesh: int
    name: str
    matrix: NDArray[np.float64]


def world_matrices(file: GltfFile) -> dict[int, NDArray[np.float64]]:
    """Return the matrix (4, 4) of every node of the scene, in the order in which the scene reaches them.

    :raises FormatError: for a tree with circles or joined branches, or transforms that are none.
    """
    with reading(file.path, "its nodes"):
        nodes = file.entries("nodes")
        turn = _TURNED if "VRM" in file.document.get("extensions", {}) else np.eye(4)
        found: dict[int, NDArray[np.float64]] = {}
        # Of siblings the last comes first: landmark files since 0.1.0 number a scene's vertices in this order.
        pending = [(root, turn, 0) for root in _roots(file, nodes)]
        while pending:
            index, parent, level = pending.pop()
            if index in found:
                raise ValueError(f"node {index} is reached twice")
            if level > MOST_LEVELS:
                raise ValueError(f"more than {MOST_LEVELS} levels")
            node = file.entry("nodes", index)
            found[index] = parent @ _local(node)
            pending += [(child, found[index], level + 1) for child in node.get("children", [])]
        return found


def placed_meshes(file: GltfFile, matrices: dict[int, NDArray[np.float64]]) -> list[PlacedMesh]:
    """Return the meshes of the scene, in the order of its nodes."""
    placed = []
    for index, matrix in matrices.items():
        node = file.entry("nodes", index)
        if "mesh" in node:
            mesh = file.entry("meshes", node["mesh"])
            name = str(node.get("name") or mesh.get("name") or f"mesh {node['mesh']}")
            placed.append(PlacedMesh(index, node["mesh"], name, matrix))
    if not placed and not any("mesh" in node for node in file.entries("nodes")):
        # Meshes that no node places at all: shown as they are.
        bare = enumerate(file.entries("meshes"))
        return [PlacedMesh(NOWHERE, n, str(mesh.get("name") or f"mesh {n}"), np.eye(4)) for n, mesh in bare]
    return placed


def _roots(file: GltfFile, nodes: list[dict[str, Any]]) -> list[int]:
    """Return the roots of the scene that is shown; of everything where no scene has a mesh."""
    children = {child for node in nodes for child in node.get("children", [])}
    free = [index for index in range(len(nodes)) if index not in children]
    if nodes and not free:
        raise ValueError("every node is another's child")
    scenes = file.entries("scenes")
    if not scenes:
        return free
    roots = list(file.entry("scenes", file.document.get("scene", 0)).get("nodes", []))
    return roots if _has_mesh(file, roots) else free


def _has_mesh(file: GltfFile, roots: list[int]) -> bool:
    pending, seen = list(roots), set()
    while pending:
        index = pending.pop()
        if index in seen:
            continue
        seen.add(index)
        node = file.entry("nodes", index)
        if "mesh" in node:
            return True
        pending += node.get("children", [])
    return False


def _local(node: dict[str, Any]) -> NDArray[np.float64]:
    """Return a node's own matrix."""
    if "matrix" in node:
        matrix = _numbers(node["matrix"], 16).reshape(4, 4).T
    else:
        matrix = np.eye(4)
        matrix[:3, :3] = _rotation(_numbers(node.get("rotation", (0, 0, 0, 1)), 4)) * _numbers(
            node.get("scale", (1, 1, 1)), 3
        )
        matrix[:3, 3] = _numbers(node.get("translation", (0, 0, 0)), 3)
    return matrix


def _numbers(values: Any, count: int) -> NDArray[np.float64]:
    if not isinstance(values, (list, tuple)) or len(values) != count:
        raise FormatError("a node's transform is none", expected=f"{count} numbers", found=str(values)[:60])
    array = np.array(values, np.float64)
    if array.shape != (count,) or not np.isfinite(array).all() or np.abs(array).max() > 1e12:
        raise FormatError("a node's transform is none", expected=f"{count} finite numbers", found=str(values)[:60])
    return array


def _rotation(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    length = float(np.linalg.norm(quaternion))
    if not length > 0:
        raise FormatError("a node's rotation is none", expected="a unit quaternion", found=quaternion.tolist())
    x, y, z, w = quaternion / length
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip

"""Registration: bend the source onto the target (Sumner and Popović 2004, section 4.1).

Minimises, over the source's vertices with the markers held exactly (eliminated, not penalised),

    w_S E_S + w_I E_I + w_C E_C

======  ====================================================================  =========================
symbol  meaning                                                               here
======  ====================================================================  =========================
E_S     squared difference of the affine parts of neighbouring triangles      `smoothness`
E_I     squared difference of every affine part from the identity             `identity`
E_C     squared distance of every vertex from its closest valid point         `closest` (one per step)
======  ====================================================================  =========================

Lengths enter E_C, so both meshes must already be aligned and in normalised units (`blendvoca.transfer.common_space`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from blendvoca.geometry.closest import ClosestPoints
from blendvoca.geometry.surface import Surface
from blendvoca.linalg.cholesky import factor
from blendvoca.transfer.frames import affine_matrix, fourth_vertices

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RegistrationConfig:
    """Weights of the registration; lengths are in normalised units (1 = RMS radius of the landmarks).

    :param closest: weight of the closest points in each step; the first step sees markers only.
    :param max_angle_deg: a closest point counts only where the normals differ by less.
    :param max_distance: a closest point farther away than this does not count.
    :param relaxations: after the last step, how often triangles turned past 90° and their neighbours are let go of the
        surface.
    """

    smoothness: float = 1.0
    identity: float = 1e-3
    closest: tuple[float, ...] = (0.0, 1.0, 10.0, 100.0, 1000.0, 5000.0)
    max_angle_deg: float = 90.0
    max_distance: float = 0.5
    relaxations: int = 6


@dataclass(frozen=True, eq=False)
class Registration:
    """The source bent onto the target.

    :param vertices: (V, 3) source vertices on the target's surface.
    :param valid: (V,) source vertices that had a valid closest point in the last step.
    :param distance: (V,) distance to the target's surface, whatever its normal, in the unit of the vertices.
    :param flipped: triangles turned by more than 90° against the aligned source.
    :param steps: mean distance of the vertices to the surface after each step.
    """

    vertices: Array
    valid: NDArray[np.bool_]
    distance: Array
    flipped: int
    steps: tuple[float, ...]


@dataclass(frozen=True, eq=False)
class Guides:
    """What a face adds to the plain registration: sides, and pairs of points beside the markers.

    :param source_side: (V,) label of source vertices; 0 goes with everything.
    :param target_side: (F,) label of target faces; 0 goes with everything.
    :param vertices: source vertices that are drawn to a point of their own.
    :param points: (n, 3) those points.
    :param weight: weight of the pairs in every step.
    """

    source_side: NDArray[np.int8] | None = None
    target_side: NDArray[np.int8] | None = None
    vertices: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    points: Array = field(default_factory=lambda: np.zeros((0, 3)))
    weight: float = 0.0


def register(
    source: Surface,
    target: Surface,
    markers: NDArray[np.integer],
    config: RegistrationConfig | None = None,
    guides: Guides | None = None,
) -> Registration:
    """Bend `source` onto `target`.

    :param source: V vertices, in the common space.
    :param target: W vertices, in the common space.
    :param markers: (m, 2) pairs of source and target vertices; held exactly. Source vertices must be distinct.
    :param guides: sides and extra pairs; none is the algorithm of the paper.
    :raises SolverError: if the system has a free direction (a component of the source without a marker).
    """
    config, guides = config or RegistrationConfig(), guides or Guides()
    system = _System(source, markers[:, 0], target.vertices[markers[:, 1]], config, guides)
    current, steps = source.vertices, []
    found = target.index.query(current)
    valid = np.zeros(len(source), dtype=bool)
    for weight in config.closest:
        if weight > 0:
            found, valid = _valid_closest(target, source.moved(current), config, guides)
            current = system.solve(weight, valid, found.point)
        else:
            current = system.solve(0.0, valid, current)
        steps.append(float(target.index.query(current).distance.mean()))
    for _ in range(config.relaxations):
        turned = _turned(source, current)
        if not turned.any():
            break
        # Triangles that the surface folds over are let go: their vertices follow their neighbours instead.
        folded = np.isin(source.faces, source.faces[turned]).any(axis=1)
        valid = valid.copy()
        valid[source.faces[folded].ravel()] = False
        current = system.solve(config.closest[-1], valid, found.point)
    flipped = int(_turned(source, current).sum())
    return Registration(current, valid, target.index.query(current).distance, flipped, tuple(steps))


def _turned(source: Surface, current: Array) -> NDArray[np.bool_]:
    """Triangles (F,) that stand at more than 90° to where they stood."""
    return np.asarray((source.face_normals * source.moved(current).face_normals).sum(axis=1) < 0)


def _valid_closest(
    target: Surface, current: Surface, config: RegistrationConfig, guides: Guides
) -> tuple[ClosestPoints, NDArray[np.bool_]]:
    """Closest target points whose normal and side agree with the vertex."""
    least = np.cos(np.radians(config.max_angle_deg))

    def allowed(query: NDArray[np.int64], face: NDArray[np.int64]) -> NDArray[np.bool_]:
        fits = (current.vertex_normals[query] * target.face_normals[face]).sum(axis=1) > least
        if guides.source_side is not None and guides.target_side is not None:
            a, b = guides.source_side[query], guides.target_side[face]
            fits &= (a == b) | (a == 0) | (b == 0)
        return np.asarray(fits)

    found, valid = target.index.query_where(current.vertices, allowed)
    valid &= found.distance < config.max_distance
    return found, valid


class _System:
    """Normal equations of the registration; only the closest-point term changes between the steps."""

    def __init__(
        self,
        source: Surface,
        held: NDArray[np.integer],
        places: Array,
        config: RegistrationConfig,
        guides: Guides,
    ) -> None:
        self.count = len(source)
        faces = source.faces
        affine = affine_matrix(source.vertices, faces)
        self.total = affine.shape[1]
        pairs = source.face_pairs
        ones = np.ones(len(pairs))
        rows = np.arange(len(pairs))
        difference = sp.csr_matrix((np.r_[ones, -ones], (np.r_[rows, rows], pairs.T.ravel())), (len(pairs), len(faces)))
        smooth = sp.kron(difference, sp.identity(3)) @ affine
        # The paper sums over both orders of each pair of neighbours.
        self.matrix = (2 * config.smoothness * smooth.T @ smooth + config.identity * affine.T @ affine).tocsr()
        identity = np.tile(np.eye(3), (len(faces), 1))
        self.right = config.identity * (affine.T @ identity)
        if guides.weight > 0 and len(guides.vertices):
            pull = np.zeros(self.total)
            np.add.at(pull, guides.vertices, guides.weight)
            self.matrix = self.matrix + sp.diags(pull)
            np.add.at(self.right, guides.vertices, guides.weight * guides.points)
        self.held, self.places = np.asarray(held), places
        self.free = np.setdiff1d(np.arange(self.total), self.held)
        self.start = np.concatenate([source.vertices, fourth_vertices(source.vertices, faces)])

    def solve(self, weight: float, valid: NDArray[np.bool_], points: Array) -> Array:
        """Positions (V, 3) for closest points `points` of the `valid` vertices, weighted `weight`."""
        pull = np.zeros(self.total)
        pull[: self.count][valid] = weight
        right = self.right.copy()
        right[: self.count][valid] += weight * points[valid]
        matrix = (self.matrix + sp.diags(pull)).tocsr()
        rows = matrix[self.free]
        reduced = rows[:, self.free]
        x = np.empty((self.total, 3))
        x[self.held] = self.places
        x[self.free] = factor(reduced).solve(right[self.free] - rows[:, self.held] @ self.places)
        return x[: self.count]

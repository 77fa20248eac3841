"""The face method: deformation transfer that keeps lips sealed, lids closed and amplitudes.

For target displacements d it minimises

    Σᵢ aᵢ ‖∇dᵢ − Qᵢ Pᵢ‖²  +  Σᵥ aᵥ/ℓ² ‖dᵥ − δᵥ‖²  +  Σᵣ c/ℓ² ‖d(pᵣ) − δᵣ‖²  +  Σᵥ kᵥ ‖dᵥ − mean of d around v‖²

- Qᵢ: linearised gradient of the source's displacement on the triangles that correspond, smoothed over a length τ
  where the two meshes are sampled differently; left smooth, and faded to a rotation and then to nothing, beyond the
  source's rims;
- δᵥ: the source's displacement at the nearest registered point, where the source covers the target (screening: shapes
  finer than ℓ follow gradients, coarser ones the displacement, which is what keeps amplitudes);
- pᵣ: where the source's own rims and landmarks came to lie on the target. They seal lips and lids;
- kᵥ: at the mouth's corners only, where upper and lower lip part within a few millimetres, and in so far as the
  registration is distorted there.

All terms are linear in the source's displacement: the sum of two shapes transfers to the sum of their transfers, so
jawOpen + mouthClose seals because it seals on the source.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from blendvoca.errors import ConfigurationError
from blendvoca.geometry.adjacency import umbrella
from blendvoca.geometry.closest import ClosestPoints
from blendvoca.geometry.components import vertex_components
from blendvoca.geometry.surface import Surface
from blendvoca.ibug68 import GROUPS, MOUTH, N_LANDMARKS
from blendvoca.linalg.cholesky import factor
from blendvoca.transfer.correspondence import CorrespondenceConfig, SmoothExtension, correspond
from blendvoca.transfer.frames import gradient_matrix
from blendvoca.transfer.openings.lids import lid_maps
from blendvoca.transfer.openings.lip_sides import Labels, agree, of_faces
from blendvoca.transfer.quality.coverage import Coverer

Array = NDArray[np.float64]

#: Shapes that are solved at once; bounds the memory that their gradients take.
CHUNK = 8
#: Faces that are tried for a rim vertex whose nearest one is on the other lip: lips are finer than their gap.
LANDING_CANDIDATES = 1024


@dataclass(frozen=True)
class FaceConfig:
    """Weights of the face method; lengths in normalised units (1 = RMS radius of the landmarks, 60 mm on an adult).

    :param screening_length: ℓ: coarser motion follows the source's displacement, finer motion its gradients.
    :param smoothing_length: τ: gradients are averaged over this length where source and target are sampled differently.
    :param fade_length: beyond the source's rims gradients fade over this length.
    :param rim_weight: weight of one rim vertex or landmark, in vertices of the source's mean area.
    :param contour_pull: how many times that of the others a landmark of the contour weighs: no rim holds it.
    :param reach: farthest from the registered source that a target point is still spoken for (1.8 mm on an adult).
    :param max_angle_deg: triangles whose normals differ by more do not correspond.
    :param hole_weight: weight with which points inside a hole follow the rim, beside 1 for covered points.
    :param distortion: where the registration stretches or turns the source by more than this (natural logarithm,
        radians), its displacement counts less.
    :param doubt_smoothing: how much longer gradients are smoothed where the registration is fully distorted.
    :param corner_weight: weight of the roughness (distance from the neighbours' mean) at the mouth's corners, beside 1
        for gradients, where the registration is fully distorted.
    :param corner_reach: how far from the corners it is felt (9 mm on an adult).
    :param lids: fit lid motion to the target's aperture (lids.py).
    :raises ConfigurationError: for a length that is not positive, or a negative weight.
    """

    screening_length: float = 0.10
    smoothing_length: float = 0.035
    fade_length: float = 0.07
    rim_weight: float = 15.0
    contour_pull: float = 2.0
    reach: float = 0.03
    max_angle_deg: float = 90.0
    hole_weight: float = 0.1
    distortion: float = 0.47
    doubt_smoothing: float = 3.0
    corner_weight: float = 3.0
    corner_reach: float = 0.15
    lids: bool = True

    def __post_init__(self) -> None:
        lengths = (self.screening_length, self.fade_length, self.reach, self.distortion, self.corner_reach)
        if min(lengths) <= 0 or min(self.smoothing_length, self.rim_weight, self.hole_weight, self.corner_weight) < 0:
            raise ConfigurationError("lengths are positive and weights not negative", found=self)


def linear_gradients(matrix: sp.csr_matrix, normals: Array, moves: Array) -> Array:
    """First-order deformation gradients minus the identity (K, F, 3, 3) of displacements `moves` (K, V, 3).

    The tangential part is the gradient J of the displacement; the normal turns by −Jᵀn, exact to first order for any
    motion.
    :param matrix: `gradient_matrix` of the resting mesh, `normals` (F, 3) its unit normals.
    """
    shapes, faces = len(moves), len(normals)
    flat = matrix @ moves.transpose(1, 0, 2).reshape(moves.shape[1], -1)
    gradients = flat.reshape(faces, 3, shapes, 3).transpose(2, 0, 3, 1)
    turning = -np.einsum("kfoi,fo->kfi", gradients, normals)
    return np.asarray(gradients + turning[..., None] * normals[None, :, None, :])


class FaceSolver:
    """One source and one target, factored; shapes are then one back-substitution each.

    :param source: the source at rest in the common space, V vertices.
    :param registered: the source bent onto the target.
    :param target: the target at rest in the common space, W vertices.
    :param pairs: (m, 2) landmark pairs; lids need the 68-point scheme and are left out for other lists.
    :param sides: labels (V,) and (W,) of the vertices (lip_sides.py); none where the scheme is another.
    :param unconstrained: rows of `pairs` that pull at nothing.
    """

    def __init__(
        self,
        source: Surface,
        registered: Surface,
        target: Surface,
        pairs: NDArray[np.integer],
        config: FaceConfig,
        sides: tuple[Labels, Labels] | None = None,
        unconstrained: tuple[int, ...] = (),
    ) -> None:
        self.config, self.source, self.target, self.faces = config, source, target, target.faces
        scheme = len(pairs) == N_LANDMARKS
        if sides is None:
            sides = np.zeros(len(source), dtype=np.int8), np.zeros(len(target), dtype=np.int8)
        face_sides = [of_faces(label, faces) for label, faces in zip(sides, (source.faces, target.faces), strict=True)]
        self.sides = sides[0], face_sides[1]
        self._coverer = Coverer(registered, face_sides[0], source.outer_boundary, source.holes, config.reach)
        self.vertices = self._coverer.cover(target.vertices, target.vertex_normals, sides[1])
        at_faces = self._coverer.cover(target.centroids, target.face_normals, face_sides[1])
        near = CorrespondenceConfig(config.max_angle_deg, config.reach)
        self.correspondence = correspond(registered, target, near, *face_sides)
        self.smooth = self.correspondence.smooth | ~at_faces.covered
        self._lids = lid_maps(source, registered.vertices, pairs[:, 0]) if scheme and config.lids else None
        self._gradient = gradient_matrix(source.vertices, source.faces)
        self._extension = SmoothExtension(self.smooth, target, 4.0 * target.face_areas / config.fade_length**2)
        self._sure = np.delete(pairs[:, 0], list(unconstrained))
        self.rims = np.unique(np.concatenate([*source.holes, self._sure]))
        self._trust = _trust(source, registered, config.distortion)
        doubt = 1.0 - self._coverer.carry(at_faces.rim, self._trust[None, :, None])[0, :, 0]
        self._smoother = self._gradient_smoother(registered, doubt)
        self._assemble(registered, pairs)

    def _gradient_smoother(self, registered: Surface, doubt: Array) -> sp.csc_matrix:
        """Matrix A + L: implicit smoothing over the triangles, off where the target's vertices are the source's.

        The length grows where the registration is distorted: there, neighbouring triangles got gradients that do not
        belong together.
        """
        areas, pairs = self.target.face_areas, self.target.face_pairs
        apart = cKDTree(registered.vertices).query(self.target.vertices)[0][self.faces].max(axis=1)
        unlike = np.clip(apart / (0.05 * np.sqrt(areas)), 0.0, 1.0)
        unlike[unlike < 1e-6] = 0.0  # the same to rounding
        #: Whether the target is the source's own head.
        self.same = not unlike.any()
        length = self.config.smoothing_length * (1.0 + self.config.doubt_smoothing * doubt)
        strength = unlike * length**2
        weight = np.maximum(strength[pairs[:, 0]], strength[pairs[:, 1]])
        i, j = np.r_[pairs[:, 0], pairs[:, 1]], np.r_[pairs[:, 1], pairs[:, 0]]
        links = sp.csr_matrix((np.r_[weight, weight], (i, j)), shape=(len(areas), len(areas)))
        return sp.csc_matrix(sp.diags(areas + np.asarray(links.sum(axis=1)).ravel()) - links)

    def _land(self, points: Array) -> ClosestPoints:
        """Where the source's rims and landmarks came to lie: on their own lip or lid, never on the one across."""

        def same_side(query: NDArray[np.int64], face: NDArray[np.int64]) -> NDArray[np.bool_]:
            return agree(self.sides[0][self.rims[query]], self.sides[1][face])

        return self.target.index.query_where(points, same_side, LANDING_CANDIDATES)[0]

    def _corners(self, landmarks: NDArray[np.integer]) -> Array:
        """Weight (W,) of the roughness at the mouth's corners, where lips that part would leave tabs.

        None on the source's own head, and for landmarks of another scheme.
        """
        if self.same or len(landmarks) != N_LANDMARKS:
            return np.zeros(len(self.target))
        apart = self.target.graph.distances(landmarks[list(MOUTH.corners)])
        near = np.clip(1.0 - apart / self.config.corner_reach, 0.0, 1.0)
        return np.asarray(self.config.corner_weight * near**2 * (3.0 - 2.0 * near))

    def _assemble(self, registered: Surface, pairs: NDArray[np.integer]) -> None:
        """Build and factor the normal matrix, and keep what right-hand sides need."""
        areas, source_area = self.target.face_areas, float(registered.face_areas.sum() / len(registered))
        screen = 1.0 / self.config.screening_length**2
        gradient = gradient_matrix(self.target.vertices, self.faces)
        self._right = sp.csr_matrix(gradient.T @ sp.diags(np.repeat(areas, 3)))
        per_vertex = self.target.vertex_areas
        share = np.where(self.vertices.covered, 1.0, self.config.hole_weight * self.vertices.in_hole)
        trust = self._coverer.carry(self.vertices.nearest, self._trust[None, :, None])[0, :, 0]
        self._anchor = screen * per_vertex * share * trust
        landing = self._land(registered.vertices[self.rims])
        rows = np.repeat(np.arange(len(self.rims)), 3)
        columns = self.faces[landing.face].ravel()
        shape = (len(self.rims), len(self.target))
        self.landing = sp.csr_matrix((landing.barycentric.ravel(), (rows, columns)), shape=shape)
        self._rim_weight = screen * self.config.rim_weight * source_area
        pull = self._trust[self.rims]
        pull[np.isin(self.rims, self._sure)] = 1.0  # the user's own correspondences
        if len(pairs) == N_LANDMARKS:
            alone = np.intersect1d(pairs[list(GROUPS["contour"]), 0], self._sure)
            pull[np.isin(self.rims, alone)] = self.config.contour_pull
        self._rim_pull = self._rim_weight * pull
        matrix = self._right @ gradient + self.landing.T @ sp.diags(self._rim_pull) @ self.landing
        apart = umbrella(self.faces, len(self.target))
        matrix = matrix + apart.T @ sp.diags(self._corners(pairs[:, 1]) * (1.0 - trust)) @ apart
        # A component that nothing holds stays where it is.
        labels = vertex_components(self.faces, len(self.target))
        held = np.unique(labels[(self._anchor > 0) | (np.asarray(self.landing.sum(axis=0)).ravel() > 0)])
        floor = screen * per_vertex.mean() * ~np.isin(labels, held)
        self.factor = factor(sp.csc_matrix(matrix + sp.diags(self._anchor + floor)))
        self._smoothing = factor(self._smoother)

    def apply(self, moves: Array) -> Array:
        """Target displacements (K, W, 3) for source displacements (K, V, 3), both in the common space."""
        parts = [self._some(moves[first : first + CHUNK]) for first in range(0, len(moves), CHUNK)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.target), 3))

    def _some(self, moves: Array) -> Array:
        """As `apply`, for few shapes."""
        shapes, count = len(moves), len(self.target)
        if self._lids is not None:
            moves = moves + np.einsum("nij,knj->kni", self._lids, moves)
        gradients = self._target_gradients(moves)
        carried = self._coverer.carry(self.vertices.nearest, moves)
        hole = self.vertices.in_hole & ~self.vertices.covered
        carried[:, hole] = self._coverer.carry(self.vertices.rim.some(hole), moves)
        right = self._right @ gradients.transpose(1, 3, 0, 2).reshape(3 * len(self.faces), -1)
        right += self._anchor[:, None] * carried.transpose(1, 0, 2).reshape(count, -1)
        rims = moves[:, self.rims].transpose(1, 0, 2).reshape(len(self.rims), -1)
        right += self.landing.T @ (self._rim_pull[:, None] * rims)
        return np.ascontiguousarray(self.factor.solve(right).reshape(count, shapes, 3).transpose(1, 0, 2))

    def _target_gradients(self, moves: Array) -> Array:
        """Qᵢ (K, F, 3, 3): spread, extended beyond the rims as a fading rotation, smoothed."""
        shapes = len(moves)
        source = linear_gradients(self._gradient, self.source.face_normals, moves)
        flat = self.correspondence.weights @ source.transpose(1, 0, 2, 3).reshape(source.shape[1], -1)
        spread = self._extension.fill(flat).reshape(-1, shapes, 3, 3)
        beyond = spread[self.smooth]
        spread[self.smooth] = 0.5 * (beyond - beyond.transpose(0, 1, 3, 2))
        smoothed = self._smoothing.solve(self.target.face_areas[:, None] * spread.reshape(len(self.faces), -1))
        return np.ascontiguousarray(smoothed.reshape(-1, shapes, 3, 3).transpose(1, 0, 2, 3))


def _trust(source: Surface, registered: Surface, distortion: float) -> Array:
    """How far the registration left the source's triangles as they were: (V,), 1 undistorted, towards 0 distorted."""
    faces = source.faces
    jacobian = (gradient_matrix(source.vertices, faces) @ registered.vertices).reshape(len(faces), 3, 3)
    stretch = np.linalg.svd(jacobian, compute_uv=False)[:, :2]
    stretched = np.abs(np.log(np.maximum(stretch, 1e-6))).max(axis=1)
    cosine = (source.face_normals * registered.face_normals).sum(axis=1)
    turned = np.arccos(np.clip(cosine, -1.0, 1.0))
    trust = 1.0 / (1.0 + (stretched**2 + turned**2) ** 2 / distortion**4)
    areas = source.face_areas
    total, weight = np.zeros(len(source)), np.zeros(len(source))
    for corner in range(3):
        np.add.at(total, faces[:, corner], areas * trust)
        np.add.at(weight, faces[:, corner], areas)
    return np.asarray(total / np.maximum(weight, 1e-300))

"""Fit blendshape coefficients to a mesh sequence: MeshSequence + BlendshapeRig → track, certificate and figures.

The problem is the paper's (Eq. 2, supplement 8) to the letter unless weights or a ridge are asked for: over all frames,
minimise ‖p − (b₀ + B u)‖² subject to 0 ≤ u ≤ 1 and |uₙ₊₁ − uₙ| ≤ δ. Frames are read in blocks and leave only
Bᵀ(p − b₀), K numbers a frame; they are kept for the error figures while they fit a budget, and read again where they
do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.certificate import FitCertificate
from blendvoca.crop import Crop
from blendvoca.errors import InputError, MeshError
from blendvoca.fit.distances import DistanceFigures
from blendvoca.fit.settings import FitSettings as FitSettings
from blendvoca.qp import QPResult, RateLimitedQP, solve
from blendvoca.rig import BlendshapeRig
from blendvoca.sequence import MeshSequence
from blendvoca.track import CoefficientTrack
from blendvoca.vertex_sets import LIPS

#: Heads that differ by more than this factor in size are in different units.
SIZE_RATIO = 5.0


@dataclass(frozen=True, eq=False)
class FitResult:
    """A fitted sequence.

    :param track: the coefficients.
    :param certificate: their proof, and the figures of the fit.
    :param qp: the solver's own result: multipliers, active sets, residuals.
    :param frame_error_mm: (T,) mean distance per frame, in mm.
    :param alike: pairs of blendshapes that this rig hardly distinguishes, with their correlation; see :func:`alike`.
    """

    track: CoefficientTrack
    certificate: FitCertificate
    qp: QPResult
    frame_error_mm: NDArray[np.float64]
    alike: tuple[tuple[str, str, float], ...]


class Fitter:
    """A rig made ready: basis, Gram matrix and maps are computed once and serve all sequences of a speaker.

    :param rig: neutral and deltas, in metres.
    :param settings: how to fit.
    :param crop: the crop that relates a full head to a cropped one, if sequence and rig may differ by it.
    :param lips: vertices of the rig whose error is reported apart; None takes
        :data:`blendvoca.vertex_sets.LIPS`.
    :param weights: (V,) weights of the squared distance per vertex of the rig; None weighs all alike.
    :raises InputError: for weights that do not fit the rig or are negative, not finite or all zero.
    :raises MeshError: for lips outside the rig.
    """

    def __init__(
        self,
        rig: BlendshapeRig,
        settings: FitSettings | None = None,
        crop: Crop | None = None,
        lips: ArrayLike | None = None,
        weights: ArrayLike | None = None,
    ) -> None:
        self.rig, self.settings, self.crop = rig, settings or FitSettings(), crop
        self.weights = _checked_weights(weights, rig.neutral.n_vertices)
        self.lips = LIPS.vertices(rig) if lips is None else _checked_lips(lips, rig.neutral.n_vertices)
        self._neutral = rig.neutral.vertices.reshape(-1)
        self._basis = np.ascontiguousarray(rig.basis())
        self._weighted = self._basis if self.weights is None else self._basis * np.repeat(self.weights, 3)[:, None]
        self._single = np.ascontiguousarray(self._basis.T, dtype=np.float32)
        self.gram = self._basis.T @ self._weighted
        self.gram = (self.gram + self.gram.T) / 2

    def fit(self, sequence: MeshSequence) -> FitResult:
        """Fit one sequence.

        :param sequence: frames on the rig's vertices, or on those that the crop relates to them, in metres.
        :raises MeshError: if the sequence has another vertex count than the rig, directly or through the crop, or is in
            another unit.
        """
        select = self._selection(sequence)
        kept: list[NDArray[np.float32]] = []
        linear, energy = np.empty((len(sequence), len(self.rig.names))), 0.0
        row, budget = 0, self.settings.keep_bytes
        for offsets in self._offsets(sequence, select):
            if row == 0:
                self._check_size(sequence.name, offsets[0])
            linear[row : row + len(offsets)] = -(offsets @ self._weighted)
            energy += self._energy(offsets)
            row += len(offsets)
            budget -= offsets.size * 4
            if budget >= 0:
                kept.append(offsets.astype(np.float32))
            else:
                kept.clear()
        problem = self._problem(linear)
        result = solve(problem)
        singles = iter(kept) if budget >= 0 else (o.astype(np.float32) for o in self._offsets(sequence, select))
        figures, per_frame = self._figures(singles, result.coefficients)
        objective = max(energy + self._fit_energy(result.coefficients, linear), 0.0)
        return FitResult(
            CoefficientTrack(result.coefficients, self.rig.names, sequence.fps),
            self._certificate(result, objective, *figures),
            result,
            per_frame,
            alike(self.rig),
        )

    def _selection(self, sequence: MeshSequence) -> NDArray[np.int64] | None:
        """Return which vertices of the sequence are the rig's, None for all; by vertex count."""
        wanted, found = self.rig.neutral.n_vertices, sequence.n_vertices
        if found == wanted:
            return None
        if self.crop is not None and found == self.crop.n_vertices and wanted == len(self.crop.kept):
            return self.crop.kept
        also = "" if self.crop is None else f", or {self.crop.n_vertices} with the crop of {len(self.crop.kept)}"
        raise MeshError(
            f"{sequence.name} does not have the rig's topology",
            expected=f"{wanted} vertices{also}",
            found=found,
            remedy="Crop the rig to the sequence, or name the crop that relates them.",
        )

    def _check_size(self, name: str, offset: NDArray[np.float64]) -> None:
        """Refuse a first frame of another size than the rig: no blendshape makes a head five times as large."""
        own, found = (float(np.ptp(x.reshape(-1, 3), axis=0).max()) for x in (self._neutral, self._neutral + offset))
        if found > SIZE_RATIO * own > 0 or own > SIZE_RATIO * found:
            raise MeshError(
                f"{name} is not in the rig's unit of length",
                expected=f"a head of about {own:.3g}",
                found=f"{found:.3g}, {found / own:.4g} times as large",
                remedy="Scale one of them; rigs and sequences are in metres.",
            )

    def _offsets(self, sequence: MeshSequence, select: NDArray[np.int64] | None) -> Iterator[NDArray[np.float64]]:
        """Yield p − b₀ as (n, 3V) float64 blocks."""
        for block in sequence.blocks(self.settings.block):
            part = block if select is None else block[:, select]
            yield part.reshape(len(part), -1) - self._neutral

    def _energy(self, offsets: NDArray[np.float64]) -> float:
        if self.weights is None:
            return float(np.vdot(offsets, offsets))
        return float(np.einsum("nv,v->", (offsets**2).reshape(len(offsets), -1, 3).sum(axis=2), self.weights))

    def _problem(self, linear: NDArray[np.float64]) -> RateLimitedQP:
        k = len(self.gram)
        ridge = self.settings.ridge * float(np.trace(self.gram)) / k
        return RateLimitedQP(self.gram + ridge * np.eye(k), linear, self.settings.rate_limit)

    def _fit_energy(self, u: NDArray[np.float64], linear: NDArray[np.float64]) -> float:
        """Return uᵀBᵀWBu + 2 qᵀu, so that adding ‖p − b₀‖² gives ‖p − b₀ − Bu‖²."""
        return float(np.vdot(u, u @ self.gram + 2.0 * linear))

    def _figures(
        self, blocks: Iterator[NDArray[np.float32]], u: NDArray[np.float64]
    ) -> tuple[tuple[DistanceFigures, DistanceFigures], NDArray[np.float64]]:
        """Return distances over the face and over the lips, and the mean of each frame, in mm."""
        face, lips = DistanceFigures(), DistanceFigures()
        per_frame, row = np.empty(len(u)), 0
        single = u.astype(np.float32)
        for offsets in blocks:
            offsets -= single[row : row + len(offsets)] @ self._single
            offsets *= offsets
            squares = offsets.reshape(len(offsets), -1, 3)
            distance = np.sqrt(squares[..., 0] + squares[..., 1] + squares[..., 2])
            distance *= 1000.0
            face.add(distance)
            lips.add(distance[:, self.lips])
            per_frame[row : row + len(offsets)] = distance.mean(axis=1, dtype=np.float64)
            row += len(offsets)
        return (face, lips), per_frame

    def _certificate(
        self, result: QPResult, objective: float, face: DistanceFigures, lips: DistanceFigures
    ) -> FitCertificate:
        moving = (result.at_rate_limit != 0).any(axis=1)
        return FitCertificate(
            status=result.status,
            solver=result.solver,
            iterations=result.iterations,
            rate_limit=self.settings.rate_limit,
            objective=objective,
            primal_residual=result.primal_residual,
            dual_residual=result.dual_residual,
            duality_gap=result.relative_gap,
            error_mean_mm=face.mean,
            error_p95_mm=face.percentile(95),
            error_max_mm=face.maximum,
            lips_mean_mm=lips.mean,
            lips_p95_mm=lips.percentile(95),
            lips_max_mm=lips.maximum,
            rate_limit_share=float(moving.mean()) if moving.size else 0.0,
            regularised=result.regularisation > 0 or self.settings.ridge > 0,
        )


def fit(
    sequence: MeshSequence,
    rig: BlendshapeRig,
    settings: FitSettings | None = None,
    *,
    crop: Crop | None = None,
    lips: ArrayLike | None = None,
    weights: ArrayLike | None = None,
) -> FitResult:
    """Fit one sequence; parameters and errors as for :class:`Fitter`, which serves many."""
    return Fitter(rig, settings, crop, lips, weights).fit(sequence)


def alike(rig: BlendshapeRig, threshold: float = 0.9) -> tuple[tuple[str, str, float], ...]:
    """Return the pairs of blendshapes whose deltas correlate (cosine) at least ``threshold``, most alike first.

    A shape that does not move at all is paired with itself at correlation 1: no frame determines its coefficient.
    """
    basis = rig.basis()
    length = np.linalg.norm(basis, axis=0)
    unit = basis / np.where(length > 0, length, 1.0)
    cosine = unit.T @ unit
    pairs = [(rig.names[k], rig.names[k], 1.0) for k in np.flatnonzero(length == 0)]
    first, second = np.nonzero(np.triu(np.abs(cosine) >= threshold, 1))
    order = np.argsort(-np.abs(cosine[first, second]), kind="stable")
    pairs += [(rig.names[a], rig.names[b], float(cosine[a, b])) for a, b in zip(first[order], second[order])]
    return tuple(pairs)


def lip_weights(rig: BlendshapeRig, lips: ArrayLike, weight: float) -> NDArray[np.float64]:
    """Return weights (V,) that are ``weight`` on the lips and 1 elsewhere."""
    weights = np.ones(rig.neutral.n_vertices)
    weights[_checked_lips(lips, rig.neutral.n_vertices)] = weight
    return weights


def match_topology(
    rig: BlendshapeRig, n_vertices: int, kept: ArrayLike | None = None
) -> tuple[BlendshapeRig, Crop | None]:
    """Relate a rig to a sequence of ``n_vertices`` by vertex count.

    :param kept: vertices of the whole head that the smaller of the two keeps.
    :returns: the rig, cropped if the sequence is the smaller one, and the crop to hand to :class:`Fitter`.
    :raises MeshError: if the counts differ and ``kept`` does not relate them.
    """
    own = rig.neutral.n_vertices
    count = 0 if kept is None else len(np.unique(np.asarray(kept)))
    if kept is not None and own != n_vertices and count == min(own, n_vertices):
        crop = Crop.of(kept, max(own, n_vertices))
        return (rig, crop) if own < n_vertices else (rig.cropped(crop), None)
    if own != n_vertices:
        related = f", or a whole head of which a crop keeps {count}" if count else ""
        raise MeshError(
            "sequence and rig have other topologies",
            expected=f"{own} vertices as the rig{related}",
            found=n_vertices,
            remedy="Name the vertices that the smaller one keeps (--crop).",
        )
    return rig, None


def _checked_weights(weights: ArrayLike | None, n_vertices: int) -> NDArray[np.float64] | None:
    if weights is None:
        return None
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (n_vertices,) or not np.isfinite(array).all() or (array < 0).any() or not array.any():
        raise InputError("wrong vertex weights", expected=f"({n_vertices},) finite, ≥ 0, not all 0", found=array.shape)
    return array


def _checked_lips(lips: ArrayLike, n_vertices: int) -> NDArray[np.int64]:
    array = np.asarray(lips, dtype=np.int64).reshape(-1)
    if array.size and (array.min() < 0 or array.max() >= n_vertices):
        raise MeshError("lips outside the rig", expected=f"0..{n_vertices - 1}", found=int(array.max()))
    return array

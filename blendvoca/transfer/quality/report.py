"""The quality report of one transfer: figures per shape, figures per head, and which of them fail."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import blendvoca.transfer.quality.figures as quality
from blendvoca.geometry.similarity import rms_radius
from blendvoca.ibug68 import BLINKS, INNER, MOUTH, N_LANDMARKS, face_axes
from blendvoca.rig import BlendshapeRig
from blendvoca.transfer.common_space import CommonSpace
from blendvoca.transfer.quality.apertures import apertures_off, asked_of_lids
from blendvoca.transfer.quality.crossing import lip_crossings
from blendvoca.transfer.quality.lip_gaps import asked_of_lips

Array = NDArray[np.float64]

#: What each figure of a head must keep to; per shape the cosine, the ratio and the boundary are checked as well.
LIMITS: dict[str, tuple[float, float]] = {
    "markers_mm": (-np.inf, 1e-6),
    "fit_mean_mm": (-np.inf, 0.25),
    "fit_max_mm": (-np.inf, 3.0),
    "registration_flips": (-np.inf, 0),
    "cosine_median": (0.985, np.inf),
    "cosine_worst": (0.90, np.inf),
    "ratio_least": (0.85, np.inf),
    "ratio_most": (-np.inf, 1.20),
    "jaw_ratio": (0.90, 1.10),
    "lip_seal_mm": (-np.inf, 1.0),
    "lid_gap_mm": (-np.inf, 2.0),
    "aperture_off": (-0.2, 0.2),
    "flips": (-np.inf, 200),
    "boundary_mm": (-np.inf, 1.5),
    "left_right_least": (0.80, np.inf),
    "left_right_most": (-np.inf, 1.25),
    "leak": (-np.inf, 1.5),
    "roughness_mm": (-np.inf, 6.0),
    "seam_mm": (-np.inf, 2.0),
    "stretch": (-np.inf, 2.0),
    "lip_crossing_mm": (-np.inf, 0.3),
    "not_held_mm": (-np.inf, 4.5),
    "eyeball_seen_mm2": (-np.inf, 5.0),
    "eyeball_through_mm2": (-np.inf, 5.0),
    "lid_crossing_mm": (-np.inf, 0.5),
}

#: What a figure out of its limits means to the eye, and what to do about it.
_MEANINGS: dict[str, str] = {
    "markers_mm": "landmarks were not met: check them",
    "fit_mean_mm": "the source does not lie on this head: check the landmarks, and that the face is at rest",
    "fit_max_mm": "the source stands off this head somewhere: check the landmarks, and that the face is at rest",
    "registration_flips": "the source folded over: check the landmarks of the lips",
    "cosine_median": "shapes move another way than the source's",
    "cosine_worst": "a shape moves another way than the source's",
    "ratio_least": "a shape moves too little",
    "ratio_most": "a shape moves too much",
    "jaw_ratio": "the jaw opens too little or too much",
    "lip_seal_mm": "lips do not meet where the source's do",
    "lid_gap_mm": "lids do not close: check the landmarks of the eyes",
    "aperture_off": "eyes open or shut by another share of their height: check the landmarks of the lids",
    "flips": "triangles turn over",
    "boundary_mm": "the face's border does not move as the source's does",
    "left_right_least": "one half of the face moves less than the other",
    "left_right_most": "one half of the face moves more than the other",
    "leak": "a shape of one side moves the other",
    "roughness_mm": "single vertices leave their neighbours: a spike",
    "seam_mm": "the fade towards the cut creases: a larger --region smooths it",
    "stretch": "triangles are drawn out more than the source's",
    "lip_crossing_mm": "lips pass through each other",
    "not_held_mm": "landmarks do not agree with each other: check them",
    "eyeball_through_mm2": "the eyeball stands through its lids: check its place and size",
    "lid_crossing_mm": "lids pass through each other",
    "eyeball_seen_mm2": "the eyeball shows when the eye is shut: check the landmarks of the lids",
}


@dataclass(frozen=True)
class ShapeFigures:
    """One shape.

    :param cosine: cosine of the stacked displacement of the inner landmarks with the source's.
    :param ratio: length of that displacement over the source's.
    :param flips: target triangles turned by more than 90°.
    :param boundary_mm: mean distance of the motion at the source's outer boundary from the source's own.
    :param roughness_mm: largest distance of a vertex's delta from the mean of its neighbours' deltas.
    :param roughness_p999_mm: what all but a thousandth of the vertices stay under.
    :param roughest: the vertex where it is largest.
    :param stretch: edge ratio that all but a thousandth of the edges stay under, over the source's.
    """

    name: str
    cosine: float
    ratio: float
    flips: int
    boundary_mm: float
    roughness_mm: float
    roughness_p999_mm: float
    roughest: int
    stretch: float

    @property
    def good(self) -> bool:
        """Whether the shape keeps to the limits."""
        keeps = (
            self.cosine >= LIMITS["cosine_worst"][0],
            LIMITS["ratio_least"][0] <= self.ratio <= LIMITS["ratio_most"][1],
            self.boundary_mm <= LIMITS["boundary_mm"][1],
            self.roughness_mm <= LIMITS["roughness_mm"][1],
        )
        return all(keeps)


@dataclass(frozen=True)
class TransferReport:
    """All figures of one head; those that need shapes or a scheme that is not there are None.

    :param shapes: the figures of every shape.
    :param figures: the figures of the head by name; None where one cannot be measured.
    """

    shapes: tuple[ShapeFigures, ...]
    figures: dict[str, float | None]

    @property
    def failed_shapes(self) -> tuple[str, ...]:
        """Names of the shapes that fail their check."""
        return tuple(shape.name for shape in self.shapes if not shape.good)

    @property
    def failed_figures(self) -> tuple[str, ...]:
        """Names of the head's figures that are out of their limits."""
        out = []
        for name, (low, high) in LIMITS.items():
            value = self.figures.get(name)
            if value is not None and not low <= value <= high:
                out.append(name)
        return tuple(out)

    def to_json(self) -> dict[str, Any]:
        """Return plain data for a file."""
        return {
            "figures": self.figures,
            "shapes": [asdict(shape) for shape in self.shapes],
            "failed_shapes": list(self.failed_shapes),
            "failed_figures": list(self.failed_figures),
        }


def assess(
    source: BlendshapeRig,
    pairs: NDArray[np.integer],
    rig: BlendshapeRig,
    space: CommonSpace,
    registered: Array,
    fit: Array,
    registration_flips: int,
    covered: NDArray[np.bool_] | None = None,
) -> TransferReport:
    """Measure a transferred rig.

    :param pairs: (m, 2) landmark pairs of source and target vertices.
    :param registered: (V, 3) the source on the target, `fit` (V,) its distance from the surface; in the target's unit.
    :param covered: (W,) target vertices that the source speaks for: the sides are compared there.
    """
    wanted = space.to_target.vectors(source.deltas)
    rows = list(INNER) if len(pairs) == N_LANDMARKS else list(range(len(pairs)))
    asked, found = wanted[:, pairs[:, 0]], rig.deltas[:, pairs[:, 1]]
    resting = space.to_target.points(source.neutral.vertices[pairs[:, 0]]), rig.neutral.vertices[pairs[:, 1]]
    if len(pairs) == N_LANDMARKS:
        asked = asked_of_lids(asked, *resting, space.target_unit)
        asked = asked_of_lips(asked, resting[1], rig.names, face_axes(resting[1])[1])
    cosine, ratio = quality.agreement(asked[:, rows], found[:, rows])
    mm = 1e3 * _metres(space)
    flips = quality.flipped_triangles(rig.neutral, rig.deltas)
    boundary = mm * quality.boundary_motion(source.neutral, registered, wanted, rig.neutral, rig.deltas)
    rough = mm * quality.roughness(rig.neutral, rig.deltas)
    stretch = quality.stretches(rig.neutral, rig.deltas) / quality.stretches(source.neutral, source.deltas)
    columns = zip(
        rig.names, cosine.tolist(), ratio.tolist(), flips.tolist(), boundary.tolist(), rough.max(axis=1).tolist(),
        np.quantile(rough, 0.999, axis=1).tolist(), rough.argmax(axis=1).tolist(), stretch.tolist(), strict=True,
    )  # fmt: skip
    shapes = tuple(ShapeFigures(*column) for column in columns)
    apart = np.linalg.norm(registered[pairs[:, 0]] - rig.neutral.vertices[pairs[:, 1]], axis=1)
    figures: dict[str, float | None] = {
        "markers_mm": float(mm * apart.max()),
        "fit_mean_mm": float(mm * fit.mean()),
        "fit_max_mm": float(mm * fit.max()),
        "registration_flips": registration_flips,
        "cosine_median": float(np.median(cosine)),
        "cosine_worst": float(cosine.min()),
        "ratio_least": float(ratio.min()),
        "ratio_most": float(ratio.max()),
        "jaw_ratio": next((shape.ratio for shape in shapes if shape.name == "jawOpen"), None),
        "flips": int(flips.sum()),
        "jaw_flips": next((shape.flips for shape in shapes if shape.name == "jawOpen"), None),
        "boundary_mm": float(boundary.mean()),
        "boundary_worst_mm": float(boundary.max()),
        "roughness_mm": float(rough.max()),
        "roughness_p999_mm": float(np.quantile(rough, 0.999)),
        "stretch": float(stretch.max()),
    }
    if covered is not None and (seam := quality.seam_vertices(rig.neutral, rig.deltas, covered)).any():
        figures["seam_mm"] = float(rough[:, seam].max())
    if len(pairs) == N_LANDMARKS:
        laid = BlendshapeRig(source.neutral.with_vertices(registered), wanted, source.names)
        off = apertures_off(rig.names, wanted[:, pairs[:, 0]], found, *resting, space.target_unit)
        if off:
            figures["aperture_off"] = max(off.values(), key=abs)
        figures |= _face_figures(pairs, rig, mm) | _side_figures(laid, pairs, rig, covered)
    return TransferReport(shapes, figures)


def _metres(space: CommonSpace) -> float:
    """Metres in one unit of the target, taking an adult's landmarks (RMS radius 40 to 90 mm) as the yardstick."""
    for unit in (1.0, 1e-2, 1e-3, 0.0254, 0.1):
        if 0.040 <= space.target_unit * unit <= 0.090:
            return unit
    return 0.060 / space.target_unit


def _face_figures(pairs: NDArray[np.integer], rig: BlendshapeRig, mm: float) -> dict[str, float | None]:
    """Lips and lids."""
    rest, marks = rig.neutral.vertices, pairs[:, 1]
    axes = face_axes(rest[marks])
    known = set(rig.names)
    figures: dict[str, float | None] = {}
    if {"jawOpen", "mouthClose"} <= known:
        pose = rest + rig.delta("jawOpen") + rig.delta("mouthClose")
        gaps = [quality.signed_gaps(points, marks, MOUTH.pairs, axes[1]) for points in (rest, pose)]
        figures["lip_seal_mm"] = float(mm * np.abs(gaps[1] - gaps[0]).max())
    if crossings := lip_crossings(rig, marks):
        figures["lip_crossing_mm"] = mm * max(crossings.values())
    lids = [
        quality.signed_gaps(rest + rig.delta(name), marks, eye.pairs, axes[1])
        for name, eye in BLINKS.items()
        if name in known
    ]
    if lids:
        figures["lid_gap_mm"] = float(mm * np.abs(np.concatenate(lids)).max())
    return figures


def _side_figures(
    laid: BlendshapeRig, pairs: NDArray[np.integer], rig: BlendshapeRig, covered: NDArray[np.bool_] | None
) -> dict[str, float | None]:
    """Energy of left over right shapes, and leak to the other half, over those of the source.

    :param laid: the source's displacements on the registered source: areas are then the target's in both.
    """
    partners = quality.mirror_pairs(rig.names)
    if not partners:
        return {}
    totals, leaks = [], []
    for each, marks, where in ((laid, pairs[:, 0], None), (rig, pairs[:, 1], covered)):
        points = each.neutral.vertices[marks]
        across = quality.across_midline(each.neutral.vertices, points, face_axes(points))
        ramp = 0.05 * rms_radius(points)
        total, on_left = quality.energies(each.neutral, each.deltas, across, ramp, where)
        totals.append(total)
        wrong = [(1 - on_left[left], on_left[right]) for left, right in partners]
        leaks.append(np.maximum(np.array(wrong), quality.LEAK_FLOOR))
    left, right = np.array(partners).T
    own = (totals[1][left] / totals[1][right]) / (totals[0][left] / totals[0][right])
    return {
        "left_right_least": float(own.min()),
        "left_right_most": float(own.max()),
        "leak": float((leaks[1] / leaks[0]).max()),
    }


def limit_words(name: str) -> str:
    """Return the limits of a figure as people write them (``≤ 3``, ``0.9 to 1.1``); empty for one without."""
    low, high = LIMITS.get(name, (-np.inf, np.inf))
    if np.isinf(low) and np.isinf(high):
        return ""
    return f"≤ {high:g}" if np.isinf(low) else f"≥ {low:g}" if np.isinf(high) else f"{low:g} to {high:g}"


def describe(report: TransferReport) -> list[str]:
    """Sentences about what failed and what that means, for a terminal; empty when all is well."""
    lines = [
        f"{name} is {report.figures[name]:.3g}, limit {limit_words(name)}: {_MEANINGS.get(name, 'out of its limits')}"
        for name in report.failed_figures
    ]
    if report.failed_shapes:
        lines.append(f"{len(report.failed_shapes)} shapes fail their check: {', '.join(report.failed_shapes)}")
    return lines


def verdict(report: TransferReport) -> str:
    """Return one plain sentence: good, or what is wrong, where, and what to do."""
    if not report.failed_figures and not report.failed_shapes:
        return f"Good: all {len(report.shapes)} shapes and all figures are within their limits."
    if len(report.failed_shapes) > len(report.shapes) // 2:
        return (
            f"Not usable: {len(report.failed_shapes)} of {len(report.shapes)} shapes fail. Check the landmarks "
            "(blendvoca landmarks check) and the region."
        )
    reasons = list(dict.fromkeys(_MEANINGS.get(name, name) for name in report.failed_figures))
    worst = max(report.shapes, key=lambda shape: shape.roughness_mm)
    if "roughness_mm" in report.failed_figures:
        reasons.append(f"the worst at vertex {worst.roughest} in {worst.name}, {worst.roughness_mm:.1f} mm off")
    shown = "; ".join(reasons[:4]) or f"{', '.join(report.failed_shapes[:4])} are out of their limits"
    return f"Look at it before use: {shown}."

"""The quality report of a new rig: figures per shape at the 51 inner landmarks, on triangles, at lips and lids."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from blendvoca.geometry import face_normals
from blendvoca.transfer.face68 import LID_PAIRS, LIP_PAIRS, face_axes
from landmarks.rigging import RiggedHead
from landmarks.scheme import INNER
from landmarks.sources import SourceRig

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Limits:
    """What a shape must keep to."""

    cosine: float = 0.90
    ratio: tuple[float, float] = (0.85, 1.20)
    gap_mm: float = 2.0
    seal_mm: float = 1.0


@dataclass(frozen=True)
class ShapeFigures:
    """One shape against the source's, scaled by the landmark similarity.

    :param ratio: amplitude, target over source, of the stacked displacements at the 51 inner landmarks.
    :param cosine: of those displacements; not a number where the source does not move them.
    :param largest_mm: farthest that a vertex moves.
    :param flips: triangles turned past 90°.
    :param gap_mm: for a blink, what is left between the lids; for jawOpen + mouthClose, the change of the lip gap.
    :param fails: what is outside the limits, in words.
    """

    name: str
    ratio: float
    cosine: float
    largest_mm: float
    flips: int
    gap_mm: float | None
    fails: tuple[str, ...]


def shape_figures(head: RiggedHead, source: SourceRig, limits: Limits | None = None) -> list[ShapeFigures]:
    """Measure every shape of a new rig."""
    limits = limits or Limits()
    similarity = head.result.prepared.space.to_target
    inner, theirs = head.landmarks[INNER], source.landmarks[INNER]
    return [
        _figures(head, name, similarity.vectors(source.rig.delta(name)[theirs]), head.rig.delta(name)[inner], limits)
        for name in head.rig.names
    ]


def _figures(head: RiggedHead, name: str, wanted: Array, found: Array, limits: Limits) -> ShapeFigures:
    delta = head.rig.delta(name)
    wanted_size, found_size = float(np.linalg.norm(wanted)), float(np.linalg.norm(found))
    ratio = found_size / wanted_size if wanted_size > 0 else float("nan")
    cosine = (
        float((wanted * found).sum() / (wanted_size * found_size)) if wanted_size * found_size > 0 else float("nan")
    )
    faces, rest = head.rig.neutral.faces, head.rig.neutral.vertices
    moving = faces[(np.abs(delta).max(axis=1) > 0)[faces].any(axis=1)]
    turned = (face_normals(rest, moving) * face_normals(rest + delta, moving)).sum(axis=1) < 0
    gap, fails = _gap(head, name), []
    # A shape that moves no landmark to speak of (under half a millimetre in all) has no direction there.
    if wanted_size > 5e-4:
        if not cosine >= limits.cosine:
            fails.append(f"direction: cosine {cosine:.3f}, at least {limits.cosine}")
        if not limits.ratio[0] <= ratio <= limits.ratio[1]:
            fails.append(f"amplitude: ratio {ratio:.2f}, {limits.ratio[0]} to {limits.ratio[1]}")
    if gap is not None and abs(gap) > (limits.seal_mm if name == "mouthClose" else limits.gap_mm):
        fails.append(f"{'lips' if name == 'mouthClose' else 'lids'} do not meet: {gap:+.1f} mm")
    largest = float(1000.0 * np.linalg.norm(delta, axis=1).max())
    return ShapeFigures(name, ratio, cosine, largest, int(turned.sum()), gap, tuple(fails))


def _gap(head: RiggedHead, name: str) -> float | None:
    """Widest gap in mm, upper minus lower: lids of a blink, lips of jawOpen + mouthClose against the neutral."""
    rest, up = head.rig.neutral.vertices, face_axes(head.rig.neutral.vertices[head.landmarks])[1]
    if name in LID_PAIRS:
        return _widest(rest + head.rig.delta(name), head.landmarks, LID_PAIRS[name], up)
    if name == "mouthClose" and "jawOpen" in head.rig.names:
        closed = rest + head.rig.delta("jawOpen") + head.rig.delta(name)
        now, before = (_gaps(points, head.landmarks, LIP_PAIRS, up) for points in (closed, rest))
        change = now - before
        return float(change[np.abs(change).argmax()])
    return None


def _gaps(points: Array, landmarks: NDArray[np.int64], pairs: tuple[tuple[int, int], ...], up: Array) -> Array:
    return np.array([1000.0 * (points[landmarks[a]] - points[landmarks[b]]) @ up for a, b in pairs])


def _widest(points: Array, landmarks: NDArray[np.int64], pairs: tuple[tuple[int, int], ...], up: Array) -> float:
    gaps = _gaps(points, landmarks, pairs, up)
    return float(gaps[np.abs(gaps).argmax()])


def report_dict(head: RiggedHead, source: SourceRig, figures: list[ShapeFigures], name: str) -> dict[str, object]:
    """Return the whole report as plain values for JSON."""
    registration = head.result.prepared.registration
    unit = head.result.prepared.space.target_unit
    return {
        "head": {"file": name, "vertices": head.rig.neutral.n_vertices, "triangles": head.rig.neutral.n_faces},
        "unit": asdict(head.unit),
        "notes": list(head.notes),
        "source": {"name": source.name, "licence": source.licence},
        "landmarks": {
            "figures": head.check.figures,
            "warnings": [finding.message for finding in head.check.warnings],
        },
        "region": len(head.result.region.kept),
        "registration": {
            "mean_mm": 1000.0 * unit * float(registration.distance.mean()),
            "max_mm": 1000.0 * unit * float(registration.distance.max()),
            "flipped": registration.flipped,
        },
        "seconds": head.seconds,
        "failed": [entry.name for entry in figures if entry.fails],
        "shapes": [
            {
                key: None if isinstance(value, float) and not np.isfinite(value) else value
                for key, value in asdict(entry).items()
            }
            for entry in figures
        ],
    }

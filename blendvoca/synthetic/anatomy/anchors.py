"""Vertices that stand where the face needs them: rings, rows, the midline, the outline and the landmarks."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from blendvoca.ibug68 import LEFT_JAW
from blendvoca.synthetic.anatomy import ears, markers, nostrils
from blendvoca.synthetic.anatomy.chart import LEVEL_END, locate
from blendvoca.synthetic.anatomy.openings import EYE_RIM, LEFT_EYE, MOUTH, MOUTH_RIM, Opening
from blendvoca.synthetic.anatomy.sampling import Sampling

Array = NDArray[np.float64]
Index = NDArray[np.int64]

#: Levels between the neck's edge and the ring of vertices above it.
_NECK_RING = 9.0


@dataclass(frozen=True, eq=False)
class Anchors:
    """The fixed vertices of the skin's left half.

    :param azimuth: (N,) azimuth.
    :param level: (N,) level, both in the layout.
    :param mouth_rim: vertices of the mouth's rim from the upper to the lower middle.
    :param eye_rim: vertices of the left eye's rim, from the outer corner over the upper lid.
    :param outline: vertices of the outer boundary from the front to the back.
    :param landmarks: landmark (left or on the midline) to vertex.
    """

    azimuth: Array
    level: Array
    mouth_rim: Index
    eye_rim: Index
    outline: Index
    landmarks: dict[int, int]


def anchors(sampling: Sampling) -> Anchors:
    """Return the fixed vertices of a sampling."""
    points = _Points()
    mouth_rim, upper, lower = _mouth_rings(points, sampling)
    eye_rim = _eye_rings(points, sampling)
    outline = _outline(points, sampling)
    if sampling.whole_head:
        _ear_rings(points)
    _midline(points, sampling, upper, lower, outline)
    for landmark, position in markers.FREE_POINTS.items():
        if landmark in points.landmarks:
            continue
        azimuth, level = locate(np.array([position]))
        points.landmarks[landmark] = points.add(azimuth[0], level[0])
    _brow_rows(points, sampling)
    if sampling.whole_head:
        _nostril_rings(points)
    place = np.array(points.azimuth), np.array(points.level)
    return Anchors(*place, mouth_rim, eye_rim, np.array(outline), points.landmarks)


@dataclass
class _Points:
    """Fixed points under construction."""

    azimuth: list[float] = field(default_factory=list)
    level: list[float] = field(default_factory=list)
    landmarks: dict[int, int] = field(default_factory=dict)

    def add(self, azimuth: float, level: float) -> int:
        self.azimuth.append(float(azimuth))
        self.level.append(float(level))
        return len(self.azimuth) - 1


def _mouth_rings(points: _Points, sampling: Sampling) -> tuple[Index, list[int], list[int]]:
    """Add the rings of the mouth; return the rim and the midline points above and below, from the rim outward."""
    first, second = sampling.mouth_steps
    inner, outer = markers.INNER_LIP_ANGLE, markers.OUTER_LIP_ANGLES
    rings = [_quarter((90.0, inner, 0.0), (first, second))]
    share = (max(round(first * 0.4), 1), max(round(first * 0.9), 2))
    rings += [_quarter((90.0, *outer, 0.0), (*share, first + second - sum(share)))] * len(sampling.mouth_rings)
    rim: list[int] = []
    upper: list[int] = []
    lower: list[int] = []
    opening = MOUTH
    for number, (distance, quarter) in enumerate(zip((0.0, *sampling.mouth_rings), rings, strict=True)):
        angles = np.concatenate([quarter, -quarter[-2::-1]])
        azimuth, level = opening.from_chart(*_ring(opening, MOUTH_RIM, distance, angles))
        azimuth[[0, -1]] = 0.0
        index = [points.add(a, v) for a, v in zip(azimuth, level, strict=True)]
        upper.append(index[0])
        lower.append(index[-1])
        if number == 0:
            rim = index
        _mark_lips(points, index, np.rad2deg(angles), distance)
    return np.array(rim), upper, lower


def _ring(opening: Opening, rim: float, distance: float, angles: Array) -> tuple[Array, Array]:
    """Return local millimetres of a ring around an opening; at the corners it keeps its distance, unlike an ellipse."""
    wide, high = opening.half * np.cosh(rim) + 0.85 * distance, opening.half * np.sinh(rim) + distance
    return wide * np.cos(angles), high * np.sin(angles)


def _quarter(marks: tuple[float, ...], steps: tuple[int, ...]) -> Array:
    """Return angles (radians) through ``marks`` (degrees) with so many steps between them."""
    pieces = [np.linspace(a, b, n, endpoint=False) for a, b, n in zip(marks[:-1], marks[1:-1], steps, strict=False)]
    # Towards the corner an angle covers less and less of the lip: wider steps keep the spacing.
    pieces.append(marks[-2] * (1.0 - np.arange(steps[-1]) / steps[-1]) ** 0.7)
    return np.deg2rad(np.append(np.concatenate(pieces), marks[-1]))


def _mark_lips(points: _Points, index: list[int], degrees: Array, distance: float) -> None:
    for landmark, (wanted, angle) in markers.LIP_POINTS.items():
        if wanted == distance:
            points.landmarks[landmark] = index[int(np.abs(degrees - angle).argmin())]


def _eye_rings(points: _Points, sampling: Sampling) -> Index:
    rim: list[int] = []
    opening = LEFT_EYE
    angles = np.deg2rad(np.arange(0, 360, 60.0 / sampling.eye_steps))
    for number, distance in enumerate((0.0, *sampling.eye_rings)):
        # Every second ring is turned by half a step: the triangles between rings become nearly equilateral.
        turn = 0.5 * (angles[1] - angles[0]) * (number % 2)
        azimuth, level = opening.from_chart(*_ring(opening, EYE_RIM, distance, angles + turn))
        index = [points.add(a, v) for a, v in zip(azimuth, level, strict=True)]
        if number == 0:
            rim = index
            for landmark, degree in markers.LID_POINTS.items():
                points.landmarks[landmark] = index[round(degree / 60.0 * sampling.eye_steps) % len(index)]
    return np.array(rim)


def _nostril_rings(points: _Points) -> None:
    for azimuth, level in zip(*locate(np.array(nostrils.rings())), strict=True):
        points.add(azimuth, level)


def _brow_rows(points: _Points, sampling: Sampling) -> None:
    """Add three rows of vertices along the left brow."""
    line, half = np.array(markers.BROW_LINE), np.array(markers.BROW_HALF)
    count = round(46.0 / (0.7 * sampling.face))
    place = np.linspace(0.0, len(line) - 1.0, count)
    stations = np.arange(len(line))
    for side in (1.0, 0.0, -1.0):
        row = np.stack([np.interp(place, stations, line[:, k]) for k in range(3)], axis=1)
        row[:, 1] += side * np.interp(place, stations, half)
        azimuth, level = locate(row)
        taken = np.stack([points.azimuth, points.level], axis=1)
        apart = np.hypot(90.0 * (azimuth[:, None] - taken[:, 0]), level[:, None] - taken[:, 1]).min(axis=1)
        for k in np.flatnonzero(apart > 0.45 * sampling.face):
            points.add(azimuth[k], level[k])


def _ear_rings(points: _Points) -> None:
    for azimuth, level in ears.rings():
        points.add(azimuth, level)


def _outline(points: _Points, sampling: Sampling) -> list[int]:
    """Add the outer boundary from the front (chin, or neck) to the back (top of the forehead, or nape)."""
    if sampling.whole_head:
        azimuth = np.linspace(0.0, np.pi, sampling.outline + 1)
        for a in 0.5 * (azimuth[1:] + azimuth[:-1]):
            points.add(a, LEVEL_END - _NECK_RING)
        return [points.add(a, LEVEL_END) for a in azimuth]
    azimuth, level = locate(np.array(markers.MASK_OUTLINE))
    azimuth[[0, -1]] = 0.0
    jaw = len(LEFT_JAW)
    result: list[int] = []
    spare = sampling.outline - 2 * (jaw - 1)
    top = _resample(np.stack([azimuth[jaw - 1 :], level[jaw - 1 :]], axis=1), spare)
    for k in range(jaw):
        points.landmarks[LEFT_JAW[k]] = len(points.azimuth)
        result.append(points.add(azimuth[k], level[k]))
        if k + 1 < jaw:
            result.append(points.add(0.5 * (azimuth[k] + azimuth[k + 1]), 0.5 * (level[k] + level[k + 1])))
    result += [points.add(a, v) for a, v in top[1:]]
    return result


def _resample(path: Array, steps: int) -> Array:
    """Return ``steps + 1`` evenly spaced points of a path in (azimuth, level), smoothed by a cubic."""
    length = np.concatenate([[0.0], np.cumsum(np.hypot(85.0 * np.diff(path[:, 0]), np.diff(path[:, 1])))])
    even: Array = CubicSpline(length, path)(np.linspace(0.0, length[-1], steps + 1))
    even[-1, 0] = 0.0
    return even


def _midline(points: _Points, sampling: Sampling, upper: list[int], lower: list[int], outline: list[int]) -> None:
    """Add the points with azimuth 0 and π between those that stand already, and the midline's landmarks."""
    level = points.level
    marked = {}
    for landmark, position in markers.MIDLINE_POINTS.items():
        if landmark != 8 or sampling.whole_head:
            marked[landmark] = points.add(0.0, locate(np.array([position]))[1][0])
    points.landmarks.update(marked)
    front = sorted([level[k] for k in (*upper, *lower, *marked.values(), outline[0])])
    top = 0.0 if sampling.whole_head else level[outline[-1]]
    if sampling.whole_head:
        points.add(0.0, 0.0)
        for mark in _march(0.0, LEVEL_END - _NECK_RING, np.pi, sampling):
            points.add(np.pi, mark)
    front = [top, *front]
    hole = (level[upper[0]], level[lower[0]])
    for start, end in pairwise(front):
        if (start, end) != hole:
            for mark in _march(start, end, 0.0, sampling):
                points.add(0.0, mark)


def _march(start: float, end: float, azimuth: float, sampling: Sampling) -> Array:
    """Return levels strictly between two ends, spaced by the size function."""
    fine = np.linspace(start, end, 200)
    wanted = np.interp(fine, fine, 1.0 / sampling.spacing(np.full(200, azimuth), fine))
    count = np.concatenate([[0.0], np.cumsum(0.5 * (wanted[1:] + wanted[:-1]) * np.diff(fine))])
    steps = max(round(count[-1]), 1)
    result: Array = np.interp(np.arange(1, steps) * count[-1] / steps, count, fine)
    return result

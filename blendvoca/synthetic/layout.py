"""Where the vertices lie on the surface and how they are joined: the two samplings, without their positions in space.

The half with azimuth ≥ 0 is unrolled into a plane that keeps angles (azimuth turns, the logarithm of the radius follows
the level), filled with points whose spacing follows a size function, joined by a Delaunay triangulation and mirrored.
Rings around the mouth and the eyes, the midline, the outline and the 68 landmarks are points of it by construction.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, cKDTree

from blendvoca.synthetic import ears, markers
from blendvoca.synthetic.chart import LEVEL_END, locate
from blendvoca.synthetic.openings import EYE_RIM, MOUTH_RIM, Opening, left_eye, mouth
from blendvoca.synthetic.sampling import Sampling, log_radius

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class HalfLayout:
    """The skin's left half: surface coordinates in the layout, faces, rims from top to bottom and landmarks.

    :param azimuth: (N,) azimuth ≥ 0. :param level: (N,) level.
    :param faces: (F, 3) triangles, counter-clockwise seen from outside.
    :param mouth_rim: vertices of the mouth's rim from the upper to the lower middle.
    :param eye_rim: vertices of the left eye's rim, once around from the outer corner over the upper lid.
    :param landmarks: landmark (on the left or the midline) to vertex.
    """

    azimuth: Array
    level: Array
    faces: Index
    mouth_rim: Index
    eye_rim: Index
    landmarks: dict[int, int]


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


def half_layout(sampling: Sampling, seed: int = 0) -> HalfLayout:
    """Return the skin's left half of a sampling; the same seed gives the same layout."""
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
    azimuth, level = np.array(points.azimuth), np.array(points.level)
    polygon = _plane(azimuth[outline], level[outline])
    azimuth, level = _fill(azimuth, level, sampling, polygon, np.random.default_rng(seed))
    flat = _plane(azimuth, level)
    faces = Delaunay(flat).simplices.astype(np.int64)
    faces = faces[~_inside_hole(faces, (mouth_rim, eye_rim), len(flat))]
    if not sampling.whole_head:
        faces = faces[_inside(flat[faces].mean(axis=1), polygon)]
    return HalfLayout(azimuth, level, _outward(faces, flat), mouth_rim, eye_rim, points.landmarks)


def _plane(azimuth: Array, level: Array) -> Array:
    radius = np.exp(log_radius(level))
    x = np.where((azimuth == 0.0) | (azimuth == np.pi), 0.0, np.sin(azimuth))
    return np.stack([radius * x, radius * np.cos(azimuth)], axis=1)


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
    opening = mouth()
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
    opening = left_eye()
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
    for azimuth, level in zip(*locate(np.array(markers.nostril_rings())), strict=True):
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
            points.add(a, LEVEL_END - 9.0)
        return [points.add(a, LEVEL_END) for a in azimuth]
    azimuth, level = locate(np.array(markers.MASK_OUTLINE))
    azimuth[[0, -1]] = 0.0
    jaw = len(markers.JAW_LANDMARKS)
    result: list[int] = []
    spare = sampling.outline - 2 * (jaw - 1)
    top = _resample(np.stack([azimuth[jaw - 1 :], level[jaw - 1 :]], axis=1), spare)
    for k in range(jaw):
        points.landmarks[markers.JAW_LANDMARKS[k]] = len(points.azimuth)
        result.append(points.add(azimuth[k], level[k]))
        if k + 1 < jaw:
            result.append(points.add(0.5 * (azimuth[k] + azimuth[k + 1]), 0.5 * (level[k] + level[k + 1])))
    result += [points.add(a, v) for a, v in top[1:]]
    return result


def _resample(path: Array, steps: int) -> Array:
    """Return ``steps + 1`` evenly spaced points of a path in (azimuth, level), smoothed by a cubic."""
    from scipy.interpolate import CubicSpline

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
        for mark in _march(0.0, LEVEL_END, np.pi, sampling):
            points.add(np.pi, mark)
    front = [top, *front]
    hole = (level[upper[0]], level[lower[0]])
    for start, end in zip(front, front[1:], strict=False):
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


def _fill(
    azimuth: Array, level: Array, sampling: Sampling, polygon: Array, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Add free points between the fixed ones: a centroidal Voronoi tessellation weighted by the size function."""
    cloud_azimuth, cloud_level, weight, count = _cloud(sampling, polygon, rng)
    cloud = _plane(cloud_azimuth, cloud_level)
    fixed = _plane(azimuth, level)
    gap, nearest = cKDTree(fixed).query(cloud)
    scale = np.exp(log_radius(cloud_level)) / _girth(cloud_level)
    clear = gap > 0.62 * scale * sampling.spacing(cloud_azimuth, cloud_level)
    free = cloud[rng.permutation(np.flatnonzero(clear))[: max(count - len(fixed), 0)]]
    for _ in range(sampling.relaxations):
        tree = cKDTree(np.concatenate([fixed, free]))
        owner = tree.query(cloud)[1] - len(fixed)
        mine = owner >= 0
        mass = np.bincount(owner[mine], weight[mine], len(free))
        centre = [np.bincount(owner[mine], weight[mine] * cloud[mine, k], len(free)) for k in range(2)]
        kept = mass > 0
        free = np.stack(centre, axis=1)[kept] / mass[kept, None]
    radius = np.log(np.hypot(free[:, 0], free[:, 1]))
    table = np.linspace(0.0, LEVEL_END, 3000)
    found = np.interp(radius, log_radius(np.maximum(table, 1e-6)), table)
    return np.append(azimuth, np.arctan2(free[:, 0], free[:, 1])), np.append(level, found)


def _cloud(sampling: Sampling, polygon: Array, rng: np.random.Generator) -> tuple[Array, Array, Array, int]:
    """Return a dense cloud of surface coordinates, its weights and the number of vertices the spacing asks for."""
    a, v = np.meshgrid((np.arange(260) + 0.5) * np.pi / 260, (np.arange(320) + 0.5) * LEVEL_END / 320)
    a, v = a.ravel(), v.ravel()
    inside = _skin(a, v) & (_inside(_plane(a, v), polygon) if not sampling.whole_head else True)
    a, v = a[inside], v[inside]
    area = _girth(v) * (np.pi / 260) * (LEVEL_END / 320)
    density = area / sampling.spacing(a, v) ** 2
    count = round(density.sum() / 0.866)
    chosen = rng.choice(len(a), 26 * count, p=density / density.sum())
    a = a[chosen] + (rng.random(len(chosen)) - 0.5) * np.pi / 260
    v = v[chosen] + (rng.random(len(chosen)) - 0.5) * LEVEL_END / 320
    keep = _skin(a, v) & (a > 0) & (a < np.pi)
    a, v = a[keep], v[keep]
    return a, v, 1.0 / sampling.spacing(a, v) ** 2 / (np.exp(log_radius(v)) / _girth(v)) ** 0, count


def _girth(level: Array) -> Array:
    """Return millimetres on the surface per radian of azimuth, as the plane assumes them."""
    step = 0.01
    rate = (log_radius(level + step) - log_radius(np.maximum(level - step, 1e-6))) / (2 * step)
    result: Array = 1.0 / np.maximum(rate, 1e-9)
    return result


def _skin(azimuth: Array, level: Array) -> NDArray[np.bool_]:
    """Return which coordinates are skin and not inside the mouth or the eye."""
    skin = np.ones(len(azimuth), dtype=bool)
    for opening, rim in ((mouth(), MOUTH_RIM), (left_eye(), EYE_RIM)):
        skin &= opening.elliptic(*opening.to_chart(azimuth, level))[0] > rim
    return skin


def _inside_hole(faces: Index, rims: tuple[Index, ...], count: int) -> NDArray[np.bool_]:
    """Return which triangles fill an opening: all three corners are on the same rim."""
    filled = np.zeros(len(faces), dtype=bool)
    for rim in rims:
        on_rim = np.zeros(count, dtype=bool)
        on_rim[rim] = True
        filled |= on_rim[faces].all(axis=1)
    return filled


def _inside(points: Array, polygon: Array) -> NDArray[np.bool_]:
    """Return which points (N, 2) lie inside a closed polygon (M, 2), by crossings."""
    inside = np.zeros(len(points), dtype=bool)
    for (x0, y0), (x1, y1) in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        crosses = (y0 > points[:, 1]) != (y1 > points[:, 1])
        with np.errstate(divide="ignore", invalid="ignore"):
            inside ^= crosses & (points[:, 0] < (x1 - x0) * (points[:, 1] - y0) / (y1 - y0) + x0)
    return inside


def _outward(faces: Index, flat: Array) -> Index:
    """Turn triangles so that they run counter-clockwise seen from outside (the plane shows the head from above)."""
    a, b, c = (flat[faces[:, k]] for k in range(3))
    turn = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
    return np.where((turn < 0)[:, None], faces, faces[:, ::-1])

"""A z-buffer in NumPy: the fallback where no OpenGL is to be had."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.view.appearance import Appearance
from blendvoca.view.camera import Camera
from blendvoca.view.shading import BACKGROUND, Normals, eye_colours, shade

#: Pictures are drawn this many times larger and averaged, against stairs at edges.
OVERSAMPLING = 2

_Floats = NDArray[np.float64]
_Indices = NDArray[np.int64]


class SoftwareBackend:
    """Draws one topology with a z-buffer.

    :param faces: (F, 3) triangles.
    :param n_vertices: V.
    :param size: (width, height) in pixels.
    """

    name = "software"

    def __init__(self, faces: NDArray[np.integer], n_vertices: int, size: tuple[int, int]) -> None:
        self.faces, self.size = faces, size
        self.normals = Normals(faces, n_vertices)

    def draw(self, vertices: NDArray[np.floating], look: Appearance, camera: Camera) -> NDArray[np.uint8]:
        """Return the picture (height, width, 3)."""
        width, height = (OVERSAMPLING * side for side in self.size)
        clip = np.c_[vertices, np.ones(len(vertices))] @ camera.projection(width / height).T
        ahead = (clip[:, 3] > 0)[self.faces].all(axis=1)
        position = clip[:, :3] / np.where(clip[:, 3:] > 0, clip[:, 3:], 1)
        screen = np.c_[(position[:, 0] + 1) / 2 * width, (1 - position[:, 1]) / 2 * height, position[:, 2]]
        corners = screen[self.faces[ahead]]
        area = _area(corners)
        normals, at = self.normals(vertices) @ camera.rotation().T, camera.positions(vertices)
        lit = shade(normals, look.colours, at, look.occlusion, look.eyes[:, 3])
        # The winding decides which side is seen; the picture's y runs down, so outside turns clockwise.
        shades = np.where((area > 0)[:, None, None], lit[1][self.faces[ahead]], lit[0][self.faces[ahead]])
        canvas = np.empty((height * width, 3), dtype=np.float32)
        canvas[:] = BACKGROUND
        triangles, rows, columns = _nearest(corners, area, width, height)
        for channel in range(3):
            slope_x, slope_y, start = _plane(corners, area, shades[..., channel]).astype(np.float32)[:, triangles]
            canvas[rows * width + columns, channel] = slope_x * columns + slope_y * rows + start
        # The iris is drawn sample by sample: its edge is finer than an eyeball's triangles.
        drawn = self.faces[ahead]
        on_eye = (look.eyes[drawn, 3].min(axis=1) > 0.5)[triangles] & (area[triangles] < 0)
        if on_eye.any():

            def across(values: _Floats) -> _Floats:
                x, y, start = _plane(corners, area, values[drawn])[:, triangles[on_eye]]
                return x * columns[on_eye] + y * rows[on_eye] + start

            parts = (normals, look.colours, at, look.eyes[:, :3])
            turned, white, where, facing = (np.stack([across(part[:, k]) for k in range(3)], axis=1) for part in parts)
            turned /= np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-12)
            seen = shade(
                turned, eye_colours(facing, white), where, across(look.occlusion).clip(0, 1), np.ones(len(white))
            )
            canvas[(rows * width + columns)[on_eye]] = seen[0]
        grid = canvas.reshape(self.size[1], OVERSAMPLING, self.size[0], OVERSAMPLING, 3)
        return np.rint(grid.mean(axis=(1, 3)).clip(0, 1) * 255).astype(np.uint8)

    def release(self) -> None:
        """Nothing is held."""


def _area(corners: _Floats) -> _Floats:
    """Return twice the signed area (F,) of triangles (F, 3, 3) on the screen."""
    (x1, y1), (x2, y2) = ((corners[:, k, :2] - corners[:, 0, :2]).T for k in (1, 2))
    return np.asarray(x1 * y2 - y1 * x2)


def _plane(corners: _Floats, area: _Floats, values: _Floats) -> _Floats:
    """Return slopes per column and row and the value at sample (0, 0), (3, F), of values (F, 3) at the corners."""
    (x1, y1), (x2, y2) = ((corners[:, k, :2] - corners[:, 0, :2]).T for k in (1, 2))
    v1, v2 = (values[:, k] - values[:, 0] for k in (1, 2))
    safe = np.where(area == 0, 1, area)
    slope_x, slope_y = (v1 * y2 - v2 * y1) / safe, (v2 * x1 - v1 * x2) / safe
    # Samples lie in the middle of their squares.
    start = values[:, 0] + slope_x * (0.5 - corners[:, 0, 0]) + slope_y * (0.5 - corners[:, 0, 1])
    return np.stack([slope_x, slope_y, start])


def _nearest(corners: _Floats, area: _Floats, width: int, height: int) -> tuple[_Indices, _Indices, _Indices]:
    """Return triangle, row and column of the nearest surface at every covered sample (a few may come twice)."""
    spans, rows = _runs(*_inside(corners[..., 1].min(axis=1), corners[..., 1].max(axis=1), height), area != 0)
    low, high = _crossings(corners[spans], area[spans], rows.astype(np.float64) + 0.5)
    pieces, columns = _runs(*_inside(low, high, width), high >= low)
    slope_x, slope_y, start = _plane(corners, area, corners[..., 2])[:, spans]
    depths = slope_x[pieces] * columns + (slope_y * rows + start)[pieces]
    samples = (rows * width)[pieces] + columns
    buffer = np.full(width * height, np.inf)
    np.minimum.at(buffer, samples, depths)
    seen = np.flatnonzero((depths == buffer[samples]) & (np.abs(depths) <= 1))
    return spans[pieces[seen]], rows[pieces[seen]], columns[seen]


def _inside(low: _Floats, high: _Floats, count: int) -> tuple[_Indices, _Indices]:
    """Return the first and last of ``count`` sample middles from ``low`` to ``high``."""
    first = np.ceil(low.clip(-1, count + 1) - 0.5).astype(np.int64).clip(0)
    last = np.floor(high.clip(-1, count + 1) - 0.5).astype(np.int64).clip(max=count - 1)
    return first, last


def _runs(first: _Indices, last: _Indices, use: NDArray[np.bool_]) -> tuple[_Indices, _Indices]:
    """Return, for whole numbers from ``first`` to ``last`` of each run, the run and the number, run by run."""
    counts = np.where(use, last - first + 1, 0).clip(0)
    runs = np.repeat(np.arange(len(first)), counts)
    return runs, np.arange(len(runs)) + (first - (counts.cumsum() - counts))[runs]


def _crossings(corners: _Floats, area: _Floats, height: _Floats) -> tuple[_Floats, _Floats]:
    """Return from where to where (n,) the line at ``height`` (n,) runs inside triangles (n, 3, 3)."""
    low, high = np.full(len(corners), -np.inf), np.full(len(corners), np.inf)
    for start, end in ((0, 1), (1, 2), (2, 0)):
        (x, y), (run, rise) = corners[:, start, :2].T, (corners[:, end, :2] - corners[:, start, :2]).T
        level = rise == 0
        across = x + run * (height - y) / np.where(level, 1, rise)
        # A triangle that turns one way lies to one side of an edge that rises, to the other of one that falls.
        left = (rise * area < 0) & ~level
        low = np.where(left, np.maximum(low, across), low)
        high = np.where(left | level, high, np.minimum(high, across))
    return low, high

"""A z-buffer in NumPy: the fallback where no OpenGL is to be had."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from blendvoca.view.camera import Camera
from blendvoca.view.shading import BACKGROUND, Normals, shade

#: Pictures are drawn this many times larger and averaged, against stairs at edges.
OVERSAMPLING = 2


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

    def draw(
        self, vertices: NDArray[np.floating], colours: NDArray[np.floating], camera: Camera
    ) -> NDArray[np.uint8]:
        """Return the picture (height, width, 3)."""
        width, height = (OVERSAMPLING * side for side in self.size)
        clip = np.c_[vertices, np.ones(len(vertices))] @ camera.projection(width / height).T
        position = clip[:, :3] / clip[:, 3:]
        screen = np.c_[(position[:, 0] + 1) / 2 * width, (1 - position[:, 1]) / 2 * height, position[:, 2]]
        lit = shade(self.normals(vertices) @ camera.rotation().T, colours)
        canvas = np.empty((height * width, 3))
        canvas[:] = BACKGROUND
        pixels, depths, shades = self._fragments(screen, lit, width, height)
        # Far to near: of several values for a pixel NumPy keeps the last.
        order = np.argsort(-depths, kind="stable")
        canvas[pixels[order]] = shades[order]
        grid = canvas.reshape(self.size[1], OVERSAMPLING, self.size[0], OVERSAMPLING, 3)
        return np.rint(grid.mean(axis=(1, 3)) * 255).astype(np.uint8)

    def _fragments(
        self, screen: NDArray[np.float64], lit: NDArray[np.float64], width: int, height: int
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Return pixel, depth and colour of every covered sample, triangles grouped by the size of their box."""
        corners = screen[self.faces]
        low = np.floor(corners[..., :2].min(axis=1)).astype(np.int64)
        side = (np.ceil(corners[..., :2].max(axis=1)) - low).max(axis=1).clip(1, max(width, height))
        classes = 2 ** np.ceil(np.log2(side)).astype(np.int64)
        parts = []
        for extent in np.unique(classes):
            chosen = np.flatnonzero(classes == extent)
            grid = np.stack(np.meshgrid(np.arange(extent), np.arange(extent)), axis=-1).reshape(-1, 2)
            # Few triangles at a time, so that a large box does not cost memory.
            for part in np.array_split(chosen, max(len(chosen) * len(grid) // 2_000_000, 1)):
                parts.append(self._cover(part, low[part, None] + grid, corners[part], lit, width, height))
        pixels, depths, shades = zip(*parts)
        return np.concatenate(pixels), np.concatenate(depths), np.concatenate(shades)

    def _cover(
        self,
        triangles: NDArray[np.int64],
        points: NDArray[np.int64],
        corners: NDArray[np.float64],
        lit: NDArray[np.float64],
        width: int,
        height: int,
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Return pixel, depth and colour of the candidate points (n, g, 2) inside their triangles (n, 3, 3)."""
        a, b, c = (corners[:, None, corner, :2] for corner in range(3))
        centre = points + 0.5

        def cross(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
            return u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0]

        area = cross(b - a, c - a)
        with np.errstate(divide="ignore", invalid="ignore"):
            weights = np.stack([cross(c - b, centre - b), cross(a - c, centre - c), cross(b - a, centre - a)], -1)
            weights = weights / area[..., None]
        inside = (weights >= -1e-9).all(axis=-1) & (points >= 0).all(axis=-1)
        inside &= (points[..., 0] < width) & (points[..., 1] < height)
        row, column = np.nonzero(inside)
        weight = weights[row, column]
        pixel = points[row, column, 1] * width + points[row, column, 0]
        depth = (weight * corners[row, :, 2]).sum(axis=1)
        # The winding decides which side is seen; the picture's y runs down, so outside turns clockwise.
        inside_out = (area[row, 0] > 0).astype(np.int64)
        colour = np.einsum("nk,nkc->nc", weight, lit[inside_out[:, None], self.faces[triangles[row]]])
        return pixel, depth, colour

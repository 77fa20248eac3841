"""Contact sheets: many poses of one head under their names (the paper's Figure 8)."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import InputError, MissingDependencyError
from blendvoca.io.atomic import atomic_path
from blendvoca.mesh import Mesh
from blendvoca.rig import BlendshapeRig
from blendvoca.view.camera import Camera
from blendvoca.view.render import Picture, Renderer
from blendvoca.view.shading import SKIN
from blendvoca.view.suffix import check_suffix

#: Height of a line of names in pixels, even, as a video needs it.
LINE = 18
_INK = (40, 40, 45)


def pillow(module: str) -> Any:
    """Return a module of Pillow.

    :raises MissingDependencyError: without it.
    """
    try:
        from importlib import import_module

        return import_module(f"PIL.{module}")
    except ImportError as error:
        raise MissingDependencyError("pillow", "view", "writing pictures") from error


def write_png(path: str | PathLike[str], picture: Picture) -> None:
    """Write a picture (height, width, 3) as PNG, atomically.

    :param path: of the file; its name ends in ``.png``.
    :param picture: (H, W, 3) RGB, 0 to 255.
    :raises InputError: for a path that does not end in ``.png``.
    """
    check_suffix(path, ".png")
    image = pillow("Image")
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        image.fromarray(picture).save(file, "PNG", optimize=True)


def tile(pictures: Sequence[Picture], names: Sequence[str], columns: int) -> Picture:
    """Put pictures of one size on a grid, each under its name.

    :raises InputError: for no picture, or another number of names.
    """
    if not pictures or len(pictures) != len(names):
        raise InputError("a sheet names every picture", expected=f"{len(pictures)} names", found=len(names))
    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + LINE), columns * width, 3), 255, dtype=np.uint8)
    for row in range(rows):
        shown = slice(row * columns, (row + 1) * columns)
        top = row * (height + LINE)
        sheet[top : top + LINE] = name_line(names[shown], width, columns)
        for column, picture in enumerate(pictures[shown]):
            sheet[top + LINE : top + LINE + height, column * width : (column + 1) * width] = picture
    return sheet


def name_line(names: Sequence[str], width: int, columns: int | None = None) -> Picture:
    """Return the line (:data:`LINE`, columns · width, 3) that stands above a row of pictures of that width."""
    line = pillow("Image").new("RGB", ((columns or len(names)) * width, LINE), (255, 255, 255))
    pen = pillow("ImageDraw").Draw(line)
    for column, name in enumerate(names):
        pen.text((column * width + 6, 3), name, fill=_INK)
    return np.asarray(line)


def face_camera(
    mesh: Mesh, landmarks: ArrayLike | None = None, yaw: float = 0.0, deltas: NDArray[np.floating] | None = None
) -> Camera:
    """Return a camera on the face: its landmarks with room for an open jaw, else the whole mesh.

    :param deltas: (K, V, 3) shapes that a whole mesh must stay in view with.
    """
    if landmarks is None:
        moved = [] if deltas is None else list(mesh.vertices + deltas)
        return Camera.framing(np.concatenate([mesh.vertices, *moved]), yaw)
    points = mesh.vertices[np.asarray(landmarks)]
    low, high = points.min(axis=0), points.max(axis=0)
    reach = high[1] - low[1]
    up = np.array([0.0, reach, 0.0])
    low, high = low - 0.30 * up, high + 0.55 * up
    middle = (low + high) / 2
    return Camera((float(middle[0]), float(middle[1]), float(middle[2])), float(high[1] - low[1]), yaw)


def shape_sheet(
    rig: BlendshapeRig,
    names: Sequence[str],
    camera: Camera,
    size: int = 200,
    columns: int = 8,
    heat: bool = False,
    backend: str = "auto",
) -> Picture:
    """Draw the neutral and every named shape at 1.

    :param rig: in metres.
    :param names: blendshapes of the rig, one picture each.
    :param camera: whence they are seen.
    :param size: edge of a picture in pixels.
    :param columns: pictures a row.
    :param heat: colour vertices by how far the shape moves them; each shape's largest motion is red.
    :param backend: ``auto``, ``opengl`` or ``software``.
    """
    with Renderer(rig.neutral, (size, size), backend) as renderer:
        still = heat_colours(np.zeros(rig.neutral.n_vertices)) if heat else SKIN
        pictures = [renderer.draw(rig.neutral.vertices, camera, still)]
        for name in names:
            delta = rig.delta(name)
            colours = heat_colours(np.linalg.norm(delta, axis=1)) if heat else SKIN
            pictures.append(renderer.draw(rig.neutral.vertices + delta, camera, colours))
    return tile(pictures, ["neutral", *names], columns)


def heat_colours(amounts: NDArray[np.floating], most: float | None = None) -> NDArray[np.float64]:
    """Return colours (V, 3) from pale (none) over yellow to red (``most``) for amounts (V,).

    :param most: what is red; the largest amount where it is not given.
    """
    share = amounts / max(float(amounts.max()) if most is None else most, 1e-12)
    stops = np.array([[0.86, 0.86, 0.88], [0.98, 0.83, 0.35], [0.85, 0.15, 0.12]])
    return np.stack([np.interp(share, [0, 0.35, 1], stops[:, channel]) for channel in range(3)], axis=1)

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
from blendvoca.view.appearance import Appearance, heat_colours
from blendvoca.view.camera import Camera
from blendvoca.view.render import Picture, Renderer
from blendvoca.view.shading import BACKGROUND
from blendvoca.view.suffix import check_suffix

#: Heads between these sizes are taken to be in metres.
METRIC_EXTENT = (0.08, 1.0)
_INK, _DIM = (35, 38, 44), (110, 116, 126)


def line_height(width: int) -> int:
    """Return the height in pixels, even as a video needs it, of a line of names above pictures of that width."""
    return 2 * round(max(min(0.075 * width, 34.0), 18.0) / 2)


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
    """Put pictures of one size on a grid, each under its name; the last row is filled with their background.

    :raises InputError: for no picture, or another number of names.
    """
    if not pictures or len(pictures) != len(names):
        raise InputError("a sheet names every picture", expected=f"{len(pictures)} names", found=len(names))
    height, width = pictures[0].shape[:2]
    columns, line = even_columns(len(pictures), columns), line_height(width)
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * (height + line), columns * width, 3), 255, dtype=np.uint8)
    for row in range(rows):
        shown = slice(row * columns, (row + 1) * columns)
        top = row * (height + line)
        sheet[top : top + line] = name_line(names[shown], width, columns)
        sheet[top + line : top + line + height] = np.rint(255 * np.array(BACKGROUND))
        for column, picture in enumerate(pictures[shown]):
            sheet[top + line : top + line + height, column * width : (column + 1) * width] = picture
    return sheet


def even_columns(count: int, most: int) -> int:
    """Return the columns, at most so many and no fewer than three quarters of them, that leave the last row fullest."""
    if count <= most:
        return count
    least = max(-(-3 * most // 4), 1)
    return min(range(most, least - 1, -1), key=lambda columns: (-count % columns) / columns)


def name_line(names: Sequence[str], width: int, columns: int | None = None) -> Picture:
    """Return the line (h, columns · width, 3) that stands above a row of pictures of that width."""
    high = line_height(width)
    line = pillow("Image").new("RGB", ((columns or len(names)) * width, high), (255, 255, 255))
    pen = pillow("ImageDraw").Draw(line)
    for column, name in enumerate(names):
        font = _fitting(name, width - 12, round(0.62 * high))
        pen.text((column * width + 6, high / 2), _shortened(name, font, width - 12), fill=_INK, font=font, anchor="lm")
    return np.asarray(line)


def _fitting(text: str, room: int, size: int) -> Any:
    """Return the font, no larger than ``size``, in which a text fits; a small one where it fits in none."""
    for pixels in range(size, 9, -1):
        font = pillow("ImageFont").load_default(pixels)
        if font.getlength(text) <= room:
            return font
    return pillow("ImageFont").load_default(10)


def _shortened(text: str, font: Any, room: int) -> str:
    """Return a text, its middle left out where it does not fit."""
    kept = len(text)
    while kept > 4 and font.getlength(text) > room:
        kept -= 1
        text = (
            f"{text[: -(-kept // 2)]}…{text[-(kept // 2) :]}"
            if "…" not in text
            else (text.split("…")[0][:-1] + "…" + text.split("…")[1][1:])
        )
    return text


def heat_scale(most: float, width: int, unit: str = "mm") -> Picture:
    """Return a strip (h, width, 3) that says what the colours of a heat sheet mean.

    :param most: what is darkest, in that unit.
    """
    high, left = 40, 14
    strip = pillow("Image").new("RGB", (width, high), (255, 255, 255))
    long = max(min(260, width - 150), 20)
    ramp = heat_colours(np.linspace(0, 1, long), 1.0)
    bar = np.rint(255 * np.tile(ramp, (12, 1, 1))).astype(np.uint8)
    pen, font = pillow("ImageDraw").Draw(strip), pillow("ImageFont").load_default(13)
    pen.text((left, high / 2), "0", fill=_DIM, font=font, anchor="lm")
    strip.paste(pillow("Image").fromarray(bar), (left + 14, (high - 12) // 2))
    end = f"{most:.3g} {unit}"
    pen.text((left + 22 + long, high / 2), _shortened(end, font, width - left - 26 - long), fill=_INK, font=font,
             anchor="lm")  # fmt: skip
    return np.asarray(strip)


def face_camera(
    mesh: Mesh, landmarks: ArrayLike | None = None, yaw: float = 0.0, deltas: NDArray[np.floating] | None = None
) -> Camera:
    """Return a camera on the head at any yaw.

    With landmarks: the face with room for an open jaw, its middle where the head's is as soon as it is turned. Without:
    what the shapes move and the head above it, or the whole mesh.

    :param deltas: (K, V, 3) shapes that must stay in view.
    """
    moved = [] if deltas is None else [mesh.vertices + delta for delta in deltas]
    if landmarks is None:
        return Camera.framing(_head_points(mesh, deltas, moved), yaw)
    points = mesh.vertices[np.asarray(landmarks)]
    low, high = points.min(axis=0), points.max(axis=0)
    reach = high[1] - low[1]
    height = 1.85 * reach
    middle = 0.5 * (low + high) + np.array([0.0, 0.125 * reach, 0.0])
    # Seen from the side the face is the front of a head, and the head's outline is what is centred.
    near = mesh.vertices[np.abs(mesh.vertices[:, 1] - middle[1]) < 0.5 * height]
    across = Camera((0.0, 0.0, 0.0), 1.0, yaw).rotation()[0]
    seen = (near - middle) @ across
    side = np.sin(np.radians(yaw)) ** 2
    shift = side * float(np.clip(0.5 * (seen.min() + seen.max()), -0.45 * reach, 0.45 * reach))
    target = middle + shift * across
    return Camera((float(target[0]), float(target[1]), float(target[2])), float(height), yaw)


def _head_points(
    mesh: Mesh, deltas: NDArray[np.floating] | None, moved: Sequence[NDArray[np.floating]]
) -> NDArray[np.float64]:
    """Return the points (n, 3) to show: all poses, without a bust far below what moves."""
    every = np.concatenate([mesh.vertices, *moved])
    if deltas is None or not deltas.any():
        return every
    reach = np.linalg.norm(deltas, axis=2).max(axis=0)
    height = mesh.vertices[reach > 0.1 * reach.max(), 1]
    shown: NDArray[np.float64] = every[every[:, 1] >= height.min() - 0.35 * np.ptp(height)]
    return shown


def shape_sheet(
    rig: BlendshapeRig,
    names: Sequence[str],
    camera: Camera,
    size: int = 200,
    columns: int = 8,
    heat: bool = False,
    backend: str = "auto",
    look: Appearance | None = None,
) -> Picture:
    """Draw the neutral and every named shape at 1.

    :param rig: in metres.
    :param names: blendshapes of the rig, one picture each.
    :param camera: whence they are seen.
    :param size: edge of a picture in pixels.
    :param columns: pictures a row.
    :param heat: colour vertices by how far the shape moves them, all shapes on one scale that stands under the sheet.
    :param backend: ``auto``, ``opengl`` or ``software``.
    :param look: what the head looks like; plain skin without.
    """
    lengths = {name: np.linalg.norm(rig.delta(name), axis=1) for name in names} if heat else {}
    most = max((float(length.max()) for length in lengths.values()), default=0.0)
    with Renderer(rig.neutral, (size, size), backend, look) as renderer:
        still = heat_colours(np.zeros(rig.neutral.n_vertices)) if heat else None
        pictures = [renderer.draw(rig.neutral.vertices, camera, still)]
        for name in names:
            colours = heat_colours(lengths[name], most) if heat else None
            pictures.append(renderer.draw(rig.neutral.vertices + rig.delta(name), camera, colours))
    sheet = tile(pictures, ["neutral", *names], columns)
    if not heat:
        return sheet
    metric = METRIC_EXTENT[0] <= rig.neutral.extent <= METRIC_EXTENT[1]
    scale = heat_scale(1e3 * most, sheet.shape[1]) if metric else heat_scale(most, sheet.shape[1], "units")
    return np.vstack([sheet, scale])

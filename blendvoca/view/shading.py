"""Light for pictures of heads: one formula, in NumPy and in GLSL, so that the page and both renderers agree.

A key, a fill and a rim light are fixed to the camera. Skin scatters a little, so the key light wraps around and turns
red where it fades; ambient occlusion darkens ambient light; the inside of the surface is nearly dark.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from blendvoca.view.appearance import CAP_DARK, CAP_PLAIN, HEAT_COLOURS, HEAT_STOPS, IRIS, PALETTE, PUPIL

Array = NDArray[np.float64]

#: sRGB behind the heads.
BACKGROUND = (0.95, 0.955, 0.965)
#: Directions of the lights in camera axes.
_KEY, _FILL, _RIM = (-0.45, 0.55, 0.72), (0.85, 0.05, 0.45), (0.55, 0.5, -0.65)
_COLOURS = {
    "KEY_COLOUR": (1.50, 1.44, 1.36), "FILL_COLOUR": (0.24, 0.28, 0.34), "RIM_COLOUR": (0.85, 0.9, 1.0),
    "GROUND": (0.16, 0.13, 0.12), "SKY": (0.27, 0.29, 0.32), "WRAP": (0.34, 0.16, 0.10), "INSIDE": (0.20, 0.085, 0.075),
    "IRIS_COLOUR": PALETTE["iris"], "PUPIL_COLOUR": PALETTE["pupil"], "LIMBUS": (0.15, 0.19, 0.21),
    "CAP_DARK": CAP_DARK, "CAP_PLAIN": CAP_PLAIN,
}  # fmt: skip
_NUMBERS = {"PUPIL": PUPIL, "IRIS": IRIS, "SKIN_SHINE": 0.15, "EYE_SHINE": 0.5, "SKIN_SHADE": 0.85, "EYE_SHADE": 0.9}


def glsl() -> str:
    """Return the constants and functions of the light as GLSL, the same for versions 300 es and 330."""
    unit = {name: _unit(v) for name, v in (("KEY", _KEY), ("FILL", _FILL), ("RIM", _RIM))}
    vectors: dict[str, Sequence[float]] = {**_COLOURS, **{name: v.tolist() for name, v in unit.items()}}
    lines = [f"const vec3 {name} = vec3({', '.join(f'{x:.6f}' for x in value)});" for name, value in vectors.items()]
    lines += [f"const float {name} = {value:.6f};" for name, value in _NUMBERS.items()]
    lines.append(f"const vec3 HEAT[4] = vec3[4]({', '.join('vec3' + str(tuple(c)) for c in HEAT_COLOURS)});")
    lines.append(f"const float STOPS[4] = float[4]({', '.join(map(str, HEAT_STOPS))});")
    return "\n".join(lines) + "\n" + files(__package__).joinpath("look", "look.glsl").read_text(encoding="utf-8")


def _unit(vector: tuple[float, float, float]) -> Array:
    return np.array(vector) / np.linalg.norm(vector)


class Normals:
    """Area-weighted vertex normals of one topology, for many positions.

    :param faces: (F, 3) triangles.
    :param n_vertices: V.
    """

    def __init__(self, faces: NDArray[np.integer], n_vertices: int) -> None:
        self.faces = faces
        rows = faces.ravel()
        columns = np.repeat(np.arange(len(faces)), 3)
        self._gather = sparse.csr_matrix((np.ones(rows.size), (rows, columns)), shape=(n_vertices, len(faces)))

    def __call__(self, vertices: NDArray[np.floating]) -> NDArray[np.float64]:
        """Return unit normals (V, 3) of positions (V, 3)."""
        a, b, c = (vertices[self.faces[:, corner]] for corner in range(3))
        normals = self._gather @ np.cross(b - a, c - a)
        return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)


def shade(
    normals: NDArray[np.floating],
    colours: NDArray[np.floating],
    at: NDArray[np.floating] | None = None,
    occlusion: NDArray[np.floating] | None = None,
    ball: NDArray[np.floating] | None = None,
) -> Array:
    """Return lit sRGB colours (2, n, 3) for camera-space normals (n, 3): seen from outside, and from inside.

    :param colours: (n, 3) sRGB.
    :param at: (n, 3) positions in camera axes, the camera at the origin; far along −z by default.
    :param occlusion: (n,) share of ambient light, all of it by default.
    :param ball: (n,) 1 on eyeballs.
    """
    count = len(normals)
    open_ = np.ones(count) if occlusion is None else np.asarray(occlusion, dtype=np.float64)
    eyes = np.zeros(count) if ball is None else np.asarray(ball, dtype=np.float64)
    view = np.tile((0.0, 0.0, 1.0), (count, 1)) if at is None else -at / np.linalg.norm(at, axis=1, keepdims=True)
    base = np.asarray(colours, dtype=np.float64) ** 2
    outside = _lit(np.asarray(normals), view, base, open_, eyes)
    facing = np.clip(-(np.asarray(normals) * view).sum(axis=1), 0.0, 1.0)
    inside = base * np.array(_COLOURS["INSIDE"]) * ((0.3 + 0.7 * open_) * (0.7 + 0.3 * facing))[:, None]
    return np.stack([_tone(outside), _tone(inside)])


def _lit(normals: Array, view: Array, base: Array, open_: Array, eyes: Array) -> Array:
    """Return linear light (n, 3); ``look.glsl`` says the same."""
    c = {name: np.array(value) for name, value in _COLOURS.items()}
    key, fill, rim = _unit(_KEY), _unit(_FILL), _unit(_RIM)
    lit_by = open_ * np.sqrt(open_)
    shade_by = 1.0 + (lit_by - 1.0) * np.where(eyes > 0.5, _NUMBERS["EYE_SHADE"], _NUMBERS["SKIN_SHADE"])
    wrap = np.clip(((normals @ key)[:, None] + c["WRAP"]) / (1.0 + c["WRAP"]), 0.0, 1.0)
    light = c["KEY_COLOUR"] * wrap * shade_by[:, None]
    light += c["FILL_COLOUR"] * (np.clip(0.8 * (normals @ fill) + 0.2, 0.0, 1.0) * shade_by)[:, None]
    sky = (normals[:, 1] * 0.5 + 0.5)[:, None]
    light += (c["GROUND"] + (c["SKY"] - c["GROUND"]) * sky) * lit_by[:, None]
    edge = (1.0 - np.clip((normals * view).sum(axis=1), 0.0, 1.0)) ** 3
    light += c["RIM_COLOUR"] * (np.clip(normals @ rim, 0.0, 1.0) * (0.25 + edge) * open_)[:, None]
    half = key + view
    gloss = np.clip((normals * half).sum(axis=1) / np.linalg.norm(half, axis=1), 0.0, 1.0) ** np.where(
        eyes > 0.5, 64, 16
    )
    shine = gloss * np.where(eyes > 0.5, _NUMBERS["EYE_SHINE"], _NUMBERS["SKIN_SHINE"]) * shade_by
    return base * light + shine[:, None]


def _tone(lit: Array) -> Array:
    """Return displayed values of linear light; what is bright is compressed."""
    result: Array = np.clip(np.sqrt(lit * (1.0 + lit / 5.0) / (1.0 + lit * 0.55)), 0.0, 1.0)
    return result


def eye_colours(directions: Array, white: Array) -> Array:
    """Return sRGB colours (n, 3) of points of an eyeball by their directions (n, 3): pupil, iris, dark rim, white."""
    unit = directions / np.maximum(np.linalg.norm(directions, axis=1, keepdims=True), 1e-12)
    across = np.hypot(unit[:, 0], unit[:, 1])[:, None]
    iris, limbus, pupil = (np.array(_COLOURS[name]) for name in ("IRIS_COLOUR", "LIMBUS", "PUPIL_COLOUR"))
    ring = iris + (limbus - iris) * _smooth(0.62 * IRIS, IRIS, across)
    disc = pupil + (ring - pupil) * _smooth(PUPIL - 0.02, PUPIL + 0.02, across)
    seen = disc + (white - disc) * _smooth(IRIS - 0.03, IRIS + 0.03, across)
    return np.where(unit[:, 2:] > 0, seen, white)


def _smooth(low: float, high: float, x: Array) -> Array:
    t = np.clip((x - low) / (high - low), 0.0, 1.0)
    result: Array = t * t * (3.0 - 2.0 * t)
    return result

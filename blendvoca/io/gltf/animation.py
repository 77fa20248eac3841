"""Animations of morph targets in glTF files, put on an even grid so that no key is lost."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import InputError, MissingInputError, nearest
from blendvoca.io.gltf.accessors import Accessors
from blendvoca.io.gltf.container import GltfFile, reading
from blendvoca.io.gltf.limits import FRAMES_PER_KEY, MOST_FRAMES
from blendvoca.io.gltf.scene import shape_names
from blendvoca.io.gltf.spelling import arkit_spellings, distinct

#: Name of the animation that a track becomes.
CLIP = "speech"
#: Rates that a file's keys may lie on, those that are tried first in front.
_USUAL_RATES = (60.0, 30.0, 24.0, 25.0, 50.0, 48.0, 100.0, 120.0, 24e3 / 1001, 30e3 / 1001, 60e3 / 1001, 240.0)
#: Even keys further apart than this are an artist's, not a recording's; and keys nearer than this are jumps.
_SLOWEST, _FASTEST = 12.0, 240.0
_POINTER = re.compile(r"/nodes/(\d+)/weights")


@dataclass(frozen=True, eq=False)
class Curve:
    """Weights of one node's shapes over time.

    :param times: (n,) seconds of the keys, not falling.
    :param values: (n, K) weights at the keys.
    :param tangents: (n, 2, K) slopes before and behind each key of a cubic curve, else None.
    :param stepped: whether a value holds until the next key.
    """

    names: tuple[str, ...]
    times: NDArray[np.float64]
    values: NDArray[np.float64]
    tangents: NDArray[np.float64] | None = None
    stepped: bool = False

    def at(self, moments: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the weights (m, K) at other times; before the first and after the last key they hold."""
        after = np.searchsorted(self.times, moments, side="right").clip(1, max(len(self.times) - 1, 1))
        before = after - 1
        if len(self.times) == 1:
            return np.repeat(self.values, len(moments), axis=0)
        gap = self.times[after] - self.times[before]
        part = ((moments - self.times[before]) / np.where(gap > 0, gap, 1.0)).clip(0, 1)[:, None]
        first, last = self.values[before], self.values[after]
        if self.stepped:
            return np.where(part >= 1, last, first)
        if self.tangents is None:
            return first + part * (last - first)
        rise, fall = self.tangents[before, 1] * gap[:, None], self.tangents[after, 0] * gap[:, None]
        # Cubic Hermite spline (glTF 2.0, appendix C).
        squared, cubed = part**2, part**3
        return np.asarray(
            (2 * cubed - 3 * squared + 1) * first
            + (cubed - 2 * squared + part) * rise
            + (3 * squared - 2 * cubed) * last
            + (cubed - squared) * fall
        )


@dataclass(frozen=True, eq=False)
class Motion:
    """An animation on an even grid.

    :param values: (T, K) weights as the file has them, not clipped.
    :param names: ARKit's where the spelling is known.
    :param fps: frames per second.
    :param clip: name of the animation.
    :param clips: names of all animations of morph targets in the file.
    :param notes: what was chosen, moved or left out.
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]
    fps: float
    clip: str
    clips: tuple[str, ...]
    notes: list[str] = field(default_factory=list)


def clip_names(file: GltfFile) -> tuple[str, ...]:
    """Return the names of the animations that move morph targets; numbers stand in where there is none.

    :raises FormatError: for animations that are none.
    """
    with reading(file.path, "its animations"):
        return tuple(name for name, _ in _clips(file))


def read_motion(file: GltfFile, clip: str | None = None) -> Motion:
    """Return an animation of morph targets on an even grid: the one of this name, or the first.

    :raises MissingInputError: if there is none.
    :raises InputError: if there is none of that name.
    :raises FormatError: if it is broken.
    """
    with reading(file.path, "its animations"):
        clips = _clips(file)
        names = tuple(name for name, _ in clips)
        if not clips:
            raise MissingInputError("no animation of morph targets in it", path=file.path)
        if clip is not None and clip not in names:
            raise InputError(f"no animation {clip!r}{nearest(clip, names)}", path=file.path,
                             expected=f"one of {', '.join(names)[:300]}")  # fmt: skip
        chosen = names.index(clip) if clip is not None else _usual(clips)
        notes = []
        if clip is None and len(clips) > 1:
            listed = ", ".join(names)[:300]
            notes.append(f"{len(clips)} animations: {listed}; took {names[chosen]} (choose with --clip)")
        animation = clips[chosen][1]
        curves = _curves(file, animation)
        grid, fps, snaps = _grid(curves, animation)
        notes += snaps
        shapes = len({name for curve in curves for name in curve.names})
        # The columns, a copy that is clipped, and the work on each curve.
        file.budget.charge(len(grid) * (12 * shapes + sum(len(curve.names) for curve in curves)))
        values, columns = _joined(curves, grid, fps, notes)
        return Motion(values, columns, fps, names[chosen], names, notes)


def _usual(clips: list[tuple[str, dict[str, Any]]]) -> int:
    """Return which clip is read unless one is named: the last that this project added, else the first."""
    own = [n for n, (name, animation) in enumerate(clips) if name.startswith(CLIP) and _stated_rate(animation)]
    return own[-1] if own else 0


def _stated_rate(animation: dict[str, Any]) -> float | None:
    """Return the rate that an animation states; this project's own do, since their times are float32."""
    extras = animation.get("extras")
    stated = extras.get("fps") if isinstance(extras, dict) else None
    known = isinstance(stated, (int, float)) and not isinstance(stated, bool) and 1 <= stated <= 1000
    return float(stated) if known else None  # type: ignore[arg-type]


def _clips(file: GltfFile) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for index, animation in enumerate(file.entries("animations")):
        if any(weights_node(channel) is not None for channel in animation.get("channels", [])):
            found.append((str(animation.get("name") or f"animation {index}"), animation))
    return list(zip(distinct([name for name, _ in found]), [animation for _, animation in found]))


def weights_node(channel: dict[str, Any]) -> int | None:
    """Return the node whose weights a channel moves."""
    target = channel["target"]
    if target.get("path") == "weights":
        return target.get("node")
    pointer = target.get("extensions", {}).get("KHR_animation_pointer", {}).get("pointer", "")
    found = _POINTER.fullmatch(str(pointer))
    return int(found[1]) if found else None


def _curves(file: GltfFile, animation: dict[str, Any]) -> list[Curve]:
    accessors, curves = Accessors(file), []
    for channel in animation["channels"]:
        node = weights_node(channel)
        if node is None or "mesh" not in file.entry("nodes", node):
            continue
        names = mesh_shapes(file.entry("meshes", file.entry("nodes", node)["mesh"]))
        if names:
            curves.append(_curve(accessors, animation["samplers"][channel["sampler"]], names))
    if not curves:
        raise ValueError("an animation of morph targets that no mesh has")
    return curves


def mesh_shapes(mesh: dict[str, Any]) -> tuple[str, ...]:
    """Return the names of a mesh's morph targets, as its file spells them."""
    for primitive in mesh["primitives"]:
        if primitive.get("targets"):
            return shape_names(mesh, primitive, len(primitive["targets"]))
    return ()


def _curve(accessors: Accessors, sampler: dict[str, Any], names: tuple[str, ...]) -> Curve:
    times = accessors.read(sampler["input"])[:, 0]
    kind = sampler.get("interpolation", "LINEAR")
    if kind not in ("LINEAR", "STEP", "CUBICSPLINE"):
        raise ValueError(f"interpolation {str(kind)[:20]!r}")
    if not len(times) or not np.isfinite(times).all() or (np.diff(times) < 0).any() or times[0] < 0:
        raise ValueError("key times that are no animation")
    weights = accessors.read(sampler["output"]).reshape(-1)
    rows = len(times) * (3 if kind == "CUBICSPLINE" else 1)
    if weights.size != rows * len(names):
        raise ValueError(f"{weights.size} weights for {len(times)} keys of {len(names)} shapes")
    if not np.isfinite(weights).all():
        raise ValueError("weights that are not finite")
    table = weights.reshape(len(times), -1, len(names))
    if kind == "CUBICSPLINE":
        # A cubic key holds in-tangent, value, out-tangent.
        return Curve(names, times, table[:, 1], table[:, [0, 2]])
    return Curve(names, times, table[:, 0], stepped=kind == "STEP")


def _grid(curves: list[Curve], animation: dict[str, Any]) -> tuple[NDArray[np.float64], float, list[str]]:
    """Return frame times that hold all keys, their rate, and what to say about it."""
    keys = np.unique(np.concatenate([curve.times for curve in curves]))
    notes = [] if keys[0] < 1e-6 else [f"its first key is at {keys[0]:.4g} s: the track begins there"]
    straight = all(not curve.stepped and curve.tangents is None for curve in curves)
    fps, exact = _rate(keys, straight, _stated_rate(animation))
    steps = (keys[-1] - keys[0]) * fps
    # Two keys a moment apart and one far away would ask for years of frames.
    if not steps < MOST_FRAMES + FRAMES_PER_KEY * len(keys):
        raise ValueError(f"key times that are no animation: {steps:.3g} frames between {len(keys)} keys")
    grid = keys[0] + np.arange(round(steps) + 1) / fps
    if not exact:
        off = np.abs((keys - keys[0]) * fps - np.round((keys - keys[0]) * fps)).max() / fps
        notes.append(f"keys at uneven times: put on {fps:g} frames a second, moved by {1e3 * off:.2g} ms at most")
    return grid, fps, notes


def _rate(keys: NDArray[np.float64], straight: bool, stated: float | None) -> tuple[float, bool]:
    """Return a rate, and whether all keys lie on its frames."""
    if stated is not None and _fits(keys, stated):
        return stated, True
    if len(keys) < 2:
        return _USUAL_RATES[0], True
    even = (len(keys) - 1) / (keys[-1] - keys[0])
    if even < 1000 and _fits(keys, even):
        near = [rate for rate in (float(round(even)), *_USUAL_RATES) if abs(rate - even) < 1e-3 * even]
        rate = next((rate for rate in near if rate > 0 and _fits(keys, rate)), even)
        if (straight and rate >= _SLOWEST) or rate >= 2 * _SLOWEST:
            return rate, True
    usual = next((rate for rate in _USUAL_RATES if _fits(keys, rate)), None)
    if usual is not None:
        return usual, True
    gaps = np.diff(keys)
    gaps = gaps[gaps >= 1 / _FASTEST]
    return float(np.ceil(1 / gaps.min()).clip(_USUAL_RATES[0], _FASTEST)) if len(gaps) else _FASTEST, False


def _fits(keys: NDArray[np.float64], rate: float) -> bool:
    """Whether keys lie on frames of a rate; their times are float32, or rounded to microseconds."""
    frames = (keys - keys[0]) * rate
    off = np.abs(frames - np.round(frames)) / rate
    return bool((off <= 1e-6 + 2.4e-7 * np.abs(keys)).all())


def _joined(
    curves: list[Curve], grid: NDArray[np.float64], fps: float, notes: list[str]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return all curves on the grid (T, K), a shape that several meshes have once, and the names."""
    columns: dict[str, NDArray[np.float64]] = {}
    differ: list[str] = []
    for curve in curves:
        values = curve.at(grid)
        # A key between two frames gives its value to the nearer one.
        nearest_frame = np.round((curve.times - grid[0]) * fps).astype(int).clip(0, len(grid) - 1)
        values[nearest_frame] = curve.values
        for name, column in zip(arkit_spellings(curve.names), values.T):
            if name not in columns or np.ptp(column) > np.ptp(columns[name]):
                old, columns[name] = columns.get(name, column), column.copy()
            else:
                old = columns[name]
            if np.ptp(old) > 0 and np.ptp(column) > 0 and np.abs(old - column).max() > 1e-3:
                differ.append(name)
    if differ:
        notes.append(f"meshes move {len(differ)} shapes differently ({', '.join(differ[:3])}): took the larger motion")
    return np.stack(list(columns.values()), axis=1), tuple(columns)

"""Editing coefficient tracks (paper 4.2.4): which parts stay, and how smooth the borders of the new ones are.

A mask says 1 for what is kept and 0 for what is generated anew;
:class:`~said_model.diffusion.sampler.InpaintingConstraint` does the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
from numpy.typing import ArrayLike, NDArray

from blendvoca.errors import InputError, TrackError, nearest
from blendvoca.track import CoefficientTrack

Mask = NDArray[np.float64]
#: Frames over which a new part is bent so that it goes on from what is kept: a quarter of a second.
JOIN_FRAMES = 15


def parse_range(text: str, fps: float, n_frames: int) -> slice:
    """Read a time range in seconds, ``0:1.2``, ``2.5:`` or ``:3``, as frames.

    :raises InputError: if it is none, or lies outside the track.
    """
    parts = text.split(":")
    try:
        if len(parts) != 2:
            raise ValueError
        start, stop = (float(part) if part.strip() else None for part in parts)
        if not np.isfinite([second for second in (start, stop) if second is not None]).all():
            raise ValueError
    except ValueError:
        raise InputError("unreadable time range", expected="seconds, like 0:1.2 or 2.5:", found=repr(text)) from None
    first = 0 if start is None else round(start * fps)
    last = n_frames if stop is None else min(round(stop * fps), n_frames)
    if not 0 <= first < last:
        raise InputError(
            "a time range holds no frame of the track", expected=f"inside 0 to {n_frames / fps:g} s", found=repr(text)
        )
    return slice(first, last)


def match_names(patterns: Sequence[str], names: Sequence[str]) -> NDArray[np.bool_]:
    """Return which of ``names`` match a pattern such as ``jawOpen`` or ``mouth*``: (K,).

    :raises TrackError: for a pattern that matches none.
    """
    chosen = np.zeros(len(names), dtype=bool)
    for pattern in patterns:
        hits = [fnmatchcase(name, pattern) for name in names]
        if not any(hits):
            what = f"no blendshape is called {pattern!r}{nearest(pattern, names)}"
            raise TrackError(what, expected="one of " + ", ".join(names))
        chosen |= hits
    return chosen


def build_mask(
    n_frames: int,
    names: Sequence[str],
    fps: float,
    *,
    keep: Sequence[str] = (),
    pin: Sequence[str] = (),
    redo: Sequence[str] = (),
) -> Mask:
    """Make a mask (T, K) of 1 (kept) and 0 (generated anew).

    :param n_frames: T of the track.
    :param names: its K blendshapes.
    :param fps: its frames per second.
    :param keep: time ranges in which everything stays.
    :param pin: blendshapes that stay at all times.
    :param redo: blendshapes that may change; all, where none is given.
    :raises InputError: for ranges or names that match nothing, or where nothing is left to generate.
    """
    free = np.ones((n_frames, len(names)), dtype=bool)
    for text in keep:
        free[parse_range(text, fps, n_frames)] = False
    if redo:
        free &= match_names(redo, names)
    if pin:
        free &= ~match_names(pin, names)
    if not free.any():
        raise InputError("everything is kept, nothing is left to generate", remedy="Keep or pin less.")
    return np.where(free, 0.0, 1.0)


def checked_mask(mask: ArrayLike, shape: tuple[int, ...]) -> Mask:
    """Return anything that broadcasts to (T, K) as a mask of that shape.

    :raises TrackError: if it has another shape.
    :raises InputError: for values that are not 0 to 1.
    """
    array = np.asarray(mask, dtype=np.float64)
    try:
        whole = np.broadcast_to(array, shape)
    except ValueError:
        raise TrackError("the mask does not fit the track", expected=shape, found=array.shape) from None
    if not ((array >= 0) & (array <= 1)).all():
        raise InputError("a mask holds shares", expected="0 (generated) to 1 (kept)", found=f"{array.min():g} to "
                         f"{array.max():g}")  # fmt: skip
    return whole


def mask_of_track(mask: CoefficientTrack, track: CoefficientTrack) -> Mask:
    """Take a mask from the authors' CSV form (a table like a track's, 1 = keep), columns by name.

    :raises TrackError: if it does not fit the track.
    """
    if len(mask) != len(track):
        raise TrackError("the mask has another length than the track", expected=len(track), found=len(mask))
    return mask.select(track.names).values


def check_edit(track: CoefficientTrack, names: Sequence[str], fps: float, n_frames: int) -> None:
    """Check that a track belongs to a model and to sound.

    :param names: the model's blendshapes.
    :param fps: the model's frames per second.
    :param n_frames: frames that the sound lasts.
    :raises TrackError: if it lacks blendshapes, or has another rate or length.
    """
    missing = [name for name in names if name not in track.names]
    if missing:
        raise TrackError(
            "the track lacks blendshapes of the model", expected=f"the model's {len(names)} names",
            found="no " + ", ".join(name + nearest(name, track.names) for name in missing),
            remedy="Add them as columns of zeros, or edit with another model.",
        )  # fmt: skip
    if track.fps != fps:
        raise TrackError(
            "another frame rate", expected=f"{fps:g} fps", found=f"{track.fps:g} fps",
            remedy="Use track.resampled(fps).",
        )  # fmt: skip
    if abs(n_frames - len(track)) > max(0.05 * len(track), 0.25 * track.fps):
        raise TrackError(
            "sound and track differ in length", expected=f"{len(track)} frames", found=f"{n_frames} frames of sound"
        )


@dataclass(frozen=True)
class Borders:
    """How the motion crosses from kept to new parts: changes from frame to frame, in coefficients.

    :param count: places in time and blendshape where kept and new meet.
    :param velocity: mean change across a border.
    :param worst: the largest.
    :param usual_velocity: mean change inside the kept parts next to borders' blendshapes.
    :param acceleration: mean change of the change around a border.
    :param usual_acceleration: inside the kept parts.
    """

    count: int
    velocity: float
    worst: float
    usual_velocity: float
    acceleration: float
    usual_acceleration: float

    def __str__(self) -> str:
        if not self.count:
            return "no borders in time"
        return (
            f"{self.count} borders: {self.velocity:.4f} a frame (elsewhere {self.usual_velocity:.4f}), worst "
            f"{self.worst:.4f}; change of speed {self.acceleration:.4f} (elsewhere {self.usual_acceleration:.4f})"
        )


def measure_borders(values: NDArray[np.float64], mask: Mask) -> Borders:
    """Measure a track (T, K) where its mask changes over time.

    "Elsewhere" is every other step of the blendshapes that have a border.
    """
    kept = np.asarray(mask) > 0.5
    border = kept[1:] != kept[:-1]
    step = np.abs(np.diff(values, axis=0))
    bend = np.abs(np.diff(values, n=2, axis=0))
    bent = border[1:] | border[:-1]
    crossed = border.any(axis=0)
    return Borders(
        int(border.sum()),
        _mean(step[border]),
        float(step[border].max(initial=0.0)),
        _mean(step[:, crossed][~border[:, crossed]]),
        _mean(bend[bent]),
        _mean(bend[:, crossed][~bent[:, crossed]]),
    )


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else 0.0


def join_borders(values: NDArray[np.float64], mask: Mask, reach: int = JOIN_FRAMES) -> NDArray[np.float64]:
    """Bend the new parts of a track (T, K) so that they go on from the kept ones in value and speed.

    What is added to a new part is a cubic that is gone ``reach`` frames from its border; kept frames stay.
    """
    joined = values.copy()
    for column in range(values.shape[1]):
        free = np.asarray(mask)[:, column] < 0.5
        edges = np.flatnonzero(np.diff(np.concatenate([[False], free, [False]]).astype(int)))
        for start, stop in zip(edges[::2], edges[1::2]):
            bend = np.zeros(stop - start)
            if start > 0:
                bend += _bend(values[:, column], start, stop - start, reach)
            if stop < len(values):
                bend += _bend(values[::-1, column], len(values) - stop, stop - start, reach)[::-1]
            joined[start:stop, column] = (joined[start:stop, column] + bend).clip(0.0, 1.0)
    return joined


def _bend(values: NDArray[np.float64], start: int, count: int, reach: int) -> NDArray[np.float64]:
    """Return what ``count`` new frames from ``start`` on need so that they go on from the frames before."""
    kept, new = values[max(start - 3, 0) : start], values[start : start + min(count, 3)]
    slope_kept = (kept[-1] - kept[0]) / max(len(kept) - 1, 1)
    slope_new = (new[-1] - new[0]) / max(len(new) - 1, 1)
    gap = new[0] - slope_new - kept[-1]
    length = min(reach, count + 1)
    u = np.minimum(np.arange(1, count + 1) / length, 1.0)
    # Hermite's cubics: value one and slope nought at the border, and the other way round; both end at nought.
    return -gap * (1 + 2 * u) * (1 - u) ** 2 + (slope_kept - slope_new) * length * u * (1 - u) ** 2


@dataclass(frozen=True, eq=False)
class Edited:
    """An edited track and how smooth its borders are."""

    track: CoefficientTrack
    borders: Borders

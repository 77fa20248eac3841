"""Coefficient tracks: the motion of named blendshapes over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import mirror_permutation
from blendvoca.errors import TrackError
from blendvoca.internal.lazy import html_by
from blendvoca.internal.names import check_labels, places_of

#: Rounding outside [0, 1] that is put back inside without a word.
RANGE_TOLERANCE = 1e-6
#: Frames per second, far around what any camera takes.
LOWEST_FPS, HIGHEST_FPS = 1e-3, 1e5


@dataclass(frozen=True, eq=False)
class CoefficientTrack:
    """T frames of K blendshape coefficients.

    :param values: (T, K) coefficients in [0, 1]; stored as read-only float64.
    :param names: the K blendshape names, in column order.
    :param fps: frames per second.
    :raises TrackError: for wrong shapes, repeated names, values that are not finite or not in [0, 1].
    """

    values: NDArray[np.float64]
    names: tuple[str, ...]
    fps: float

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        names = tuple(self.names)
        if values.ndim != 2 or len(values) == 0 or values.shape[1] != len(names) or not names:
            raise TrackError("a track has a wrong shape", expected=f"(T > 0, {len(names)} names)", found=values.shape)
        check_labels(names, "blendshape", TrackError)
        if not LOWEST_FPS <= self.fps <= HIGHEST_FPS:
            expected = f"a positive number, {LOWEST_FPS:g} to {HIGHEST_FPS:g}"
            raise TrackError("wrong frame rate", expected=expected, found=self.fps)
        if not np.isfinite(values).all():
            frame, column = np.argwhere(~np.isfinite(values))[0]
            raise TrackError("coefficients are not finite", found=f"{names[column]} at frame {frame}")
        if values.min() < -RANGE_TOLERANCE or values.max() > 1 + RANGE_TOLERANCE:
            frame, column = np.argwhere((values < -RANGE_TOLERANCE) | (values > 1 + RANGE_TOLERANCE))[0]
            raise TrackError(
                "coefficients out of range",
                expected="0 to 1",
                found=f"{names[column]} = {values[frame, column]:g} at frame {frame}",
                remedy="Clip or scale them first.",
            )
        values = values.clip(0.0, 1.0)
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "fps", float(self.fps))

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:3]) + (f" … {self.names[-1]}" if len(self.names) > 3 else "")
        facts = f"{len(self)} frames, {len(self.names)} shapes, {self.fps:g} fps"
        return f"CoefficientTrack({facts}, {self.duration:.2f} s,\n  {shown}; values 0 to {self.values.max():.2f})"

    _repr_html_ = html_by("track_html")

    @property
    def duration(self) -> float:
        """Seconds: frames over frame rate."""
        return len(self) / self.fps

    def columns(self, names: Sequence[str]) -> list[int]:
        """Return the columns of ``names``.

        :param names: blendshapes of this track.
        :raises TrackError: naming those the track lacks.
        """
        return places_of(names, self.names, "track", TrackError)

    def select(self, names: Sequence[str]) -> CoefficientTrack:
        """Return the columns of ``names``, in that order.

        :param names: blendshapes of this track, in the order wanted.
        """
        return CoefficientTrack(self.values[:, self.columns(names)], tuple(names), self.fps)

    def mirrored(self) -> CoefficientTrack:
        """Return the track with left and right exchanged."""
        return CoefficientTrack(self.values[:, mirror_permutation(self.names)], self.names, self.fps)

    def resampled(self, fps: float) -> CoefficientTrack:
        """Return the track at another frame rate by linear interpolation (paper supplement 9).

        Frame n stands at n / fps seconds; the last frame is the last one inside the old time span, or repeats its end.

        :param fps: frames per second.
        """
        if not (np.isfinite(fps) and fps > 0):
            raise TrackError("wrong frame rate", expected="a positive number", found=fps)
        count = max(round(len(self) * fps / self.fps), 1)
        old, new = np.arange(len(self)) / self.fps, np.arange(count) / fps
        values = np.stack([np.interp(new, old, column) for column in self.values.T], axis=1)
        return CoefficientTrack(values, self.names, fps)

    def max_step(self) -> float:
        """Return the largest change of a coefficient between neighbouring frames."""
        return float(np.abs(np.diff(self.values, axis=0)).max(initial=0.0))

    def to_csv(self, path: str | PathLike[str]) -> None:
        """Write the track in the authors' CSV format (:func:`blendvoca.io.track.csv.write_track`).

        :param path: of the file.
        """
        from blendvoca.io.track.csv_write import write_coefficients

        write_coefficients(path, self.names, self.values, self.fps)

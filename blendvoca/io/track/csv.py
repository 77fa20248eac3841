"""Coefficient tracks as CSV in the authors' format: one header line of blendshape names, one line a frame."""

from __future__ import annotations

from blendvoca.io.files import StrPath
from blendvoca.io.track.csv_write import write_coefficients
from blendvoca.io.track.read import read_track_file
from blendvoca.io.track.samples import TrackOptions
from blendvoca.speakers import VOCASET_FPS
from blendvoca.track import CoefficientTrack


def read_track(path: StrPath, fps: float = VOCASET_FPS) -> CoefficientTrack:
    """Read a coefficient table (:func:`blendvoca.io.track.read.read_track_file` says what was changed).

    :param path: of the file.
    :param fps: frames per second of a table that does not state them.
    :raises MissingInputError: if the file cannot be read.
    :raises FormatError: if it is no such table.
    :raises TrackError: for values that are no coefficients.
    """
    return read_track_file(path, TrackOptions(default_fps=fps)).track


def write_track(path: StrPath, track: CoefficientTrack) -> None:
    """Write a track atomically, with the fewest digits that give back every float32."""
    write_coefficients(path, track.names, track.values, track.fps)

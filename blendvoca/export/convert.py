"""Tracks in any form that is read here, and every form that is written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from os import PathLike
from pathlib import Path

from blendvoca.errors import ConfigurationError, InputError, MissingInputError, TrackError, nearest
from blendvoca.export.kinds import KINDS, WITH_RIG
from blendvoca.export.recipes import RECIPES, load_recipe, to_recipe
from blendvoca.export.rigs import no_report
from blendvoca.export.vrm import save_vrma
from blendvoca.io.gltf.container import SUFFIXES as GLTF_SUFFIXES
from blendvoca.io.rig import gltf_write as gltf
from blendvoca.io.rig import usd
from blendvoca.io.rig.gltf_read import read_gltf_track
from blendvoca.io.track import json_write, livelink
from blendvoca.io.track.csv import write_track
from blendvoca.io.track.read import read_track_file
from blendvoca.io.track.samples import TrackOptions
from blendvoca.rig import BlendshapeRig
from blendvoca.shard.reader import open_shard
from blendvoca.speakers import VOCASET_FPS
from blendvoca.track import CoefficientTrack

#: Frame rate of tracks whose file does not state one.
DEFAULT_FPS = VOCASET_FPS


def _write_recipe(recipe: str, path: Path, track: CoefficientTrack) -> None:
    json_write.write_json(path, to_recipe(track, load_recipe(recipe)))


def _write_vrma(kind: str, path: Path, track: CoefficientTrack) -> None:
    save_vrma(path, track, kind=kind)


_WRITERS: dict[str, Callable[[Path, CoefficientTrack], None]] = {
    "csv": write_track,
    "json": json_write.write_json,
    "livelink": livelink.write_livelink,
    **{recipe: partial(_write_recipe, recipe) for recipe in RECIPES},
    **{kind: partial(_write_vrma, kind) for kind in ("vrma", "vrma-arkit")},
}


def load_track(
    source: str | PathLike[str],
    fps: float | None = None,
    *,
    clip: str | None = None,
    names: tuple[str, ...] | None = None,
    fill: bool = False,
    keep_others: bool = False,
    on_report: Callable[[str], None] = no_report,
    on_remark: Callable[[str], None] = no_report,
) -> CoefficientTrack:
    """Read a track: table, Live Link capture, JSON, array, glTF animation, or ``SHARD.h5:SENTENCE``.

    :param source: a coefficient table, a Live Link capture, JSON, a glTF file with an animation, or
        ``SHARD.h5:SENTENCE``.
    :param fps: frames per second, whatever the file says; by default the file's, else 60.
    :param clip: which animation of a glTF file, by name; the first where it is None.
    :param names: names of the columns, for files that hold none.
    :param fill: interpolate across gaps of any length.
    :param keep_others: keep columns whose names are none of ARKit's.
    :param on_report: is called with every sentence about what was changed, clipped or left out.
    :param on_remark: is called with every sentence about what was taken for granted.
    :raises MissingInputError: if there is no such file, or no animation in it.
    :raises FormatError: if it holds no track.
    :raises TrackError: for a rate that is not positive, or gaps that are not to be filled.
    """
    options = TrackOptions(fps, DEFAULT_FPS, names, fill, keep_others)
    if fps is not None and not 0 < fps < float("inf"):
        raise TrackError("wrong frame rate", expected="a positive number", found=fps, remedy="Such as --fps-in 60.")
    track = _stated(str(source), clip, on_report)
    if track is not None:
        if fps is not None and abs(track.fps - fps) > 1e-3 * fps:
            on_report(f"its time fits {track.fps:g} frames per second: read at {fps:g}, as stated")
        return track if fps is None else CoefficientTrack(track.values, track.names, fps)
    reading = read_track_file(source, options)
    for sentence in reading.notes:
        on_report(sentence)
    for sentence in reading.remarks:
        on_remark(sentence)
    return reading.track


def _stated(source: str, clip: str | None, on_report: Callable[[str], None]) -> CoefficientTrack | None:
    """Return a track of a file that always states its rate; nothing for other files."""
    if ".h5:" in source:
        shard, _, sentence = source.rpartition(":")
        return open_shard(shard).clip(sentence, audio=False).track
    path = Path(source)
    if not path.exists():
        raise MissingInputError("no such track", path=path, remedy="A clip of a shard is named SHARD.h5:sentence01.")
    suffix = path.suffix.lower()
    if clip is not None and suffix not in GLTF_SUFFIXES:
        raise ConfigurationError("--clip chooses an animation", expected="a glTF file", found=path.name)
    if suffix in GLTF_SUFFIXES:
        found = read_gltf_track(path, clip)
        for note in found.notes:
            on_report(note)
        return found.track
    if suffix == ".h5":
        raise InputError("which clip?", path=path, expected="SHARD.h5:SENTENCE", found=path.name)
    return None


def checked_suffix(path: str | PathLike[str], kind: str) -> Path:
    """Return the path of a file of some kind.

    :raises ConfigurationError: if its suffix is another kind's.
    """
    suffixes = usd.SUFFIXES if kind == "usd" else (KINDS.get(kind),)
    if kind in KINDS and Path(path).suffix.lower() not in suffixes:
        expected = " or ".join(str(suffix) for suffix in suffixes)
        raise ConfigurationError(f"a file of kind {kind} has another suffix", expected=expected, found=Path(path).name)
    return Path(path)


def save(
    path: str | PathLike[str],
    kind: str,
    track: CoefficientTrack,
    rig: BlendshapeRig | None = None,
    surfaces: Sequence[gltf.Surface] = (),
) -> None:
    """Write a track as one of :data:`KINDS`.

    :param surfaces: the rig's triangles by material, for ``glb``; all skin without.
    :raises ConfigurationError: for an unknown kind, a suffix of another one, or one that needs a rig and has none.
    """
    checked_suffix(path, kind)
    if kind in WITH_RIG:
        if rig is None:
            raise ConfigurationError(f"{kind} holds the face itself", expected="a rig", remedy="Name one with --rig.")
        if kind == "glb":
            gltf.write_glb(path, rig, track, surfaces=surfaces)
        else:
            usd.write_usd(path, rig, track)
    elif kind in _WRITERS:
        _WRITERS[kind](Path(path), track)
    else:
        unknown = f"unknown kind of output {kind!r}{nearest(kind, KINDS)}"
        raise ConfigurationError(unknown, expected=f"one of {', '.join(KINDS)}")

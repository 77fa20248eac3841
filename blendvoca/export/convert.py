"""One door for tracks and rigs in any form that is read here, and one for every form that is written."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from os import PathLike
from pathlib import Path

from blendvoca.errors import ConfigurationError, InputError, MissingInputError, TrackError, nearest
from blendvoca.export.retarget import RECIPES, load_recipe, to_recipe
from blendvoca.export.rigs import no_report
from blendvoca.io.gltf.container import SUFFIXES as GLTF_SUFFIXES
from blendvoca.io.rig import gltf_write as gltf
from blendvoca.io.rig import usd
from blendvoca.io.rig.gltf_read import read_gltf_track
from blendvoca.io.track import arkit_json
from blendvoca.io.track import livelink_write as livelink
from blendvoca.io.track.csv import read_track, write_track
from blendvoca.io.track.livelink_read import read_livelink
from blendvoca.rig import BlendshapeRig
from blendvoca.shard.reader import open_shard
from blendvoca.speakers import VOCASET_FPS
from blendvoca.track import CoefficientTrack

#: Frame rate of tracks whose file does not state one.
DEFAULT_FPS = VOCASET_FPS


def _write_recipe(recipe: str, path: Path, track: CoefficientTrack) -> None:
    arkit_json.write_json(path, to_recipe(track, load_recipe(recipe)))


_WRITERS: dict[str, Callable[[Path, CoefficientTrack], None]] = {
    "csv": write_track,
    "json": arkit_json.write_json,
    "livelink": livelink.write_livelink,
    **{recipe: partial(_write_recipe, recipe) for recipe in RECIPES},
}
_RIG_WRITERS: dict[str, Callable[[Path, BlendshapeRig, CoefficientTrack], None]] = {
    "glb": gltf.write_glb,
    "usd": usd.write_usd,
}
#: Kinds of output with the suffix a file of theirs gets by default.
KINDS: dict[str, str] = {
    "glb": ".glb", "usd": ".usdc", "livelink": ".csv", "csv": ".csv", "json": ".json", "oculus": ".json", "vrm": ".json"
}  # fmt: skip


def load_track(
    source: str | PathLike[str],
    fps: float | None = None,
    *,
    clip: str | None = None,
    on_report: Callable[[str], None] = no_report,
) -> CoefficientTrack:
    """Read a track: coefficient CSV, Live Link CSV, JSON, glTF animation, or ``SHARD.h5:SENTENCE``.

    :param fps: frames per second of a CSV that does not state it (60 by default); elsewhere it must agree.
    :param clip: which animation of a glTF file, by name; the first where it is None.
    :param on_report: is called with every sentence about what was chosen, moved, clipped or left out.
    :raises MissingInputError: if there is no such file, or no animation in it.
    :raises TrackError: for a rate that is not positive.
    :raises InputError: if it states another frame rate than ``fps``.
    """
    if fps is not None and not 0 < fps < float("inf"):
        raise TrackError("wrong frame rate", expected="a positive number", found=fps, remedy="Such as --fps-in 60.")
    track, stated = _load(str(source), fps, clip, on_report)
    if fps is not None and stated and abs(track.fps - fps) > 1e-3 * fps:
        raise InputError("the file states its own frame rate", expected=f"{track.fps:g}", found=f"{fps:g}",
                         path=source, remedy="Leave it out, or resample with --fps.")  # fmt: skip
    return track


def _load(
    source: str, fps: float | None, clip: str | None, on_report: Callable[[str], None]
) -> tuple[CoefficientTrack, bool]:
    """Return the track, and whether its file states the frame rate."""
    if ".h5:" in source:
        shard, _, sentence = source.rpartition(":")
        return open_shard(shard).clip(sentence, audio=False).track, True
    path = Path(source)
    if not path.is_file():
        raise MissingInputError("no such track", path=path, remedy="A clip of a shard is named SHARD.h5:sentence01.")
    suffix = path.suffix.lower()
    if clip is not None and suffix not in GLTF_SUFFIXES:
        raise ConfigurationError("--clip chooses an animation", expected="a glTF file", found=path.name)
    if suffix == ".json":
        return arkit_json.read_json(path), True
    if suffix in GLTF_SUFFIXES:
        found = read_gltf_track(path, clip)
        for note in found.notes:
            on_report(note)
        return found.track, True
    if suffix == ".h5":
        raise InputError("which clip?", path=path, expected="SHARD.h5:SENTENCE", found=path.name)
    with path.open("rb") as file:
        captured = b"timecode" in file.read(64).lower()
    # A capture's rate is worked out from its time codes, and may be overruled.
    return (read_livelink(path, fps).track, False) if captured else (read_track(path, fps or DEFAULT_FPS), False)


def save(path: str | PathLike[str], kind: str, track: CoefficientTrack, rig: BlendshapeRig | None = None) -> None:
    """Write a track as one of :data:`KINDS`.

    :raises ConfigurationError: for an unknown kind, a suffix of another one, or one that needs a rig and has none.
    """
    suffixes = usd.SUFFIXES if kind == "usd" else (KINDS.get(kind),)
    if kind in KINDS and Path(path).suffix.lower() not in suffixes:
        expected = " or ".join(str(suffix) for suffix in suffixes)
        raise ConfigurationError(f"a file of kind {kind} has another suffix", expected=expected, found=Path(path).name)
    if kind in _RIG_WRITERS:
        if rig is None:
            raise ConfigurationError(f"{kind} holds the face itself", expected="a rig", remedy="Name one with --rig.")
        _RIG_WRITERS[kind](Path(path), rig, track)
    elif kind in _WRITERS:
        _WRITERS[kind](Path(path), track)
    else:
        unknown = f"unknown kind of output {kind!r}{nearest(kind, KINDS)}"
        raise ConfigurationError(unknown, expected=f"one of {', '.join(KINDS)}")

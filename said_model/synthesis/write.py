"""Tracks with their sound in the form that a file's name asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from blendvoca.errors import ConfigurationError, OutputError, nearest
from blendvoca.export.convert import KINDS, save
from blendvoca.export.rigs import fitted_to, load_rig, no_report, spoken_with
from blendvoca.export.vrm import ARKIT, PRESET, save_vrma
from blendvoca.internal.progress import Progress, no_progress
from blendvoca.io.gltf.container import SUFFIXES as GLTF_SUFFIXES
from blendvoca.io.track.livelink import write_livelink
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from blendvoca.audio import Waveform

#: Suffix of a file with the kind that it holds.
SUFFIXES: dict[str, str] = {
    ".csv": "csv", ".json": "json", ".glb": "glb", ".usd": "usd", ".usda": "usd", ".usdc": "usd",
    ".vrma": "vrma", ".mp4": "mp4", ".html": "page",
}  # fmt: skip
#: Kinds with the suffix that a file of theirs gets in a folder.
SUFFIX_OF: dict[str, str] = {**KINDS, "mp4": ".mp4", "page": ".html"}
#: Kinds that have sound.
WITH_SOUND = ("mp4", "page")
#: Kinds that hold the head's motion too.
WITH_HEAD = ("livelink", PRESET, ARKIT)
#: Kinds that show or hold a face.
_WITH_FACE = ("glb", "usd", "mp4", "page")


def kind_of(path: Path, kind: str | None = None) -> str | None:
    """Return what a file is to hold, by its suffix or as stated; nothing where the path is a folder's.

    ``livelink.csv``, and a name that ends in ``.livelink.csv``, ``-livelink.csv`` or ``_livelink.csv``, is a Live Link
    capture.

    :param path: of the output.
    :param kind: what was asked for, whatever the name says: one of :data:`SUFFIX_OF`.
    :raises ConfigurationError: for a suffix that is no kind's, or another kind's.
    """
    if kind is not None and kind not in SUFFIX_OF:
        unknown = f"unknown kind of output {kind!r}{nearest(kind, SUFFIX_OF)}"
        raise ConfigurationError(unknown, expected=", ".join(SUFFIX_OF))
    suffix = path.suffix.lower()
    # "guidance-0.25" is a folder's name.
    if not suffix or suffix[1:].isdigit() or path.is_dir():
        return None
    if suffix not in SUFFIXES:
        raise ConfigurationError(
            f"unknown kind of output {path.suffix!r}{nearest(suffix, SUFFIXES)}",
            expected=f"a name that ends in one of {', '.join(SUFFIXES)}, or a folder", found=path.name,
        )  # fmt: skip
    by_name = SUFFIXES[suffix]
    if by_name == "csv" and path.stem.lower().replace("-", ".").replace("_", ".").rpartition(".")[2] == "livelink":
        by_name = "livelink"
    if kind is None or kind == by_name:
        return by_name
    if suffix != SUFFIX_OF[kind]:
        raise ConfigurationError(f"a file of kind {kind} has another suffix", expected=SUFFIX_OF[kind], found=path.name)
    return kind


@dataclass(frozen=True)
class Face:
    """The head that a track moves, read when it is first needed.

    :param source: a rig in any form that :func:`blendvoca.export.rigs.load_rig` reads; the sample head where None.
    :param on_report: is called with every sentence about what was taken or left out.
    """

    source: str | None = None
    on_report: Callable[[str], None] = no_report

    @cached_property
    def rig(self) -> BlendshapeRig:
        """The rig."""
        if self.source is not None:
            return load_rig(self.source, on_report=self.on_report)
        from blendvoca.synthetic.head import SyntheticHead

        self.on_report("shown on the sample head of this package; --rig names another")
        return SyntheticHead().rig()

    @cached_property
    def landmarks(self) -> NDArray[np.int64] | None:
        """Its 68 landmarks where they are known."""
        from blendvoca.shard.rig_file import known_landmarks
        from blendvoca.synthetic.head import SyntheticHead

        return SyntheticHead().landmarks() if self.source is None else known_landmarks(self.source)

    @property
    def is_gltf(self) -> bool:
        """Whether it is a glTF file, which an animation can be written into."""
        return self.source is not None and Path(self.source).suffix.lower() in GLTF_SUFFIXES


def write_take(
    path: Path,
    kind: str,
    track: CoefficientTrack,
    face: Face,
    waveform: Waveform | None = None,
    progress: Progress = no_progress,
    head: NDArray[np.float64] | None = None,
) -> None:
    """Write a track.

    :param path: of the file.
    :param kind: one of :data:`SUFFIX_OF`.
    :param track: what was drawn.
    :param face: whose head moves, for the kinds that hold or show one.
    :param waveform: the sound of videos and pages.
    :param progress: of a video's frames.
    :param head: (T, 3) radians of the head, as :func:`said_model.synthesis.idle.with_idle` gives them; only
        :data:`WITH_HEAD` hold it.
    :raises MissingDependencyError: if the kind needs a package that is not installed.
    :raises RigError: if the head has none of the track's shapes.
    :raises OutputError: if the file cannot be written.
    """
    if path.exists() and not path.is_file():
        raise OutputError("a folder has this name", path=path, remedy="Name another output.")
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind in (PRESET, ARKIT):
        save_vrma(path, track, kind=kind, avatar=face.source, head=head, on_report=face.on_report)
    elif kind == "livelink":
        write_livelink(path, track, head=head)
    elif kind not in _WITH_FACE:
        save(path, kind, track)
    elif kind == "glb" and face.is_gltf:
        from blendvoca.io.rig.gltf_into import write_into

        spoken = spoken_with(track, face.rig.names, face.on_report)
        write_into(path, str(face.source), track=spoken, on_report=face.on_report)
    else:
        own = fitted_to(track, face.rig, face.on_report)
        if kind == "mp4":
            _video(path, own, face, waveform, progress)
        elif kind == "page":
            _page(path, own, face, waveform)
        else:
            save(path, kind, own, face.rig)


def _video(path: Path, track: CoefficientTrack, face: Face, waveform: Waveform | None, progress: Progress) -> None:
    from blendvoca.view.appearance import appearance_of
    from blendvoca.view.sheet import face_camera
    from blendvoca.view.video import write_video

    rig = face.rig
    camera = face_camera(rig.neutral, face.landmarks, 0.0, rig.deltas)
    look = appearance_of(rig.neutral, face.landmarks)
    write_video(path, rig, [track], camera, waveform, look=look, progress=progress)


def _page(path: Path, track: CoefficientTrack, face: Face, waveform: Waveform | None) -> None:
    from blendvoca.view.inspect import write_page
    from blendvoca.view.inspect.content import ClipContent, Content, SpeakerContent

    clip = ClipContent(path.stem, ((path.stem, track),), waveform)
    head = "sample head" if face.source is None else Path(face.source).stem
    write_page(path, Content(path.stem, (SpeakerContent(head, face.rig, face.landmarks, (clip,), n_clips=1),)))

"""What goes on a page: speakers with their rigs, clips with their tracks, sound and figures, and notes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blendvoca.audio import Waveform
from blendvoca.certificate import FitCertificate
from blendvoca.dataset import BlendVOCA
from blendvoca.errors import ConfigurationError, InputError, MissingInputError, RigError, nearest
from blendvoca.export.rigs import load_rig
from blendvoca.io.vocaset.corpus import Corpus
from blendvoca.rig import BlendshapeRig
from blendvoca.shard.manifest import shard_files
from blendvoca.shard.reader import Shard, open_shard, opened, text_attribute
from blendvoca.shard.rig_file import known_landmarks
from blendvoca.shard.schema import MANIFEST_NAME, SHARD_FORMAT, SHARD_SUFFIX, LicenceClass
from blendvoca.track import CoefficientTrack
from blendvoca.view.inspect.figures import Difference, FitErrors, difference, fit_errors

#: Makes a head, and says its landmarks where they are known.
StandIn = Callable[[], tuple[BlendshapeRig, NDArray[np.integer] | None]]

#: Clips of each speaker where no speaker and no clip was asked for.
CLIPS_EACH = 3
#: The name of every clip, and of the shard's own track among those beside it.
EVERY_CLIP, TRUTH = "all", "dataset"
#: The provenance of a clip that holds its words, where they are known.
TRANSCRIPT = "transcript"
#: Heads that stand side by side.
MOST_TRACKS = 4


@dataclass(frozen=True)
class Choice:
    """What to show.

    :param speakers: their names; none means all.
    :param clips: their names, or ``("all",)``; none means all of one speaker, or the first few of each of several.
    :param tracks: (label, track) pairs to show beside the one clip chosen, or on the rig.
    :param waveform: sound for the tracks where the clip has none.
    :param rig: a head to use in place of the speakers' own.
    :param landmarks: (68,) vertices of that head, where they are known.
    :param corpus: the meshes that the clips were fitted to, for the fit error on the mesh.
    :param drop_missing: leave out shapes that a rig lacks, and say so, where they would be an error.
    """

    speakers: tuple[str, ...] = ()
    clips: tuple[str, ...] = ()
    tracks: tuple[tuple[str, CoefficientTrack], ...] = ()
    waveform: Waveform | None = None
    rig: BlendshapeRig | None = None
    landmarks: NDArray[np.integer] | None = None
    corpus: Corpus | None = None
    drop_missing: bool = False


@dataclass(frozen=True, eq=False)
class ClipContent:
    """One clip of the page: tracks under their labels, the dataset's own first where there is one; what is said."""

    name: str
    tracks: tuple[tuple[str, CoefficientTrack], ...]
    waveform: Waveform | None = None
    certificate: FitCertificate | None = None
    differences: tuple[Difference, ...] = ()
    errors: FitErrors | None = None
    notes: tuple[str, ...] = ()
    transcript: str = ""


@dataclass(frozen=True, eq=False)
class SpeakerContent:
    """One head of the page; its lips and brows are coloured where its landmarks are known."""

    name: str
    rig: BlendshapeRig
    landmarks: NDArray[np.integer] | None = None
    clips: tuple[ClipContent, ...] = ()
    split: str = ""
    licence: str = ""
    n_clips: int = 0
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Content:
    """Everything of a page.

    :param name: the dataset's or the file's.
    :param speakers: at least one.
    :param fit_errors_mm: mean fit error of every clip of the dataset, for comparison.
    """

    name: str
    speakers: tuple[SpeakerContent, ...]
    fit_errors_mm: tuple[float, ...] = field(default=())


def gather(source: str | PathLike[str], choice: Choice, stand_in: StandIn | None = None) -> Content:
    """Read what was chosen from a folder of shards, one shard, or a rig in any form.

    :param source: folder of shards, a shard, or another file with a rig.
    :param choice: which speakers and clips, and what is shown beside them.
    :param stand_in: makes the head for shards whose licence class leaves their meshes out.
    :raises MissingInputError: if the source, a speaker or a clip is not there; the nearest names are given.
    :raises ConfigurationError: if tracks are given and it is not clear for which clip.
    :raises LicenceError: for a shard without a mesh and no head in its stead.
    """
    path = Path(source)
    if path.is_dir() and ((path / MANIFEST_NAME).is_file() or shard_files(path)):
        return _dataset(BlendVOCA(path), choice, stand_in)
    if path.suffix.lower() == SHARD_SUFFIX and _is_shard(path):
        shard = open_shard(path)
        _chosen("the shard", choice.speakers, (shard.speaker,), path)
        speaker = _speaker(shard, "", choice, stand_in, alone=True)
        known = tuple(clip.certificate.error_mean_mm for clip in speaker.clips if clip.certificate)
        return Content(shard.speaker, (speaker,), known)
    if not path.exists():
        raise MissingInputError("nothing is here", expected="shards, or a rig", path=path)
    return _bare_rig(path, choice)


def _is_shard(path: Path) -> bool:
    with opened(path) as file:
        return "format" in file.attrs and text_attribute(file, "format") == SHARD_FORMAT


def _dataset(data: BlendVOCA, choice: Choice, stand_in: StandIn | None) -> Content:
    names = _chosen(data.manifest.name, choice.speakers, data.speakers, data.root)
    splits = {entry.speaker: entry.split for entry in data.manifest.shards}
    alone = len(names) == 1
    if choice.tracks and not (alone and len(choice.clips) == 1 and choice.clips[0] != EVERY_CLIP):
        raise ConfigurationError(
            "a track stands beside one clip",
            expected="--speaker and --clip with --track",
            found=f"{len(names)} speakers and {len(choice.clips) or 'all'} clips",
        )
    if choice.clips != (EVERY_CLIP,):
        sentences = {sentence for name in names for sentence in data.shard(name).sentences}
        _chosen(", ".join(names[:3]) + (" …" if names[3:] else ""), choice.clips, sorted(sentences), data.root)
    speakers = tuple(_speaker(data.shard(name), splits[name], choice, stand_in, alone) for name in names)
    errors = (clip.fit_error_mm for entry in data.manifest.shards for clip in entry.clips)
    return Content(data.manifest.name, speakers, tuple(error for error in errors if error is not None))


def _chosen(whose: str, wanted: Sequence[str], known: Sequence[str], path: Path) -> tuple[str, ...]:
    """Return the wanted names, or all.

    :raises MissingInputError: naming the first that is unknown.
    """
    for name in wanted:
        if name not in known:
            raise MissingInputError(
                f"{whose} has no {name!r}{nearest(name, known)}",
                expected=f"one of {', '.join(known[:12])}{' …' if len(known) > 12 else ''}",
                path=path,
            )
    return tuple(dict.fromkeys(wanted)) or tuple(known)


def _speaker(shard: Shard, split: str, choice: Choice, stand_in: StandIn | None, alone: bool) -> SpeakerContent:
    rig, landmarks, notes = _head(shard, choice, stand_in)
    known = shard.sentences
    if choice.clips == (EVERY_CLIP,):
        names = known
    elif choice.clips:
        # Of several speakers not all need have the clip; of one it has to be there.
        wanted = choice.clips if alone else tuple(name for name in choice.clips if name in known)
        names = _chosen(shard.speaker, wanted, known, shard.path) if wanted else ()
    else:
        names = known if alone else known[:CLIPS_EACH]
    if choice.tracks and len(names) != 1:
        raise ConfigurationError("a track stands beside one clip", expected="--clip with --track", found=len(names))
    clips = tuple(_clip(shard, name, rig, choice) for name in names)
    licence = shard.licence_class.value
    return SpeakerContent(shard.speaker, rig, landmarks, clips, split, licence, len(known), tuple(notes))


def _head(
    shard: Shard, choice: Choice, stand_in: StandIn | None
) -> tuple[BlendshapeRig, NDArray[np.integer] | None, list[str]]:
    notes = []
    if shard.licence_class is LicenceClass.RESTRICTED:
        notes.append("Licence class restricted: this page holds meshes and sound that may not be passed on.")
    if choice.rig is not None:
        return choice.rig, choice.landmarks, [*notes, f"Shown on another head than {shard.speaker}'s own, as asked."]
    parts = shard.parts()
    if parts.neutral is None and stand_in is not None:
        reason = f"licence class {shard.licence_class.value} leaves the mesh out"
        return *stand_in(), [*notes, f"{shard.speaker}'s own head is not here ({reason}): shown on the sample head."]
    return parts.whole(shard.path), parts.landmarks, notes


def _clip(shard: Shard, name: str, rig: BlendshapeRig, choice: Choice) -> ClipContent:
    clip = shard.clip(name)
    notes = []
    waveform = clip.waveform or choice.waveform
    if waveform is None:
        notes.append("No sound is stored with this clip: it plays silently, by the clock.")
    if problem := clip.length_problem():
        notes.append(f"Lengths differ: {problem}.")
    errors = None
    if choice.corpus is not None and choice.rig is None:
        crop = shard.parts().crop
        errors = fit_errors(shard.rig(), crop, clip.track, choice.corpus.motion(shard.speaker, name))
    tracks = _ready(((TRUTH, clip.track), *_labelled(choice.tracks, taken=(TRUTH,))), rig, choice, notes)
    differences = tuple(difference(rig, clip.track, track, label) for label, track in tracks[1:])
    transcript = clip.provenance.get(TRANSCRIPT, "")
    return ClipContent(name, tracks, waveform, clip.certificate, differences, errors, tuple(notes), transcript)


def _bare_rig(path: Path, choice: Choice) -> Content:
    if choice.speakers or choice.clips:
        raise InputError("this is a rig, without speakers and clips", path=path, remedy="Give it tracks with --track.")
    rig = choice.rig or load_rig(path)
    landmarks = choice.landmarks if choice.rig else known_landmarks(path)
    clips: tuple[ClipContent, ...] = ()
    if choice.tracks:
        notes = [] if choice.waveform else ["No sound was given (--audio): it plays silently, by the clock."]
        tracks = _ready(_labelled(choice.tracks), rig, choice, notes)
        differences = tuple(difference(rig, tracks[0][1], track, label) for label, track in tracks[1:])
        clips = (ClipContent(" and ".join(label for label, _ in tracks), tracks, choice.waveform, None, differences,
                             None, tuple(notes)),)  # fmt: skip
    return Content(path.name, (SpeakerContent(path.stem, rig, landmarks, clips, n_clips=len(clips)),))


def _ready(
    tracks: tuple[tuple[str, CoefficientTrack], ...], rig: BlendshapeRig, choice: Choice, notes: list[str]
) -> tuple[tuple[str, CoefficientTrack], ...]:
    """Return tracks without the shapes that the rig lacks; if they move and may not be left out, that is an error.

    :raises RigError: naming them, with the nearest names of the rig.
    """
    ready = []
    for label, track in tracks:
        absent = [column for column, name in enumerate(track.names) if name not in rig.names]
        lacking = [track.names[column] for column in absent if track.values[:, column].any()]
        if lacking and not choice.drop_missing:
            raise RigError(
                f"the rig lacks blendshapes that {label!r} moves",
                expected=f"some of its {len(rig.names)} names",
                found=f"no {', '.join(name + nearest(name, rig.names) for name in lacking)}",
                remedy="Leave them out with --drop-missing, or rename them with blendvoca export --map.",
            )
        kept = [name for name in track.names if name in rig.names]
        if not kept:
            raise RigError(f"the rig has none of the blendshapes of {label!r}", found=", ".join(track.names[:8]))
        if lacking:
            notes.append(f"{label}: left out, since this head lacks them: {', '.join(lacking)}.")
        ready.append((label, track.select(kept)))
    return tuple(ready)


def _labelled(
    tracks: Sequence[tuple[str, CoefficientTrack]], taken: tuple[str, ...] = ()
) -> tuple[tuple[str, CoefficientTrack], ...]:
    """Return tracks with labels that differ.

    :raises ConfigurationError: if they are more than stand side by side.
    """
    if len(tracks) + len(taken) > MOST_TRACKS:
        found = len(tracks)
        raise ConfigurationError("too many tracks", expected=f"{MOST_TRACKS - len(taken)} at most", found=found)
    used = list(taken)
    for label, _ in tracks:
        number = 2
        unique = label
        while unique in used:
            unique, number = f"{label} ({number})", number + 1
        used.append(unique)
    return tuple((label, track) for label, (_, track) in zip(used[len(taken) :], tracks))

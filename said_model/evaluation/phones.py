"""Tracks against phone times: does the mouth follow the voice? No captured motion is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from blendvoca.errors import InputError, MissingInputError, TrackError
from blendvoca.phones import PhoneTrack
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack
from said_model.evaluation.metrics.closure import lip_opening
from said_model.evaluation.metrics.phone_figures import PhoneFigures, phone_figures, phone_openings


@dataclass(frozen=True)
class PhoneEvaluation:
    """Figures of every recording and of all together.

    :param clips: figures by name of the recording.
    :param overall: figures over all phones.
    :param notes: what a reader has to know: tracks or phones that are missing, shapes without effect.
    """

    clips: dict[str, PhoneFigures]
    overall: PhoneFigures
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return plain data; a figure without a value is null."""

        def plain(figures: PhoneFigures) -> dict[str, float | None]:
            return {name: value if np.isfinite(value) else None for name, value in asdict(figures).items()}

        return {
            "all": plain(self.overall),
            "recordings": {name: plain(figures) for name, figures in self.clips.items()},
            "notes": list(self.notes),
        }


def evaluate_phones(
    tracks: Mapping[str, CoefficientTrack],
    phones: Mapping[str, PhoneTrack],
    rig: BlendshapeRig,
    landmarks: NDArray[np.integer],
) -> PhoneEvaluation:
    """Measure tracks at their phones.

    :param tracks: by name of the recording.
    :param phones: likewise; empty lists mean that nobody speaks.
    :param rig: any rig with lips; its shapes are matched by name.
    :param landmarks: (68,) vertices of the rig.
    :raises MissingInputError: if no track has phone times.
    :raises InputError: for phone times that are not of their recording, naming it.
    :raises TrackError: if a track shares no shape with the rig.
    """
    both = [name for name in phones if name in tracks]
    if not both:
        raise MissingInputError("no track has phone times", expected=f"names such as {sorted(phones)[:3]}",
                                found=sorted(tracks)[:3])  # fmt: skip
    notes = [f"no track for {len(phones) - len(both)} of {len(phones)} recordings"] if len(both) < len(phones) else []
    if unused := len(tracks) - len(both):
        notes.append(f"no phone times for {unused} of {len(tracks)} tracks")
    clips, parts = {}, []
    for name in both:
        track = tracks[name]
        try:
            found = phone_openings(_opening(track, rig, landmarks), track.fps, phones[name])
        except (InputError, TrackError) as error:
            error.what = f"{name}: {error.what}"
            raise
        parts.append(found)
        clips[name] = phone_figures([found])
    bare = [name for name in both if phones[name].phones and not phones[name].closures()]
    if bare:
        notes.append(f"no p, b or m in {len(bare)} recordings: {', '.join(bare[:3])}{' …' if bare[3:] else ''}")
    return PhoneEvaluation(clips, phone_figures(parts), tuple(notes))


def tracks_by_name(folder: Path) -> dict[str, Path]:
    """Return the CSV tracks below a folder by name of the recording.

    :raises MissingInputError: if there is none.
    :raises InputError: if two have one name.
    """
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.csv")):
        if path.stem in found:
            raise InputError("two tracks of one name", found=[str(found[path.stem]), str(path)])
        found[path.stem] = path
    if not found:
        raise MissingInputError("no tracks here", expected="*.csv", path=folder)
    return found


def _opening(track: CoefficientTrack, rig: BlendshapeRig, landmarks: NDArray[np.integer]) -> NDArray[np.float64]:
    shared = [name for name in track.names if name in rig.names]
    if not shared:
        raise TrackError("track and rig share no shape", expected=list(rig.names[:3]), found=list(track.names[:3]))
    return lip_opening(rig.select(shared), track.select(shared).values, landmarks)

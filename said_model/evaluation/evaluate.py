"""One system against the truth: the columns of the paper's Table 1, and the field's (paper 5.2, supplement 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import InputError
from blendvoca.internal.progress import Progress
from blendvoca.speakers import VOCASET_FPS
from blendvoca.vertex_sets import MOUTH_REGION, UPPER_FACE
from said_model.evaluation.clip_figures import ClipFigures, Row, averages, measure_clip
from said_model.evaluation.instruments import Instruments as Instruments
from said_model.evaluation.metrics.violations import violations
from said_model.evaluation.modes import for_vae, latents, modes, pairs_note
from said_model.evaluation.outputs import Outputs
from said_model.evaluation.set_figures import distributions, own_intensity_of, set_figures
from said_model.evaluation.vae import FRAMES


@dataclass(frozen=True)
class Evaluation:
    """Figures of one system.

    :param name: of the system.
    :param clips: names of the clips that were used, in the order of ``rows``.
    :param rows: figures of every clip, each a mean over its samples.
    :param latents: VAE features (n, 64) of every clip as generated.
    :param real: those of the truth.
    :param overall: figures of the whole set; ``counts`` says over how many clips each was taken.
    :param notes: what a reader has to know.
    :param truth: what the truth itself has of the figures that are to be like the truth's.
    :param measured: what figures of sets are computed from, clip by clip.
    """

    name: str
    clips: tuple[str, ...]
    rows: tuple[Row, ...]
    latents: tuple[NDArray[np.float64], ...]
    real: tuple[NDArray[np.float64], ...]
    overall: Row
    counts: dict[str, int]
    notes: tuple[str, ...] = field(default=())
    truth: Row = field(default_factory=dict)
    measured: tuple[ClipFigures, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return what is written as JSON; a figure without a value is null there."""
        clips = [{"clip": name, **_without_nan(row)} for name, row in zip(self.clips, self.rows)]
        return {"system": self.name, "figures": _without_nan(self.overall), "truth": _without_nan(self.truth),
                "clips_used": self.counts, "notes": list(self.notes), "clips": clips}  # fmt: skip


def _without_nan(row: Row) -> dict[str, float | None]:
    return {name: value if np.isfinite(value) else None for name, value in row.items()}


def evaluate(
    outputs: Outputs, truth: BlendVOCA, instruments: Instruments, name: str,
    on_report: Progress | None = None,
) -> Evaluation:  # fmt: skip
    """Measure a system's tracks against a split.

    :param truth: opened with ``audio_rate=16_000`` where sound is to be compared with.
    :raises InputError: for tracks of another rate or length than the truth, naming the clip.
    """
    measured, generated, real = list[ClipFigures](), [], []
    for done, (key, tracks) in enumerate(outputs.tracks.items()):
        clip = truth[key]
        try:
            found = measure_clip(clip, tracks, instruments, truth)
        except InputError as error:
            raise InputError(f"{'/'.join(key)}: {error}") from error
        broken = outputs.broken.get(key) or [violations(track.values, track.fps) for track in tracks]
        found.row["range_violations"] = float(np.mean([one.range for one in broken]))
        found.row["rate_violations"] = float(np.mean([one.rate for one in broken]))
        if instruments.vae is not None:
            parts = [latents(instruments.vae, for_vae(clip.track, track)) for track in tracks]
            generated.append(np.concatenate(parts))
            found.row["multimodality"] = modes(np.stack([part[0] for part in parts]), instruments.seed)
            real.append(latents(instruments.vae, for_vae(clip.track, clip.track)))
        measured.append(found)
        if on_report is not None:
            on_report("clips", done + 1, len(outputs.tracks))
    return _together(name, outputs, truth, instruments, measured, generated, real)


def _together(
    name: str, outputs: Outputs, truth: BlendVOCA, instruments: Instruments, measured: Sequence[ClipFigures],
    generated: Sequence[NDArray[np.float64]], real: Sequence[NDArray[np.float64]],
) -> Evaluation:  # fmt: skip
    """Join what was measured clip by clip."""
    rows, clips = [found.row for found in measured], tuple("/".join(key) for key in outputs.tracks)
    overall, counts = averages(rows)
    notes = _notes(outputs, instruments, truth)
    fewer = [f"{figure} ({count})" for figure, count in counts.items() if count < len(clips)]
    if fewer:
        notes.append(f"figures with a value for fewer than {len(clips)} clips: {', '.join(fewer)}")
    figures = set_figures(measured)
    if instruments.vae is not None:
        more, about = distributions(generated, real, instruments)
        figures |= more
        notes += [*about, pairs_note(min(map(len, outputs.tracks.values())))]
    overall.update(figures)
    counts.update({figure: len(clips) for figure in figures})
    own = averages([found.own for found in measured])[0]
    if "slcc" in figures:
        own["slcc"] = own_intensity_of(measured)
    return Evaluation(name, clips, tuple(rows), tuple(generated), tuple(real), overall, counts, tuple(notes), own,
                      tuple(measured))  # fmt: skip


def _notes(outputs: Outputs, instruments: Instruments, truth: BlendVOCA) -> list[str]:
    notes = [f"{len(outputs.tracks)} clips, {sum(map(len, outputs.tracks.values()))} tracks"]
    if outputs.dropped:
        notes.append(f"dropped, no truth: {', '.join(outputs.dropped)}")
    if outputs.missing:
        notes.append(f"{len(outputs.missing)} clips of the split have no track: {', '.join(outputs.missing[:5])} …")
    fps = {round(tracks[0].fps, 3) for tracks in outputs.tracks.values()}
    if instruments.vae is not None and fps - {VOCASET_FPS}:
        rates = ", ".join(f"{rate:g}" for rate in sorted(fps))
        others = f"not to be compared with those at {VOCASET_FPS:g}"
        notes.append(f"FD, WInD, multimodality: {FRAMES} frames at {rates} fps, {others}")
    if instruments.rigs:
        crop = truth.parts(next(iter(outputs.tracks))[0]).crop
        given = [None if chosen is None else chosen.within(crop) for chosen in (instruments.lips, instruments.upper)]
        sets = [f"{s.name} ({s.source})" if s else f"{region.name}, derived from each rig"
                for s, region in zip(given, (MOUTH_REGION, UPPER_FACE))]  # fmt: skip
        notes.append(f"LVE over {sets[0]}; FDD over {sets[1]}")
    return notes

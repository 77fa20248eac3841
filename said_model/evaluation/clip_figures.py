"""Figures of one clip: every sample of a system against the truth, and what the truth has by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from blendvoca.clip import Clip
from blendvoca.dataset import BlendVOCA
from blendvoca.errors import InputError
from blendvoca.ibug68 import N_LANDMARKS
from blendvoca.rig import BlendshapeRig
from blendvoca.track import CoefficientTrack
from blendvoca.vertex_sets import MOUTH_REGION, UPPER_FACE, VertexSet
from blendvoca.view.syncnet import syncnet_pictures
from said_model.audio_encoder.features import encode
from said_model.audio_encoder.speech import to_length
from said_model.evaluation.instruments import Instruments
from said_model.evaluation.metrics.beat import beat_consistency
from said_model.evaluation.metrics.closure import closure_recall, lip_opening
from said_model.evaluation.metrics.coefficients import coefficient_error, matched
from said_model.evaluation.metrics.diversity import diversity
from said_model.evaluation.metrics.dynamics import dynamics_deviation
from said_model.evaluation.metrics.intensity import Intensity, lip_intensity, speech_intensity
from said_model.evaluation.metrics.jitter import jitter
from said_model.evaluation.metrics.misalignment import temporal_misalignment
from said_model.evaluation.metrics.vertices import LipVertexError, lip_vertex_error, mean_vertex_error
from said_model.evaluation.sync_expert import LEAST_FRAMES, synchrony
from said_model.evaluation.syncnet import score

Row = dict[str, float]


@dataclass(frozen=True)
class ClipFigures:
    """What was measured of a clip.

    :param row: figures by name, each a mean over the samples.
    :param own: figures that the truth has by itself.
    :param errors: lip vertex error of every sample, which is pooled over clips.
    :param intensities: of every sample, which are correlated over clips.
    :param own_intensities: of the truth.
    """

    row: Row = field(default_factory=dict)
    own: Row = field(default_factory=dict)
    errors: tuple[LipVertexError, ...] = ()
    intensities: tuple[Intensity, ...] = ()
    own_intensities: tuple[Intensity, ...] = ()


@dataclass(frozen=True, eq=False)
class _Face:
    """Whose vertices are measured, and which of them."""

    rig: BlendshapeRig
    landmarks: NDArray[np.integer] | None
    lips: VertexSet
    upper: VertexSet

    def moved(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return offsets from the neutral: they compare as vertices do, and need no neutral where none is stored."""
        deltas = self.rig.deltas.astype(np.float32)
        return np.einsum("tk,kvc->tvc", values.astype(np.float32), deltas, optimize=True)


def measure_clip(
    clip: Clip, tracks: Sequence[CoefficientTrack], instruments: Instruments, truth: BlendVOCA
) -> ClipFigures:
    """Measure a system's samples of one clip.

    :param clip: with its sound, where sound is to be compared with.
    :param tracks: the samples.
    :param truth: where the clip and its speaker's rig come from.
    :raises InputError: for tracks of another rate or length than the truth.
    """
    samples = [_plain(clip, track) for track in tracks]
    _add_synchrony(samples, clip, tracks, instruments)
    _add_syncnet(samples, clip, tracks, instruments, truth)
    figures = ClipFigures(own=_own(clip, clip.track))
    if instruments.rigs:
        figures = _add_vertices(figures, samples, clip, tracks, _face(clip, instruments, truth))
    row = averages(samples)[0]
    if len(tracks) > 1:
        row["diversity"] = diversity(tracks).value
    return ClipFigures(row, figures.own, figures.errors, figures.intensities, figures.own_intensities)


def averages(rows: Sequence[Mapping[str, float]]) -> tuple[Row, dict[str, int]]:
    """Return means over the rows that have a figure, and how many those are."""
    means, counts = {}, {}
    for figure in dict.fromkeys(name for row in rows for name in row):
        values = np.array([row[figure] for row in rows if figure in row and np.isfinite(row[figure])])
        counts[figure] = len(values)
        means[figure] = float(values.mean()) if len(values) else float("nan")
    return means, counts


def _plain(clip: Clip, track: CoefficientTrack) -> Row:
    error = coefficient_error(clip.track, track)
    row = {"mae": error.position, "velocity_error": error.velocity, "acceleration_error": error.acceleration}
    return row | _own(clip, track)


def _own(clip: Clip, track: CoefficientTrack) -> Row:
    """Return the figures that a track has by itself, to be like the truth's."""
    row = {"jitter_share": _jitter_share(track)}
    if clip.waveform is not None:
        row["beat_consistency"] = beat_consistency(track, clip.waveform).value
    return row


def _jitter_share(track: CoefficientTrack) -> float:
    """Return the share of fast motion; NaN for a track too short, or of too few frames a second, to have any."""
    try:
        return jitter(track).share
    except InputError:
        return float("nan")


def _add_synchrony(
    samples: Sequence[Row], clip: Clip, tracks: Sequence[CoefficientTrack], instruments: Instruments
) -> None:
    expert = instruments.sync
    if expert is None or instruments.encoder is None or clip.waveform is None:
        return
    if abs(expert.config.fps - clip.track.fps) > 1e-6 * clip.track.fps:
        raise InputError("the sync expert knows another rate", expected=f"{expert.config.fps:g} fps",
                         found=f"{clip.track.fps:g} fps", remedy="Train one on these shards.")  # fmt: skip
    sound = to_length(clip.waveform.samples, len(clip.track), clip.track.fps)
    features = encode(instruments.encoder, sound, len(clip.track))
    for row, track in zip(samples, tracks):
        if min(len(track), len(clip.track)) < LEAST_FRAMES:
            continue  # the table says how many clips a figure was taken over
        found = synchrony(expert, features, track.select(expert.config.names).values)
        row.update({"sync_offset": found.offset, "sync_offset_abs": abs(found.offset),
                    "sync_confidence": found.confidence})  # fmt: skip


def _add_syncnet(
    samples: Sequence[Row], clip: Clip, tracks: Sequence[CoefficientTrack], instruments: Instruments, truth: BlendVOCA
) -> None:
    if instruments.syncnet is None or clip.waveform is None:
        return
    head, landmarks = truth.rig(clip.speaker), truth.parts(clip.speaker).landmarks
    if landmarks is None:
        raise InputError("SyncNet's framing needs landmarks", expected="68 in the shard", found="none")
    for row, track in zip(samples, tracks):
        seen = score(instruments.syncnet, syncnet_pictures(head, landmarks, track), clip.waveform)
        row.update({"syncnet_offset": seen.offset, "syncnet_confidence": seen.confidence})


def _face(clip: Clip, instruments: Instruments, truth: BlendVOCA) -> _Face:
    rig, parts = truth.rig(clip.speaker).select(clip.track.names), truth.parts(clip.speaker)
    lips, upper = (
        region.of(rig) if given is None else given.within(parts.crop)
        for given, region in ((instruments.lips, MOUTH_REGION), (instruments.upper, UPPER_FACE))
    )
    marks = parts.landmarks if parts.landmarks is not None and len(parts.landmarks) == N_LANDMARKS else None
    return _Face(rig, marks, lips, upper)


def _add_vertices(
    figures: ClipFigures, samples: Sequence[Row], clip: Clip, tracks: Sequence[CoefficientTrack], face: _Face
) -> ClipFigures:
    real = face.moved(clip.track.values)
    errors, intensities = [], []
    for row, track in zip(samples, tracks):
        values = matched(clip.track, track)
        made = face.moved(values[1])
        errors.append(lip_vertex_error(real[: len(made)], made, face.lips))
        row.update(_vertex_row(real[: len(made)], made, errors[-1], face) | _opening_row(*values, track.fps, face))
        intensities += _intensity(clip, made, face)
    return ClipFigures({}, figures.own, tuple(errors), tuple(intensities), tuple(_intensity(clip, real, face)))


def _vertex_row(real: NDArray[np.floating], made: NDArray[np.floating], error: LipVertexError, face: _Face) -> Row:
    everything = VertexSet("all", np.arange(real.shape[1]), "rig")
    alive = dynamics_deviation(real, made, np.zeros(real.shape[1:]), face.upper)
    return {"lve_mm": error.millimetres, "lve_squared_mm2": error.squared * 1e6,
            "mve_mm": mean_vertex_error(real, made, everything), "fdd_mm": alive.signed,
            "fdd_absolute_mm": alive.absolute, "fdd_squared_mm2": alive.signed_squared * 1e6}  # fmt: skip


def _opening_row(real: NDArray[np.floating], made: NDArray[np.floating], fps: float, face: _Face) -> Row:
    if face.landmarks is None:
        return {}
    openings = [lip_opening(face.rig, values, face.landmarks) for values in (real, made)]
    return {"mtm_ms": temporal_misalignment(openings[0], openings[1], fps).milliseconds,
            "closure_recall": closure_recall(openings[0], openings[1]).recall}  # fmt: skip


def _intensity(clip: Clip, moved: NDArray[np.floating], face: _Face) -> list[Intensity]:
    """Return the intensity of sound and lips; nothing without sound or motion."""
    if clip.waveform is None or len(moved) < 2:
        return []
    return [Intensity(clip.speaker, speech_intensity(clip.waveform), lip_intensity(moved, face.lips))]

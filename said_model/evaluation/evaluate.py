"""One system against the truth: the columns of the paper's Table 1, and the field's (paper 5.2, supplement 10)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from blendvoca.arkit import BLENDVOCA_NAMES
from blendvoca.clip import Clip
from blendvoca.dataset import BlendVOCA
from blendvoca.errors import InputError
from blendvoca.ibug68 import N_LANDMARKS
from blendvoca.internal.progress import Progress
from blendvoca.rig import BlendshapeRig
from blendvoca.speakers import VOCASET_FPS
from blendvoca.track import CoefficientTrack
from blendvoca.vertex_sets import MOUTH_REGION, UPPER_FACE, VertexSet
from blendvoca.view.syncnet import syncnet_pictures
from said_model.audio_encoder import AudioEncoder
from said_model.audio_encoder.features import encode
from said_model.audio_encoder.speech import to_length
from said_model.evaluation.metrics.beat import beat_consistency
from said_model.evaluation.metrics.closure import closure_recall, lip_opening
from said_model.evaluation.metrics.coefficients import coefficient_error, matched
from said_model.evaluation.metrics.diversity import diversity
from said_model.evaluation.metrics.frechet import frechet_distance
from said_model.evaluation.metrics.jitter import jitter
from said_model.evaluation.metrics.multimodality import PAIRS, multimodality, style_multimodality
from said_model.evaluation.metrics.vertices import dynamics_deviation, lip_vertex_error, mean_vertex_error
from said_model.evaluation.metrics.violations import violations
from said_model.evaluation.metrics.wind import COMPONENTS, REPEATS, wind
from said_model.evaluation.outputs import Outputs
from said_model.evaluation.sync_expert import LEAST_FRAMES, SyncExpert, synchrony
from said_model.evaluation.syncnet import SyncNet, score
from said_model.evaluation.vae import FRAMES, CoefficientVAE, latent_features

Row = dict[str, float]
#: Outputs for each audio of a model with styles (supplement 12).
STYLES = 8
#: Frames between windows of a track that the VAE looks at.
STRIDE = 60


@dataclass(frozen=True)
class Instruments:
    """What is measured with; what is ``None`` is left out of the report.

    :param vae: of FD, WInD and multimodality.
    :param sync: of offset and confidence.
    :param encoder: the sync's.
    :param syncnet: the published network, that looks at rendered faces.
    :param lips: vertex set of LVE, of the whole head where a shard holds a crop of it; None takes the mouth region of
        each speaker's rig.
    :param upper: vertex set of FDD likewise; None takes the upper face.
    :param rigs: whether vertices are measured at all.
    :param repeats: of WInD.
    :param seed: of WInD's repeats and of the pairs of multimodality.
    """

    vae: CoefficientVAE | None = None
    sync: SyncExpert | None = None
    encoder: AudioEncoder | None = None
    syncnet: SyncNet | None = None
    lips: VertexSet | None = None
    upper: VertexSet | None = None
    rigs: bool = True
    repeats: int = REPEATS
    seed: int = 0


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
    rows, own, generated, real = [], [], [], []
    for done, (key, tracks) in enumerate(outputs.tracks.items()):
        clip = truth[key]
        try:
            row = _measure(clip, tracks, instruments, truth)
        except InputError as error:
            raise InputError(f"{'/'.join(key)}: {error}") from error
        broken = outputs.broken.get(key) or [violations(track.values, track.fps) for track in tracks]
        row["range_violations"] = float(np.mean([found.range for found in broken]))
        row["rate_violations"] = float(np.mean([found.rate for found in broken]))
        if instruments.vae is not None:
            parts = [_latents(instruments.vae, _for_vae(clip.track, track)) for track in tracks]
            generated.append(np.concatenate(parts))
            row["multimodality"] = _modes(np.stack([part[0] for part in parts]), instruments.seed)
            real.append(_latents(instruments.vae, _for_vae(clip.track, clip.track)))
        rows.append(row)
        own.append(_own(clip, clip.track))
        if on_report is not None:
            on_report("clips", done + 1, len(outputs.tracks))
    names = tuple("/".join(key) for key in outputs.tracks)
    overall, counts = averages(rows)
    notes = _notes(outputs, instruments, truth)
    fewer = [f"{figure} ({count})" for figure, count in counts.items() if count < len(names)]
    if fewer:
        notes.append(f"figures with a value for fewer than {len(names)} clips: {', '.join(fewer)}")
    if instruments.vae is not None:
        figures, more = _distributions(generated, real, instruments)
        overall.update(figures)
        counts.update({figure: len(names) for figure in figures})
        notes += [*more, _pairs_note(min(map(len, outputs.tracks.values())))]
    return Evaluation(name, names, tuple(rows), tuple(generated), tuple(real), overall, counts, tuple(notes),
                      averages(own)[0])  # fmt: skip


def averages(rows: Sequence[Row]) -> tuple[Row, dict[str, int]]:
    """Return means over the clips that have a figure, and how many those are."""
    means, counts = {}, {}
    for figure in dict.fromkeys(name for row in rows for name in row):
        values = np.array([row[figure] for row in rows if figure in row and np.isfinite(row[figure])])
        counts[figure] = len(values)
        means[figure] = float(values.mean()) if len(values) else float("nan")
    return means, counts


def _measure(clip: Clip, tracks: Sequence[CoefficientTrack], instruments: Instruments, truth: BlendVOCA) -> Row:
    samples = [_plain(clip, track) for track in tracks]
    if instruments.sync is not None and instruments.encoder is not None and clip.waveform is not None:
        if abs(instruments.sync.config.fps - clip.track.fps) > 1e-6 * clip.track.fps:
            raise InputError("the sync expert knows another rate", expected=f"{instruments.sync.config.fps:g} fps",
                             found=f"{clip.track.fps:g} fps", remedy="Train one on these shards.")  # fmt: skip
        sound = to_length(clip.waveform.samples, len(clip.track), clip.track.fps)
        features = encode(instruments.encoder, sound, len(clip.track))
        for row, track in zip(samples, tracks):
            if min(len(track), len(clip.track)) < LEAST_FRAMES:
                continue  # the table says how many clips a figure was taken over
            found = synchrony(instruments.sync, features, track.select(instruments.sync.config.names).values)
            row.update({"sync_offset": found.offset, "sync_offset_abs": abs(found.offset),
                        "sync_confidence": found.confidence})  # fmt: skip
    if instruments.syncnet is not None and clip.waveform is not None:
        head, landmarks = truth.rig(clip.speaker), truth.parts(clip.speaker).landmarks
        if landmarks is None:
            raise InputError("SyncNet's framing needs landmarks", expected="68 in the shard", found="none")
        for row, track in zip(samples, tracks):
            seen = score(instruments.syncnet, syncnet_pictures(head, landmarks, track), clip.waveform)
            row.update({"syncnet_offset": seen.offset, "syncnet_confidence": seen.confidence})
    if instruments.rigs:
        rig, parts = truth.rig(clip.speaker).select(clip.track.names), truth.parts(clip.speaker)
        sets = [region.of(rig) if given is None else given.within(parts.crop)
                for given, region in ((instruments.lips, MOUTH_REGION), (instruments.upper, UPPER_FACE))]  # fmt: skip
        for row, track in zip(samples, tracks):
            row.update(_vertices(rig, parts.landmarks, *matched(clip.track, track), *sets))
    row = averages(samples)[0]
    if len(tracks) > 1:
        row["diversity"] = diversity(tracks).value
    return row


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


def _vertices(
    rig: BlendshapeRig, landmarks: NDArray[np.integer] | None, real: NDArray[np.float64],
    made: NDArray[np.float64], lips: VertexSet, upper: VertexSet,
) -> Row:  # fmt: skip
    everything = VertexSet("all", np.arange(rig.deltas.shape[1]), "rig")
    # Offsets from the neutral compare as vertices do, and need no neutral where the licence leaves it out.
    a, b = (np.einsum("tk,kvc->tvc", c.astype(np.float32), rig.deltas.astype(np.float32), optimize=True)
            for c in (real, made))  # fmt: skip
    error = lip_vertex_error(a, b, lips)
    alive = dynamics_deviation(a, b, np.zeros(a.shape[1:]), upper)
    row = {"lve_mm": error.millimetres, "lve_squared_mm2": error.squared * 1e6, "mve_mm":
           mean_vertex_error(a, b, everything), "fdd_mm": alive.signed, "fdd_absolute_mm": alive.absolute}  # fmt: skip
    if landmarks is not None and len(landmarks) == N_LANDMARKS:
        found = closure_recall(lip_opening(rig, real, landmarks), lip_opening(rig, made, landmarks))
        row["closure_recall"] = found.recall
    return row


def _for_vae(truth: CoefficientTrack, track: CoefficientTrack) -> NDArray[np.float64]:
    """Return a track's values in the columns that the VAE knows, whatever others the shards hold, in whatever order."""
    missing = [name for name in BLENDVOCA_NAMES if name not in truth.names]
    if missing:
        raise InputError("the VAE knows other blendshapes", expected=f"the {len(BLENDVOCA_NAMES)} of BlendVOCA",
                         found=f"no {missing[:3]}", remedy="Leave --vae out.")  # fmt: skip
    values = matched(truth, track)[1]
    return values[:, truth.columns(BLENDVOCA_NAMES)]


def _latents(vae: CoefficientVAE, values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return features of windows every :data:`STRIDE` frames; a short track is held at its last frame."""
    if len(values) < FRAMES:
        values = np.concatenate([values, np.repeat(values[-1:], FRAMES - len(values), axis=0)])
    starts = range(0, len(values) - FRAMES + 1, STRIDE)
    return latent_features(vae, np.stack([values[start : start + FRAMES] for start in starts]))


def _modes(features: NDArray[np.float64], seed: int) -> float:
    """Return the multimodality of one clip's samples (n, d); with one sample it is zero."""
    if len(features) == 1:
        return 0.0
    if len(features) == STYLES:
        return style_multimodality({"": features}).value
    pairs = min(PAIRS, len(features) // 2)
    return multimodality({"": features}, np.random.default_rng(seed), pairs=pairs).value


def _pairs_note(least: int) -> str:
    if least == 1:
        return "multimodality: one sample for some audio, zero there by definition"
    if least == STYLES:
        return "multimodality: eight samples, every pair with repetition (supplement 12)"
    return f"multimodality: {min(PAIRS, least // 2)} pairs for each audio (the paper: {PAIRS})"


def _distributions(
    generated: list[NDArray[np.float64]], real: list[NDArray[np.float64]], instruments: Instruments
) -> tuple[Row, list[str]]:
    made, true = np.concatenate(generated), np.concatenate(real)
    if min(len(made), len(true)) < 2:
        return {}, ["FD and WInD left out: they compare sets, and here is one window"]
    distance = frechet_distance(true, made)
    figures, notes = {"fd": distance.value}, [f"FD and WInD look at {len(true)} real and {len(made)} generated windows"]
    if distance.rank_deficient:
        notes.append("FD: fewer windows than the covariance needs for full rank; the value is biased upwards")
    if min(len(true), len(made)) < COMPONENTS:
        return figures, [*notes, f"WInD left out: fewer than {COMPONENTS} windows"]
    mixed = wind(true, made, repeats=instruments.repeats, seed=instruments.seed)
    figures |= {"wind": mixed.mean, "wind_deviation": mixed.deviation}
    return figures, notes


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

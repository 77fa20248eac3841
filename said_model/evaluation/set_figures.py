"""Figures of a set of clips that are no mean of the clips' own: distributions, pooled frames, correlations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from said_model.evaluation.clip_figures import ClipFigures, Row
from said_model.evaluation.instruments import Instruments
from said_model.evaluation.metrics.frechet import frechet_distance
from said_model.evaluation.metrics.intensity import Intensity, intensity_correlation
from said_model.evaluation.metrics.vertices import pooled
from said_model.evaluation.metrics.wind import COMPONENTS, wind

Features = Sequence[NDArray[np.float64]]


def pooled_lip_error(clips: Iterable[ClipFigures]) -> float:
    """Return the squared lip vertex error in mm² over the frames of all clips and samples; NaN without vertices."""
    errors = [error for clip in clips for error in clip.errors]
    return pooled(errors).squared * 1e6 if errors else float("nan")


def intensity_of(clips: Iterable[ClipFigures]) -> float:
    """Return the correlation of loudness and lip motion over clips and samples (SLCC); NaN where there is none."""
    return _correlation(one for clip in clips for one in clip.intensities)


def own_intensity_of(clips: Iterable[ClipFigures]) -> float:
    """Return the truth's own correlation."""
    return _correlation(one for clip in clips for one in clip.own_intensities)


def _correlation(intensities: Iterable[Intensity]) -> float:
    return intensity_correlation(list(intensities)).value


#: Figures that are computed from the measurements of any selection of clips.
OF_SETS: dict[str, Callable[[Iterable[ClipFigures]], float]] = {
    "lve_pooled_mm2": pooled_lip_error,
    "slcc": intensity_of,
}


def set_figures(clips: Sequence[ClipFigures]) -> Row:
    """Return the figures of :data:`OF_SETS` that have a value."""
    found = {name: figure(clips) for name, figure in OF_SETS.items()}
    return {name: value for name, value in found.items() if np.isfinite(value)}


def distributions(generated: Features, real: Features, instruments: Instruments) -> tuple[Row, list[str]]:
    """Return FD and WInD of the features (n, d) of all clips, and what a reader has to know of them."""
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

"""Systems side by side, with bootstrap confidence intervals over clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from blendvoca.errors import InputError
from said_model.evaluation.evaluate import Evaluation
from said_model.evaluation.metrics.frechet import frechet_distance
from said_model.evaluation.metrics.wind import COMPONENTS, wind
from said_model.evaluation.set_figures import OF_SETS

#: Share of the resampled values inside an interval.
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A figure over the clips that all systems share.

    :param value: over those clips.
    :param low: lower end of the interval (percentile of the bootstrap).
    :param high: its upper end.
    :param clips: clips it was taken over.
    :param windows: of them that FD and WInD looked at, generated ones.
    """

    value: float
    low: float
    high: float
    clips: int
    windows: int | None = None


def compare(systems: Sequence[Evaluation], resamples: int = 1000, seed: int = 0) -> dict[str, dict[str, Interval]]:
    """Return figure to system to interval; every system is resampled with the same clips.

    Figures of sets are computed anew of every resample. FD is bootstrapped so too, with a tenth of the resamples, whose
    median is moved onto the value. The interval of WInD is over its repeats: mixtures depend on their random start.

    :raises InputError: if the systems share no two clips, or two have one name.
    """
    if len({system.name for system in systems}) != len(systems):
        found = [system.name for system in systems]
        raise InputError("two systems of one name", found=found, remedy="Name their folders differently.")
    shared = sorted(set.intersection(*(set(system.clips) for system in systems))) if systems else []
    if len(shared) < 2:
        raise InputError("nothing to compare", expected="two or more clips that all systems have", found=len(shared))
    drawn = np.random.default_rng(seed).integers(len(shared), size=(resamples, len(shared)))
    table: dict[str, dict[str, Interval]] = {}
    for system in systems:
        places = [system.clips.index(name) for name in shared]
        rows = [system.rows[place] for place in places]
        for figure in dict.fromkeys(name for row in rows for name in row):
            values = np.array([row.get(figure, np.nan) for row in rows])
            table.setdefault(figure, {})[system.name] = _mean_interval(values, drawn)
        for figure in OF_SETS if system.measured else ():
            joined = _set_interval(system, figure, places, drawn)
            if joined is not None:
                table.setdefault(figure, {})[system.name] = joined
        if system.latents:
            table.setdefault("fd", {})[system.name] = _distance_interval(
                system, places, drawn[: max(resamples // 10, 1)]
            )
            mixed = _mixture_interval(system, places, seed)
            if mixed is not None:
                table.setdefault("wind", {})[system.name] = mixed
    return table


def _mean_interval(values: np.ndarray, drawn: np.ndarray) -> Interval:
    finite = np.isfinite(values)
    if not finite.any():
        return Interval(float("nan"), float("nan"), float("nan"), 0)
    weight = finite[drawn].sum(axis=1)
    means = np.where(finite, values, 0.0)[drawn].sum(axis=1)[weight > 0] / weight[weight > 0]
    return _interval(float(values[finite].mean()), means, int(finite.sum()))


def _set_interval(system: Evaluation, figure: str, places: list[int], drawn: np.ndarray) -> Interval | None:
    clips = [system.measured[place] for place in places]
    value = OF_SETS[figure](clips)
    if not np.isfinite(value):
        return None
    values = np.array([OF_SETS[figure](clips[row] for row in rows) for rows in drawn])
    finite = values[np.isfinite(values)]
    return _interval(value, finite if len(finite) else np.array([value]), len(clips))


def _distance_interval(system: Evaluation, places: list[int], drawn: np.ndarray) -> Interval:
    def distance(rows: Sequence[int]) -> float:
        chosen = [places[row] for row in rows]
        real, made = (np.concatenate([parts[place] for place in chosen]) for parts in (system.real, system.latents))
        return frechet_distance(real, made).value

    values, value = np.array([distance(rows) for rows in drawn]), distance(range(len(places)))
    # Resamples repeat clips: their covariances rest on fewer windows, and FD rises. Only their spread is of use.
    values = (values - np.median(values) + value).clip(0.0)
    return _interval(value, values, len(places), _windows(system, places))


def _mixture_interval(system: Evaluation, places: list[int], seed: int) -> Interval | None:
    real, made = (np.concatenate([parts[place] for place in places]) for parts in (system.real, system.latents))
    if min(len(real), len(made)) < COMPONENTS:
        return None
    found = wind(real, made, seed=seed)
    return _interval(found.mean, np.array(found.values), len(places), len(made))


def _windows(system: Evaluation, places: list[int]) -> int:
    return sum(len(system.latents[place]) for place in places)


def _interval(value: float, values: np.ndarray, clips: int, windows: int | None = None) -> Interval:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(value, float(low), float(high), clips, windows)

"""Recipes by name: ``--preset paper``, ``short`` and ``demo`` of each training, as changes of its default settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar

from blendvoca.errors import ConfigurationError, nearest
from said_model.training.settings import DistillSettings, LoopSettings, SaidSettings, SyncSettings, VaeSettings

Settings = TypeVar("Settings", bound=LoopSettings)

#: What short trainings have in common: eight minutes on one core for the sample corpus (``docs/training.md``).
_SHORT: dict[str, Any] = {
    "width": 64, "prediction": "sample", "scale": 8.0, "steps": 6000, "learning_rate": 2e-3, "decay": "cosine",
    "warmup": 200, "clip_norm": 0.0, "ema": 0.998, "evaluate_every": 500,
}  # fmt: skip
#: What the shipped weights were made with.
_DEMO: dict[str, Any] = {
    **_SHORT, "width": 96, "stack": True, "stack_steps": 20_000, "acoustics": "room", "views": 4, "weigh_shapes": True,
    "lip_weight": 1.0, "closure_weight": 2.0,
    "steps": 4500, "batch": 12, "learning_rate": 1.5e-3, "clip_norm": 1.0, "evaluate_every": 900,
}  # fmt: skip
#: Squared errors have their least at the mean, absolute ones at the median, which lies near zero where a shape mostly
#: rests. Squared velocities are small against squared positions, and hardly count unless they are weighed.
_SQUARED: dict[str, Any] = {"error": "squared", "velocity_weight": 30.0, "guidance": 0.25}
_VAE_SHORT: dict[str, Any] = {"steps": 20_000, "warmup": 500, "clip_norm": 0.0, "evaluate_every": 1000}

PRESETS: dict[type[LoopSettings], dict[str, dict[str, Any]]] = {
    SaidSettings: {"paper": {"validation": "clips"}, "short": {**_SHORT, **_SQUARED}, "demo": _DEMO},
    DistillSettings: {"short": {}, "demo": {"acoustics": "room", "guidance": 1.0}},
    VaeSettings: {"paper": {}, "short": _VAE_SHORT, "demo": _VAE_SHORT},
    SyncSettings: {"short": {}, "demo": {}},
}
#: Options that a preset leaves free: a run of it may be shorter, on another device, with another seed.
FREE = ("steps", "epochs", "seed", "precision", "engine", "evaluate_every", "no_cache")


def resolve(kind: type[Settings], preset: str | None, given: Mapping[str, Any]) -> Settings:
    """Return the settings of a preset with what was given.

    :param kind: of settings.
    :param preset: a name, or ``None`` for the defaults.
    :param given: settings that were chosen besides, by name.
    :raises ConfigurationError: for an unknown preset, options that contradict it, or both steps and epochs.
    """
    given = {name: value for name, value in given.items() if value is not None}
    if "steps" in given and "epochs" in given:
        raise ConfigurationError("--steps and --epochs contradict each other", expected="one of them",
                                 found=(given["steps"], given["epochs"]))  # fmt: skip
    named = _named(kind, preset)
    default = {field.name: field.default for field in fields(kind)}
    whole = {**default, **named}
    if preset is not None:
        other = [name for name, value in given.items() if name not in FREE and value != whole[name]]
        if other:
            raise ConfigurationError(
                f"--preset {preset} and other options contradict each other",
                expected=", ".join(f"{_flag(kind, name)} {whole[name]}" for name in other),
                found=", ".join(f"{_flag(kind, name)} {given[name]}" for name in other),
                remedy="Leave out the preset, or these options.",
            )
    return kind(**{**named, **given})


def _named(kind: type[LoopSettings], preset: str | None) -> dict[str, Any]:
    known = PRESETS[kind]
    if preset is None:
        return {}
    if preset not in known:
        why = ": the paper trains no such model" if preset == "paper" else nearest(preset, known)
        raise ConfigurationError(f"unknown preset {preset!r}{why}", expected=sorted(known))
    return known[preset]


def _flag(kind: type[LoopSettings], name: str) -> str:
    field = next(field for field in fields(kind) if field.name == name)
    return "--" + (field.metadata["flag"] or name).replace("_", "-")

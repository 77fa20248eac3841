"""Options of the commands that train, made of the settings' dataclasses: a default stands there and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, fields
from typing import Any, TypeVar

import click

from said_model.training.presets import PRESETS
from said_model.training.settings import LoopSettings

Command = TypeVar("Command", bound=Callable[..., Any])
_KINDS: dict[str, Any] = {"int": int, "int | None": int, "float": float, "float | None": float, "str": str}


def training_options(kind: type[LoopSettings], without: tuple[str, ...] = ()) -> Callable[[Command], Command]:
    """Return a decorator that adds a preset, the options of a kind of settings, and the device.

    An option that is not given is ``None``: its value is the preset's, or the default.

    :param without: settings that the command has an option of its own for.
    """

    def add(command: Command) -> Command:
        own = [_option(field) for field in fields(kind) if field.name not in without]
        options = [_preset_option(kind), *own, _DEVICE]
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _preset_option(kind: type[LoopSettings]) -> Callable[[Command], Command]:
    """Return the option ``--preset``."""
    return click.option("--preset", metavar=f"[{'|'.join(PRESETS[kind])}]", help="A recipe by name (docs/training.md).")


_DEVICE = click.option("--device", default="auto", show_default=True, metavar="[auto|cpu|cuda]",
                       help="Where it runs; several GPUs through `accelerate launch`.")  # fmt: skip


def _option(field: Field[Any]) -> Callable[[Command], Command]:
    name, default = "--" + (field.metadata["flag"] or field.name).replace("_", "-"), field.default
    text = field.metadata["help"]
    if field.type == "bool":
        return click.option(name, field.name, is_flag=True, default=None, help=text)
    shown = "" if default is None else f"  [default: {default:,}]" if field.type == "int" else f"  [default: {default}]"
    choices = field.metadata["choices"]
    kind = click.Choice(choices) if choices else _KINDS[str(field.type)]
    return click.option(name, field.name, type=kind, default=None, help=text + shown)


def given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given."""
    return {name: value for name, value in options.items() if value is not None}

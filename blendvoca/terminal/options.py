"""Options whose defaults are those of the configuration that they fill."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import MISSING, Field, fields
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def one_of(names: Iterable[str]) -> str:
    """Return how the help shows what an option may be; the command itself checks it, and suggests the nearest.

    :param names: the choices.
    """
    return f"[{'|'.join(names)}]"


def default_of(config: type, field: str) -> Any:
    """Return the default of a dataclass's field.

    :param config: a dataclass.
    :param field: name of one of its fields.
    :raises KeyError: if it has no such field, or the field no default.
    """
    found: dict[str, Field[Any]] = {one.name: one for one in fields(config)}
    default, factory = found[field].default, found[field].default_factory
    if default is not MISSING:
        return default
    if factory is MISSING:
        raise KeyError(f"{config.__name__}.{field} has no default")
    return factory()


def setting(config: type, field: str, *flags: str, **more: Any) -> Callable[[Command], Command]:
    """Return a click option that shows and takes the default of a dataclass's field.

    :param config: a dataclass.
    :param field: name of one of its fields.
    :param flags: as for :func:`click.option`.
    :param more: as for :func:`click.option`.
    """
    return click.option(*flags, default=default_of(config, field), show_default=True, **more)

"""Groups of options that reach a command as one object."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, TypeVar

Command = TypeVar("Command", bound=Callable[..., Any])


def option_group(name: str, make: Callable[..., Any], *options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a decorator that adds options to a command and hands it what they make.

    :param name: the command's parameter.
    :param make: takes the options' values by name.
    :param options: of click.
    """
    own = inspect.signature(make).parameters

    def decorate(command: Command) -> Any:
        @functools.wraps(command)
        def wrapped(**values: Any) -> Any:
            chosen = {key: values.pop(key) for key in own}
            return command(**values, **{name: make(**chosen)})

        decorated: Any = wrapped
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


def default_of(kind: type[Any], name: str) -> Any:
    """Return the default of a dataclass's field: where it stands, and nowhere else."""
    field = next(one for one in fields(kind) if one.name == name)
    return field.default_factory() if field.default_factory is not MISSING else field.default

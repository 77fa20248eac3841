"""Groups of options that reach a command as one object."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
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

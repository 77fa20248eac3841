"""Settings of models from files: every number has a type and a range, every name is known.

The ranges lie far around anything that is trained, and keep a few bytes of JSON from asking for terabytes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import fields
from numbers import Integral, Real
from typing import Any

from blendvoca.errors import ConfigurationError, InputError, nearest
from blendvoca.internal.names import check_label, check_labels, shown

#: Frames per second, channels of a layer, width of features, blendshapes.
LOWEST_FPS, HIGHEST_FPS, WIDEST, MOST_FEATURES, MOST_SHAPES = 0.5, 1000.0, 8192, 65_536, 10_000
#: Numbers, entries of a list, layers and levels of nesting in the settings of a speech encoder that another library
#: builds. XLS-R, the largest that is published, has 48 layers 1920 wide.
_LARGEST, _LONGEST, _MOST_LAYERS, _DEEPEST = 1_000_000, 1000, 200, 6


def require(condition: bool, what: str, expected: object, found: object) -> None:
    """Refuse a setting.

    :raises ConfigurationError: unless ``condition`` holds.
    """
    if not condition:
        raise ConfigurationError(what, expected=expected, found=found)


def require_integer(value: object, what: str, least: int, most: int) -> None:
    """Refuse a setting that is no whole number from ``least`` to ``most``.

    :raises ConfigurationError: naming the range.
    """
    good = isinstance(value, Integral) and not isinstance(value, bool) and least <= int(value) <= most
    require(good, f"wrong {what}", f"a whole number from {least} to {most}", shown(value))


def require_number(value: object, what: str, least: float, most: float) -> None:
    """Refuse a setting that is no number from ``least`` to ``most``.

    :raises ConfigurationError: naming the range.
    """
    try:
        good = isinstance(value, Real) and not isinstance(value, bool) and least <= float(value) <= most
    except OverflowError:  # a whole number beyond all floats
        good = False
    require(good, f"wrong {what}", f"a number from {least:g} to {most:g}", shown(value))


def require_shapes(names: Sequence[object]) -> None:
    """Refuse blendshapes of a model that are no distinct labels.

    :raises ConfigurationError: naming those that are not.
    """
    require(0 < len(names) <= MOST_SHAPES, "wrong number of blendshapes", f"1 to {MOST_SHAPES}", len(names))
    check_labels(names, "blendshape", ConfigurationError)


def listed(values: Any, what: str) -> tuple[Any, ...]:
    """Return a list of settings as a tuple.

    :raises ConfigurationError: for anything but a list: text would fall into letters.
    """
    require(isinstance(values, list | tuple), f"wrong {what}", "a list", shown(values))
    return tuple(values)


def build(kind: type[Any], data: Any) -> Any:
    """Make a dataclass of settings by name.

    :raises ConfigurationError: for an unknown or missing setting, or a value out of range.
    """
    if not isinstance(data, Mapping):
        raise ConfigurationError(f"unreadable {kind.__name__}", expected="names with values", found=shown(data))
    known = {f.name for f in fields(kind)}
    for key in data:
        if key not in known:
            raise ConfigurationError(
                f"unknown setting {shown(key)} of {kind.__name__}{nearest(str(key)[:60], known)}",
                expected=sorted(known),
            )
    try:
        return kind(**data)
    except (TypeError, OverflowError) as error:
        raise ConfigurationError(f"unreadable {kind.__name__}", found=str(error)[:200]) from error


def require_bounded(settings: Any, what: str, depth: int = 0) -> None:
    """Refuse settings for another library's model that hold anything but short lists of names and ordinary numbers.

    :raises ConfigurationError: naming the setting.
    """
    require(depth <= _DEEPEST, f"wrong {what}", f"at most {_DEEPEST} levels", "more")
    if isinstance(settings, Mapping | list | tuple):
        require(len(settings) <= _LONGEST, f"wrong {what}", f"at most {_LONGEST} entries", len(settings))
        entries = settings.items() if isinstance(settings, Mapping) else [(what, value) for value in settings]
        for key, value in entries:
            require(isinstance(key, str | int), f"wrong {what}", "names with values", shown(key))
            require_bounded(value, str(key)[:60], depth + 1)
    elif isinstance(settings, str):
        require(len(settings) <= _LONGEST, f"wrong {what}", f"at most {_LONGEST} characters", len(settings))
    elif settings is not None and not isinstance(settings, bool):
        most = _MOST_LAYERS if "layers" in what else _LARGEST
        require_number(settings, what, -most, most)
        require(math.isfinite(settings), f"wrong {what}", "a number", shown(settings))


def require_label(value: object, what: str) -> None:
    """Refuse a name that is not text of printable characters.

    :raises ConfigurationError: otherwise.
    """
    try:
        check_label(value, what)
    except InputError as error:
        raise ConfigurationError(error.what, expected=error.expected, found=error.found) from error

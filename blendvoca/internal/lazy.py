"""Packages whose names are loaded when they are first used, so that importing a package costs next to nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any


def lazy_names(
    package: str, homes: Mapping[str, str], load: Callable[[str], ModuleType] = import_module
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return a package's ``__getattr__`` and ``__dir__`` (PEP 562).

    :param package: name of the package.
    :param homes: exported name to the module that defines it, relative to the package.
    :param load: imports a module by its full name.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(load(f"{package}.{homes[name]}"), name)

    return get, lambda: sorted(homes)


def html_by(name: str) -> Callable[[Any], str]:
    """Return a ``_repr_html_`` that a function of :mod:`blendvoca.view.notebook` writes.

    Value types do not know what draws them; it is looked up when a notebook asks.

    :param name: of the function, which takes the value.
    """

    def _repr_html_(self: Any) -> str:
        html: str = getattr(import_module("blendvoca.view.notebook"), name)(self)
        return html

    return _repr_html_

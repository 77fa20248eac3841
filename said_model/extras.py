"""Optional packages: present, or named in the error together with the command that brings them."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

from blendvoca.errors import MissingDependencyError

#: Packages of the extra ``said``.
PACKAGES = ("torch", "transformers", "diffusers", "accelerate", "safetensors", "sklearn", "huggingface_hub")


def require_package(name: str, purpose: str, extra: str = "said") -> Any:
    """Import an optional package.

    :param name: of the package.
    :param purpose: what needs it.
    :param extra: of this project that brings it.
    :raises MissingDependencyError: if it is not installed.
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise MissingDependencyError(name, extra, purpose) from error


def import_optional(module: str) -> ModuleType:
    """Import a module of this package that needs the extra ``said``.

    :raises MissingDependencyError: if one of its packages is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in PACKAGES:
            raise
        raise MissingDependencyError(str(error.name), "said", "the SAiD model") from error

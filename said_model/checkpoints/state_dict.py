"""Weights as plain tensors: read and written without running anything that a file holds, checked by name and shape.

Safetensors files are ours; other files are pickles of torch, read with its restricted loader, which builds tensors and
plain containers and nothing else.
"""

from __future__ import annotations

import pickle
import re
import zipfile
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from blendvoca.errors import FormatError, MissingInputError, UnsafePickleError
from blendvoca.internal.limits import WEIGHTS
from blendvoca.internal.names import first_line
from blendvoca.io.archive import open_zip
from blendvoca.io.atomic import write_bytes
from blendvoca.io.files import check_file
from said_model.extras import require_package

SUFFIX = ".safetensors"


def write_weights(path: Path, state: Mapping[str, Tensor]) -> None:
    """Write tensors as safetensors, atomically.

    :param path: of the file.
    :param state: names with tensors, on any device.
    :raises OutputError: if the folder cannot be written.
    """
    safetensors = require_package("safetensors.torch", "writing weights")
    write_bytes(path, safetensors.save({k: v.detach().cpu().contiguous() for k, v in state.items()}))


def read_weights(path: str | PathLike[str], remedy: str | None = None) -> dict[str, Tensor]:
    """Read a state dict, on the CPU; ``module.`` before names and a wrapping ``state_dict`` or ``model`` are taken off.

    :param path: a ``.safetensors`` file, else a file that ``torch.save`` wrote.
    :param remedy: what the user can do where this is none.
    :raises MissingInputError: if there is no such file.
    :raises UnsafePickleError: if it holds anything but tensors and plain containers, or is no pickle.
    :raises FormatError: if it is no state dict.
    :raises MissingDependencyError: without safetensors, where the file is one.
    """
    file = Path(path)
    if not file.is_file():
        raise MissingInputError("no weights here", expected="a file with a state dict", path=file, remedy=remedy)
    content = _safetensors(file) if file.suffix == SUFFIX else read_restricted(file, remedy)
    for key in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(key), Mapping):
            content = content[key]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise FormatError("not a state dict", expected="names with tensors", found=type(content).__name__, path=file,
                          remedy=remedy)  # fmt: skip
    return {str(key).removeprefix("module."): value for key, value in content.items()}


def _safetensors(file: Path) -> dict[str, Tensor]:
    safetensors = require_package("safetensors.torch", "reading weights")
    check_file(file)
    try:
        content: dict[str, Tensor] = safetensors.load_file(file)
    except Exception as error:  # safetensors raises an error class of its own binary module
        raise FormatError("not a safetensors file", found=str(error), path=file) from error
    return content


def read_restricted(file: Path, remedy: str | None = None) -> Any:
    """Read what ``torch.save`` wrote, on the CPU: tensors and plain containers, nothing else.

    :param file: to read.
    :param remedy: what the user can do where this is none.
    :raises MissingInputError: if it cannot be read.
    :raises UnsafePickleError: if it holds anything else, or is no pickle.
    :raises FormatError: if it is damaged, or would unpack to more than it is.
    """
    _check_size(file)
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        # What torch says would send the reader to unrestricted unpickling.
        advice = "Do not load it by other means: it could run anything. Ask for the weights as plain tensors."
        raise UnsafePickleError(
            "the file holds more than weights, or is no pickle of weights",
            expected="a state dict of plain tensors",
            found=_what_is_refused(error),
            remedy=advice if remedy is None else f"{remedy} {advice}",
            path=file,
        ) from error
    except Exception as error:  # torch raises many kinds for a file that is none
        raise FormatError("not a file of torch weights", found=first_line(error), path=file, remedy=remedy) from error


def _check_size(file: Path) -> None:
    """Refuse an archive that would unpack to more than it is: torch stores tensors as they are.

    :raises FormatError: naming the limit.
    """
    check_file(file, archive=True)
    if zipfile.is_zipfile(file):
        with open_zip(file) as archive:
            WEIGHTS.check(sum(info.file_size for info in archive.infolist()), file.stat().st_size, file)


def _what_is_refused(error: Exception) -> str:
    """Return what torch's restricted loader met, without its advice on how to load it after all."""
    found = re.search(r"GLOBAL ([\w.]+)", str(error))
    return f"a call of {found[1]}" if found else "objects that are no tensors"


def fill(
    own: Mapping[str, Tensor],
    state: Mapping[str, Tensor],
    what: str,
    path: str | PathLike[str] | None = None,
    remedy: str | None = None,
) -> None:
    """Copy weights into a module's own tensors; parameters and errors as for :func:`compare`."""
    compare(own, state, what, path, remedy)
    with torch.no_grad():
        for key, value in own.items():
            value.copy_(state[key])


def compare(
    own: Mapping[str, Tensor],
    state: Mapping[str, Tensor],
    what: str,
    path: str | PathLike[str] | None = None,
    remedy: str | None = None,
) -> None:
    """Check that weights are those of a module.

    :param own: the module's ``state_dict()``, or the part of it that is to be filled.
    :param state: names with tensors, exactly those of ``own``, of the same shapes.
    :param what: whose parameters they are.
    :param path: where ``state`` was read.
    :param remedy: what the user can do where they do not fit.
    :raises FormatError: naming missing, left-over and misshapen parameters.
    """
    missing, extra = sorted(own.keys() - state.keys()), sorted(state.keys() - own.keys())
    shapes = [
        f"{key} {tuple(state[key].shape)} instead of {tuple(own[key].shape)}"
        for key in sorted(own.keys() & state.keys())
        if own[key].shape != state[key].shape
    ]
    for fault, names in (("are missing", missing), ("are left over", extra), ("have another shape", shapes)):
        if names:
            raise FormatError(
                f"weights of another architecture: {len(names)} parameters {fault}",
                expected=f"the {len(own)} parameters of {what}",
                found=", ".join(name[:120] for name in names[:3]) + (", …" if len(names) > 3 else ""),
                path=path,
                remedy=remedy,
            )

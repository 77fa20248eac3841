"""Devices by name."""

from __future__ import annotations

import torch

from blendvoca.errors import ConfigurationError


def pick_device(name: str = "auto") -> torch.device:
    """Return the device of a name; ``auto`` is CUDA where there is one.

    :param name: ``auto``, ``cpu``, ``cuda``, or ``cuda:1`` for one of several.
    :raises ConfigurationError: for a device that is not there.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigurationError("unknown device", expected="auto, cpu or cuda", found=repr(name)) from error
    if device.type not in ("cpu", "cuda"):
        raise ConfigurationError("unknown device", expected="auto, cpu or cuda", found=repr(name))
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigurationError(
            "no CUDA device on this machine", expected="a CUDA build of torch and a GPU",
            found=f"torch {torch.__version__}", remedy="Use --device cpu, or auto.",
        )  # fmt: skip
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigurationError("no such CUDA device", expected=f"cuda:0 to cuda:{torch.cuda.device_count() - 1}",
                                 found=name)  # fmt: skip
    return device

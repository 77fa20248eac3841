"""How large a network will be, before memory is taken for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

from blendvoca.errors import BlendvocaError, ConfigurationError
from blendvoca.internal.limits import MODEL
from blendvoca.internal.names import first_line

Model = TypeVar("Model", bound=nn.Module)


def outline(make: Callable[[], Model]) -> Model:
    """Make a network whose tensors have shapes and no memory.

    :param make: makes the network, with PyTorch's own functions for tensors.
    :raises ConfigurationError: if it cannot be made, or would take more memory than any model does; the error says how
        much.
    """
    try:
        with torch.device("meta"):
            network = make()
    except BlendvocaError:
        raise
    except (
        Exception
    ) as error:  # layers, and other libraries' models, raise many kinds for sizes that do not go together
        raise ConfigurationError("the settings make no network", found=first_line(error)) from error
    needed = sum(t.numel() * t.element_size() for t in (*network.parameters(), *network.buffers()))
    if needed > (most := MODEL.allowed()):
        raise ConfigurationError(
            "the network is too large", expected=f"at most {most / 2**30:.3g} GiB of weights",
            found=f"{needed / 2**30:.3g} GiB", remedy=MODEL.remedy,
        )  # fmt: skip
    return network

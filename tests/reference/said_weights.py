"""Weights that anyone can make again from the parameter names alone (conformance/README.md)."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor


def reference_tensor(key: str, shape: Sequence[int]) -> Tensor:
    """Return the weights of the parameter ``key``."""
    generator = np.random.Generator(np.random.PCG64(zlib.crc32(key.encode())))
    n = generator.standard_normal(tuple(shape), dtype=np.float32)
    if key.endswith(("original0", "weight_g")):
        values = 1 + 0.1 * np.abs(n)
    elif key == "null_cond_emb":
        values = n
    elif len(shape) == 1:
        values = 1 + 0.1 * n if key.endswith("weight") else 0.1 * n
    else:
        values = n / np.sqrt(np.prod(shape[1:]))
    return torch.from_numpy(np.asarray(values, dtype=np.float32))


def reference_state(shapes: Mapping[str, Sequence[int]]) -> dict[str, Tensor]:
    """Return a state dict for parameter names and shapes."""
    return {key: reference_tensor(key, shape) for key, shape in shapes.items()}

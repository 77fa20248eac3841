"""An accelerator that is none: tensors that live apart from the CPU's and refuse to be mixed with them.

PyTorch's spare device ``privateuseone`` computes on the CPU here, operator by operator, after the check that a GPU
makes: every tensor of an operator lies on the device, but for scalars, copies and indices. What runs here has no
forgotten ``.to(device)``; speed, memory and the kernels of a GPU it says nothing about.

To be imported before the code that it tests, in a process of its own: it changes PyTorch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.utils.backend_registration as registration
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device("privateuseone:0")
#: What happened since it was cleared: transfers by direction, waits for a value on the device, operators.
COUNTS: Counter[str] = Counter()
#: Operators that a GPU lets mix devices.
MIXING = {"aten::copy_", "aten::_to_copy", "aten::to", "aten::index", "aten::index_put_", "aten::_index_put_impl_"}


class Away(torch.Tensor):
    """A tensor on the accelerator; ``held`` is where it really lies."""

    @staticmethod
    def __new__(cls, held: Tensor) -> Away:
        return torch.Tensor._make_wrapper_subclass(
            cls, held.size(), strides=held.stride(), storage_offset=held.storage_offset(), dtype=held.dtype,
            device=DEVICE, requires_grad=False,
        )  # fmt: skip

    def __init__(self, held: Tensor) -> None:
        self.held = held

    def numpy(self, **settings: Any) -> Any:
        raise TypeError("numpy() of a tensor that lies on the accelerator")

    def __array__(self, *settings: Any) -> Any:
        raise TypeError("an array of a tensor that lies on the accelerator")

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _compute(func, args, kwargs or {})

    __torch_function__ = torch._C._disabled_torch_function_impl


class Accelerator(TorchDispatchMode):
    """While it is entered, the device can be used."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _compute(func, args, kwargs or {})


def _compute(func: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
    flat, _ = tree_flatten((args, kwargs))
    tensors = [value for value in flat if isinstance(value, Tensor)]
    target = next((value for value in flat if isinstance(value, torch.device)), None)
    name = func._schema.name
    here = any(isinstance(value, Away) for value in tensors)
    if here and name not in MIXING and any(not isinstance(value, Away) and value.dim() for value in tensors):
        raise RuntimeError(f"{name} mixes devices: {[(value.device.type, tuple(value.shape)) for value in tensors]}")
    if name == "aten::copy_":
        away = isinstance(args[0], Away)
    else:
        away = here if target is None else target.type == DEVICE.type
    _count(name, args, tensors, here, away)
    known: dict[int, Away] = {}

    def hold(value: Any) -> Any:
        if isinstance(value, Away):
            known[id(value.held)] = value
            return value.held
        return torch.device("cpu") if isinstance(value, torch.device) else value

    held_args, held_kwargs = tree_map(hold, (args, dict(kwargs)))
    with _disable_current_modes():
        result = func(*held_args, **held_kwargs)
        if name in ("aten::_to_copy", "aten::to") and any(result is value for value in held_args):
            result = result.clone()

    def send(value: Any) -> Any:
        if not isinstance(value, Tensor) or isinstance(value, Away):
            return value
        if id(value) in known:
            return known[id(value)]
        return Away(value) if away else value

    return tree_map(send, result)


#: Operators that give views or metadata: no kernel runs.
VIEWS = {
    "aten::" + name
    for name in (
        "view", "_unsafe_view", "expand", "permute", "transpose", "t", "unsqueeze", "squeeze", "slice", "select",
        "detach", "alias", "as_strided", "unfold", "split", "split_with_sizes", "chunk", "unbind", "reshape",
        "_local_scalar_dense", "is_same_size", "empty", "empty_like", "empty_strided", "new_empty", "resize_",
        "sym_size", "lift_fresh", "unsafe_split", "unsafe_chunk", "view_as_real", "_reshape_alias", "diagonal",
    )
}  # fmt: skip


def _count(name: str, args: Any, tensors: list[Any], here: bool, away: bool) -> None:
    """Count an operator on the device, a transfer, or a wait."""
    stays = [value for value in tensors if not isinstance(value, Away) and value.dim()]
    if name == "aten::_local_scalar_dense" and here:
        COUNTS["waits"] += 1
    elif (here and not away) or (name == "aten::copy_" and here and not isinstance(args[0], Away)):
        COUNTS["to the host"] += 1
    elif (away and not here and tensors) or (name == "aten::copy_" and stays):
        COUNTS["to the device"] += 1
    elif (here or away) and name not in VIEWS:
        COUNTS["operators"] += 1


def _made_here_then_moved(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """``torch.tensor`` and ``torch.as_tensor`` ask the device itself for memory."""

    def made(*values: Any, device: Any = None, **settings: Any) -> Tensor:
        tensor = make(*values, **settings)
        return tensor if device is None else tensor.to(device)

    return made


def move(module: nn.Module) -> nn.Module:
    """Move a module; to be called while the accelerator is entered."""
    for part in module.modules():
        for name, value in part._parameters.items():
            if value is not None:
                part._parameters[name] = nn.Parameter(value.detach().to(DEVICE), requires_grad=value.requires_grad)
        for name, buffer in part._buffers.items():
            if buffer is not None:
                part._buffers[name] = buffer.to(DEVICE)
    return module


def start() -> None:
    """Register the device with PyTorch."""
    registration._setup_privateuseone_for_python_backend()
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    torch.tensor, torch.as_tensor = _made_here_then_moved(torch.tensor), _made_here_then_moved(torch.as_tensor)
    # Tensors of inference mode cannot be wrapped.
    torch.inference_mode = lambda *mode: mode[0] if mode and callable(mode[0]) else torch.no_grad()  # type: ignore

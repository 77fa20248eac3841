"""Steps of a training: draw, forward, backward, update, average; nothing in a step waits for the device.

What a block of steps needs at random is drawn on the device first (:mod:`said_model.training.streams`), then the block
runs. On a GPU the forward pass is compiled and a whole block is captured in a CUDA graph; on a CPU, in several
processes and where a task cannot be captured, the same code runs operator by operator. Losses are summed on the device
and looked at when somebody asks for their means.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from blendvoca.errors import ConfigurationError
from said_model.training.average import WeightAverage
from said_model.training.settings import LoopConfig

#: Steps that are drawn, and on one GPU captured, together.
BLOCK = 50
_TYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Task(Protocol):
    """What is trained.

    ``module`` holds the parameters; ``chance`` is the loss of a model that has learned nothing, where it is known;
    ``capturable`` says that all that is random in :meth:`loss` comes from what was drawn, and that its code can be
    traced whole; ``block`` is the largest number of steps that can be drawn together.
    """

    module: nn.Module
    chance: float | None
    capturable: bool
    block: int

    def place(self, device: torch.device, rank: int) -> None:
        """Put what is trained on, and everything :meth:`loss` needs, on a device, for a process."""

    def draw(self, first: int, count: int) -> dict[str, Tensor]:
        """Return what steps ``first`` to ``first + count`` need, on the device: (count, …) by name."""

    def loss(self, drawn: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return ``loss`` and its parts for one step of what was drawn."""

    def validate(self) -> float:
        """Return the validation loss under the module's present weights; lower is better."""

    def save(self, folder: Any, notes: Mapping[str, Any]) -> None:
        """Write a checkpoint of the module's present weights."""


def learning_rates(config: LoopConfig, steps: Tensor) -> Tensor:
    """Return (n,) float32: :meth:`LoopConfig.rate_at` of (n,) steps, on their device."""
    place = steps.double()
    rate = config.learning_rate * ((place + 1) / max(config.warmup_steps, 1)).clamp(max=1.0)
    if config.decay == "cosine":
        rate = rate * 0.5 * (1 + (place * (math.pi / config.steps)).cos())
    return rate.float()


def average_decays(config: LoopConfig, steps: Tensor) -> Tensor:
    """Return (n,) float32: :meth:`LoopConfig.ema_at` of (n,) steps, on their device."""
    place = steps.double()
    return torch.where(steps > 0, ((1 + place) / (10 + place)).clamp(max=config.ema_decay), 0.0).float()


def chosen_precision(config: LoopConfig, device: torch.device) -> str:
    """Return the precision that ``auto`` stands for on a device."""
    if config.precision != "auto":
        return config.precision
    return "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "float32"


class Engine:
    """A task's optimiser, averaged weights and step.

    :param task: placed on ``device`` already.
    :param wrap: puts the module into what several processes share, after it was compiled.
    :param processes: that train together.
    :param rank: of this one.
    :param on_note: is called with what is done otherwise than was to be expected.
    """

    def __init__(
        self, task: Task, config: LoopConfig, device: torch.device,
        wrap: Callable[[nn.Module], nn.Module] | None = None, processes: int = 1, rank: int = 0,
        on_note: Callable[[str], None] = lambda note: None,
    ) -> None:  # fmt: skip
        self.task, self.config, self.device, self.rank, self.on_note = task, config, device, rank, on_note
        self.precision = chosen_precision(config, device)
        self.mode = self._mode(processes)
        self.parameters = [parameter for parameter in task.module.parameters() if parameter.requires_grad]
        self._rate = torch.zeros((), device=device)
        self.optimizer = torch.optim.AdamW(
            self.parameters, config.learning_rate, betas=config.betas, weight_decay=config.weight_decay, fused=True,
            capturable=device.type == "cuda",
        )  # fmt: skip
        self._rate_on_device()
        self.average = WeightAverage(self.parameters)
        self._scaler = torch.amp.GradScaler(device.type, enabled=self.precision == "float16")
        self._loss: Callable[[Mapping[str, Tensor]], dict[str, Tensor]] = task.loss
        if self.mode != "eager" and wrap is not None:
            task.module.compile()
        elif self.mode != "eager":
            self._loss = torch.compile(task.loss, fullgraph=True, dynamic=False)
        if wrap is not None:
            task.module = wrap(task.module)
        self.block = min(BLOCK, task.block, config.log_every)
        self._graph: CapturedSteps | None = None
        self._warm = False
        self.names: tuple[str, ...] = ()
        self.sums: Tensor | None = None
        self.counted = 0

    def _rate_on_device(self) -> None:
        """Let the optimiser read its learning rate from the device."""
        for group in self.optimizer.param_groups:
            group["lr"], group["capturable"] = self._rate, self.device.type == "cuda"

    def _mode(self, processes: int) -> str:
        """Return what ``auto`` stands for here, or refuse what cannot be."""
        asked, reason = self.config.engine, None
        if not self.task.capturable:
            reason = (
                "this training runs operator by operator (an encoder in the step, random lengths, or drawn latents)"
            )
        elif self.device.type != "cuda" or processes > 1 or self.precision == "float16":
            reason = "a CUDA graph needs one GPU, and bfloat16 or float32"
        if asked == "auto":
            return "eager" if reason else "graph"
        if reason and (asked == "graph" or (asked == "compiled" and not self.task.capturable)):
            raise ConfigurationError(f"--engine {asked} cannot be used here", found=reason,
                                     remedy="Use --engine eager, or auto.")  # fmt: skip
        return asked

    def advance(self, first: int, count: int, stopped: Callable[[], bool] = lambda: False) -> int:
        """Take steps ``first`` to ``first + count``, and return how many were taken before it was stopped."""
        drawn = self.draw(first, count)
        if self.mode == "graph" and count == self.block:
            self._block(drawn)
            return count
        self.task.module.train()
        for number in range(count):
            if number and stopped():
                return number
            self._seed(first + number)
            self.step({name: value[number] for name, value in drawn.items()})
        return count

    def draw(self, first: int, count: int) -> dict[str, Tensor]:
        """Return what the task needs for a block of steps, its learning rates and averaging."""
        steps = torch.arange(first, first + count, device=self.device)
        drawn = self.task.draw(first, count)
        return {**drawn, "rate": learning_rates(self.config, steps), "decay": average_decays(self.config, steps)}

    def step(self, drawn: Mapping[str, Tensor]) -> None:
        """Take one step."""
        autocast = nullcontext() if self.precision == "float32" else torch.autocast(
            self.device.type, _TYPES[self.precision], cache_enabled=self.mode == "eager"
        )  # fmt: skip
        with autocast:
            losses = self._loss(drawn)
        self._scaler.scale(losses["loss"]).backward()
        if self.config.clip_norm > 0:
            self._scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self.parameters, self.config.clip_norm)
        self._rate.copy_(drawn["rate"])
        self._scaler.step(self.optimizer)
        self._scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update(drawn["decay"])
        values = torch.stack([value.detach().float() for value in losses.values()])
        if self.sums is None:
            self.names, self.sums = tuple(losses), torch.zeros_like(values)
        self.sums += values
        self.counted += 1

    def means(self) -> dict[str, float]:
        """Return the mean losses since the last call: here the host waits for the device."""
        if self.sums is None or not self.counted:
            return {}
        values = (self.sums / self.counted).cpu().tolist()
        self.sums.zero_()
        self.counted = 0
        return dict(zip(self.names, values))

    def _seed(self, step: int) -> None:
        """Seed what a task draws by itself; a capturable one draws nothing."""
        if not self.task.capturable:
            seed = int(np.random.SeedSequence([self.config.seed, step, self.rank]).generate_state(1)[0])
            torch.manual_seed(seed)
            np.random.seed(seed)  # noqa: NPY002  # transformers draws the masking of its encoders from it

    def _block(self, drawn: Mapping[str, Tensor]) -> None:
        """Take a block of steps by its graph; the first block runs without, beside the default stream, to warm up."""
        if self._graph is None and self._warm:
            self._capture(drawn)
        if self._graph is not None:
            self._graph.run(drawn)
            self.counted += self.block
            return
        self.task.module.train()
        here, side = torch.cuda.current_stream(), torch.cuda.Stream()
        side.wait_stream(here)
        with torch.cuda.stream(side):
            for number in range(self.block):
                self.step({name: value[number] for name, value in drawn.items()})
        here.wait_stream(side)
        self._warm = True

    def _capture(self, drawn: Mapping[str, Tensor]) -> None:
        counted = self.counted
        self.task.module.train()
        try:
            self._graph = CapturedSteps(self.step, self.block, drawn)
        except RuntimeError as error:
            if self.config.engine == "graph" or isinstance(error, torch.cuda.OutOfMemoryError):
                raise
            self.mode = "compiled"
            self.on_note(
                f"the step could not be captured in a CUDA graph and runs without: {str(error).splitlines()[0]}"
            )
        self.counted = counted

    def state(self) -> dict[str, Any]:
        """Return optimiser, averages and sums, for a run that goes on."""
        return {
            "optimizer": self.optimizer.state_dict(), "scaler": self._scaler.state_dict(),
            "average": [value.cpu() for value in self.average.values], "names": list(self.names),
            "sums": self.sums.cpu() if self.sums is not None else None, "counted": self.counted,
        }  # fmt: skip

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state.

        :raises ValueError: if it holds other tensors than :meth:`state` wrote; what is no state raises other kinds too.
        """
        self._load_optimizer(state["optimizer"])
        self._scaler.load_state_dict(state["scaler"])
        require_like(state["average"], self.average.values, "averages")
        self.average.load(state["average"])
        names, counted, sums = state["names"], state["counted"], state["sums"]
        if not all(isinstance(name, str) for name in names) or type(counted) is not int or counted < 0:
            raise ValueError("sums without names or counts")
        if sums is not None:
            require_like([sums], [torch.empty(len(names))], "sums")
        self.names, self.counted = tuple(names), counted
        self.sums = sums.to(self.device) if sums is not None else None

    def _load_optimizer(self, state: Mapping[str, Any]) -> None:
        # Learning rate and the like are those of the settings, which were compared; the state holds the moments.
        own = [{key: value for key, value in group.items() if key != "params"} for group in self.optimizer.param_groups]
        self.optimizer.load_state_dict(dict(state))
        for group, values in zip(self.optimizer.param_groups, own, strict=True):
            group.update(values)
        for parameter, held in self.optimizer.state.items():
            require_like([held["exp_avg"], held["exp_avg_sq"]], [parameter, parameter], "moments")
            require_like([held["step"]], [torch.empty(())], "counts of steps")
        self._rate_on_device()


def require_like(found: Sequence[Any], wanted: Sequence[Tensor], what: str) -> None:
    """Refuse anything but finite tensors of the same shapes, which PyTorch would otherwise stretch or fail on later.

    :raises ValueError: naming what differs.
    """
    if not all(isinstance(value, Tensor) for value in found):
        raise ValueError(f"{what} that are no tensors")
    if [value.shape for value in found] != [value.shape for value in wanted]:
        raise ValueError(f"{what} of other shapes")
    if not all(bool(value.isfinite().all()) for value in found):
        raise ValueError(f"{what} that are no numbers")


class CapturedSteps:
    """A block of steps as one CUDA graph.

    :param step: takes one step of what was drawn.
    :param count: steps.
    :param drawn: for them; what is drawn later must have the same shapes.
    """

    def __init__(self, step: Callable[[Mapping[str, Tensor]], None], count: int, drawn: Mapping[str, Tensor]) -> None:
        self._drawn = {name: value.clone() for name, value in drawn.items()}
        self._graph = torch.cuda.CUDAGraph()
        torch.cuda.synchronize()
        with torch.cuda.graph(self._graph):
            for number in range(count):
                step({name: value[number] for name, value in self._drawn.items()})

    def run(self, drawn: Mapping[str, Tensor]) -> None:
        """Take the steps of what was drawn."""
        for name, value in self._drawn.items():
            value.copy_(drawn[name])
        self._graph.replay()


@contextmanager
def fast_products(device: torch.device) -> Iterator[None]:
    """Let float32 products on a GPU run in TF32 for a while."""
    matrices, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
    before = matrices.allow_tf32, convolutions.allow_tf32
    if device.type == "cuda":
        matrices.allow_tf32 = convolutions.allow_tf32 = True
    try:
        yield
    finally:
        matrices.allow_tf32, convolutions.allow_tf32 = before

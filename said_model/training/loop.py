"""The training loop that every model here shares: optimiser, averaged weights, validation, resuming, a log.

Whatever is random in a step follows from the seed and the step's number, so a run that was stopped and resumed gives
the weights of one that was not.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from blendvoca.errors import ConfigurationError, FormatError, OutputError, SolverError
from blendvoca.io.atomic import write_text
from said_model.config import require
from said_model.devices import pick_device
from said_model.extras import require_package
from said_model.training.run_folder import RunLog, only_run, save_state

STATE_FILE, SETTINGS_FILE = "state.pt", "training.json"
PRECISIONS = ("no", "bf16", "fp16")
DECAYS = ("constant", "cosine")


@dataclass(frozen=True)
class LoopConfig:
    """How long, how fast, how often (paper 5.1 and supplement 11.2).

    :param steps: optimiser steps.
    :param batch: windows a step and process.
    :param learning_rate: of AdamW, reached after ``warmup`` steps.
    :param decay: ``constant`` holds the learning rate (the paper); ``cosine`` lets it fall to zero at the last step,
        which brings short trainings further.
    :param ema_decay: of the averaged weights, which are what is kept and validated.
    :param evaluate_every: steps between validations; the best is kept, and the state for resuming is written.
    :param precision: ``no``, ``bf16`` or ``fp16``.
    :param compile: compile the network (worth it on a GPU).
    """

    steps: int = 50_000
    batch: int = 8
    learning_rate: float = 1e-5
    warmup: int = 500
    decay: str = "constant"
    weight_decay: float = 1e-2
    betas: tuple[float, float] = (0.9, 0.999)
    ema_decay: float = 0.9999
    evaluate_every: int = 1000
    log_every: int = 50
    seed: int = 0
    precision: str = "no"
    compile: bool = False

    def __post_init__(self) -> None:
        counts = (self.steps, self.batch, self.evaluate_every, self.log_every)
        require(min(counts) >= 1, "steps, batch and intervals count from one", "1 or more", counts)
        require(self.learning_rate > 0, "wrong learning rate", "a positive number", self.learning_rate)
        require(self.decay in DECAYS, "unknown decay of the learning rate", DECAYS, self.decay)
        require(0 <= self.ema_decay < 1, "wrong decay of the averaged weights", "0 to 1", self.ema_decay)
        require(self.precision in PRECISIONS, "unknown precision", PRECISIONS, self.precision)

    def rate_at(self, step: int) -> float:
        """Return the learning rate of a step, counted from zero."""
        warm = min((step + 1) / max(self.warmup, 1), 1.0)
        fallen = 0.5 * (1 + math.cos(math.pi * step / self.steps)) if self.decay == "cosine" else 1.0
        return self.learning_rate * warm * fallen


class Task(Protocol):
    """What is trained.

    ``module`` holds the parameters; ``chance`` is the loss of a model that has learned nothing, where it is known.
    """

    module: nn.Module
    chance: float | None

    def loss(self, step: int, rank: int, device: torch.device) -> dict[str, Tensor]:
        """Return ``loss`` and its parts for one batch."""

    def validate(self, device: torch.device) -> float:
        """Return the validation loss under the module's present weights; lower is better."""

    def save(self, folder: Path, notes: Mapping[str, Any]) -> None:
        """Write a checkpoint of the module's present weights."""


@dataclass(frozen=True)
class Report:
    """What is told while training.

    :param step: steps done.
    :param steps: steps in all.
    :param losses: means since the last report.
    :param validation: the newest validation loss, where there is one.
    :param rate: steps a second.
    :param warning: something that looks wrong, in a sentence.
    """

    step: int
    steps: int
    losses: Mapping[str, float]
    validation: float | None
    rate: float
    warning: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How a training ended."""

    steps: int
    best_step: int
    best_validation: float
    seconds: float


def run(
    task: Task,
    out: str | Path,
    config: LoopConfig,
    facts: Mapping[str, Any],
    on_report: Callable[[Report], None] | None = None,
    device: str | None = None,
) -> Outcome:
    """Train a task into a folder; go on where an earlier run of the same settings stopped.

    :param facts: further settings, recorded and compared when resuming.
    :param on_report: called at every report; of several processes, in the first.
    :param device: ``"cpu"`` keeps the training off a GPU, ``"cuda"`` insists on one; by default accelerate chooses.
    :raises ConfigurationError: if the folder holds a run of other settings, or for a device that is not there.
    :raises SolverError: if the loss is no longer a number.
    """
    return _Loop(task, Path(out), config, facts, on_report or (lambda report: None), device).run()


class _Loop:
    def __init__(
        self,
        task: Task,
        out: Path,
        config: LoopConfig,
        facts: Mapping[str, Any],
        on_report: Callable[[Report], None],
        device: str | None,
    ) -> None:
        accelerate = require_package("accelerate", "training")
        training_utils = require_package("diffusers.training_utils", "training")
        if device is not None and pick_device(device).index is not None:
            raise ConfigurationError("a training takes the GPU that it is given", expected="auto, cpu or cuda",
                                     found=device, remedy="Name the GPU in CUDA_VISIBLE_DEVICES.")  # fmt: skip
        self.task, self.out, self.config, self.on_report = task, out, config, on_report
        self.accelerator = accelerate.Accelerator(mixed_precision=config.precision, cpu=device == "cpu")
        self.settings = json.loads(json.dumps({"loop": dataclasses.asdict(config), **facts}))
        trained = [parameter for parameter in task.module.parameters() if parameter.requires_grad]
        self.optimizer: Any = torch.optim.AdamW(
            trained, config.learning_rate, betas=config.betas, weight_decay=config.weight_decay, fused=True
        )
        task.module.to(self.accelerator.device)
        self.trained = trained
        self.average = training_utils.EMAModel(trained, decay=config.ema_decay)
        self.average.to(self.accelerator.device)
        if config.compile:
            task.module.compile()
        task.module, self.optimizer = self.accelerator.prepare(task.module, self.optimizer)
        self.step, self.best, self.best_step = 0, math.inf, 0
        self.validation: float | None = None
        self.log = RunLog(out)

    def run(self) -> Outcome:
        self._check_folder()
        with only_run(self.out) if self.accelerator.is_main_process else nullcontext():
            self._resume()
            return self._train()

    def _check_folder(self) -> None:
        """Refuse a folder of something else; a run that was stopped before it wrote its state may begin anew."""
        found = {path.name for path in self.out.iterdir()} if self.out.is_dir() else set()
        if not found & {STATE_FILE, SETTINGS_FILE} and any(not name.startswith(".") for name in found):
            raise OutputError("the folder holds something else", expected="an empty folder, or a run to go on with",
                              path=self.out)  # fmt: skip
        self.accelerator.wait_for_everyone()

    def _train(self) -> Outcome:
        began, tick, tick_step, sums = time.monotonic(), time.monotonic(), self.step, dict[str, float]()
        first: float | None = None
        while self.step < self.config.steps:
            losses = self._take_step()
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach())
            if self.step % self.config.evaluate_every == 0 or self.step == self.config.steps:
                self._evaluate()
            if self.step % self.config.log_every == 0 or self.step == self.config.steps:
                count = self.step - tick_step
                means = {name: total / count for name, total in sums.items()}
                first = means["loss"] if first is None else first
                rate = count / max(time.monotonic() - tick, 1e-9)
                self._report(means, rate, first)
                tick, tick_step, sums = time.monotonic(), self.step, {}
        return Outcome(self.step, self.best_step, self.best, time.monotonic() - began)

    def _take_step(self) -> dict[str, Tensor]:
        rank = self.accelerator.process_index
        seed = int(np.random.SeedSequence([self.config.seed, self.step, rank]).generate_state(1)[0])
        torch.manual_seed(seed)
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.rate_at(self.step)
        self.task.module.train()
        with self.accelerator.autocast():
            losses = self.task.loss(self.step, rank, self.accelerator.device)
        self._require_number(float(losses["loss"].detach()))
        self.accelerator.backward(losses["loss"])
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.step(self.trained)
        self.step += 1
        return losses

    def _require_number(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise SolverError(
                "training diverged: the loss is no longer a number",
                found=f"step {self.step}",
                remedy="Lower the learning rate, or train without reduced precision; the best checkpoint is kept.",
            )

    def _evaluate(self) -> None:
        """Validate the averaged weights, keep them where they are the best, write the state."""
        self.average.store(self.trained)
        self.average.copy_to(self.trained)
        self.task.module.eval()
        with torch.no_grad():
            validation = self.validation = self.task.validate(self.accelerator.device)
        # Weights that are no numbers must not get into the state: no later run could go on from it.
        self._require_number(validation)
        if validation < self.best:
            self.best, self.best_step = validation, self.step
            if self.accelerator.is_main_process:
                notes = {"step": self.step, "validation": validation, "training": self.settings}
                self.task.save(self.out, notes)
        self.average.restore(self.trained)
        if self.accelerator.is_main_process:
            self._write_state()

    def _report(self, means: Mapping[str, float], rate: float, first: float) -> None:
        warning = None
        chance = self.task.chance
        if self.step >= 1000 and chance is not None and means["loss"] > 0.95 * chance:
            warning = f"the loss {means['loss']:.3f} is that of a model that knows nothing ({chance:.3f})"
        elif self.step >= 1000 and means["loss"] > 1.05 * first:
            warning = f"the loss rose from {first:.3f} to {means['loss']:.3f}"
        report = Report(self.step, self.config.steps, means, self.validation, rate, warning)
        if self.accelerator.is_main_process:
            self.log.write(
                {"step": report.step, **report.losses, "validation": report.validation, "rate": report.rate}
            )
            self.on_report(report)

    def _write_state(self) -> None:
        state = {
            "module": self.accelerator.unwrap_model(self.task.module).state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": [shadow.cpu() for shadow in self.average.shadow_params],
            "average_steps": self.average.optimization_step,
            "step": self.step,
            "best": self.best,
            "best_step": self.best_step,
        }
        self._write_settings()
        save_state(self.out / STATE_FILE, state)

    def _write_settings(self) -> None:
        write_text(self.out / SETTINGS_FILE, json.dumps(self.settings, indent=1) + "\n")

    def _resume(self) -> None:
        path = self.out / STATE_FILE
        if not path.exists():
            if self.accelerator.is_main_process:
                self._write_settings()
                self.log.cut(0)
            return
        self._compare_settings()
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            self.accelerator.unwrap_model(self.task.module).load_state_dict(state["module"])
            self.optimizer.load_state_dict(state["optimizer"])
        except Exception as error:  # torch raises many kinds for a file that is none
            raise FormatError(
                "the state of the run cannot be read", found=(str(error) or type(error).__name__).splitlines()[0],
                path=path, remedy="The checkpoint beside it can be used; delete this file to train from the start.",
            ) from error  # fmt: skip
        self.average.shadow_params = [shadow.to(self.accelerator.device) for shadow in state["average"]]
        self.average.optimization_step = state["average_steps"]
        self.step, self.best, self.best_step = state["step"], state["best"], state["best_step"]
        if self.accelerator.is_main_process:
            self.log.cut(self.step)

    def _compare_settings(self) -> None:
        path = self.out / SETTINGS_FILE
        try:
            before = dict(json.loads(path.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise FormatError("the settings of the run cannot be read", found=error, path=path,
                              remedy="Choose another folder.") from error  # fmt: skip
        # A longer run of the same settings is the same run.
        changed = [key for key in before if _without_length(before[key]) != _without_length(self.settings.get(key))]
        if changed or before.keys() != self.settings.keys():
            raise ConfigurationError("the folder holds a run of other settings", found=f"other {changed}",
                                     path=self.out, remedy="Choose another folder, or the same settings.")  # fmt: skip


def _without_length(settings: Any) -> Any:
    if not isinstance(settings, dict):
        return settings
    # A falling learning rate depends on the length.
    free = ("log_every",) if settings.get("decay") == "cosine" else ("steps", "log_every")
    return {k: v for k, v in settings.items() if k not in free}

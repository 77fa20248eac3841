"""The training loop that every model here shares: validation, resuming, reports, stopping; the steps are the engine's.

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
from typing import Any

import torch

from blendvoca.errors import ConfigurationError, FormatError, OutputError, SolverError
from blendvoca.internal.names import first_line
from blendvoca.io.atomic import write_text
from blendvoca.io.json_file import anything, integer, mapping, number, optional, read_json, table
from said_model.checkpoints.state_dict import read_restricted
from said_model.devices import pick_device
from said_model.extras import require_package
from said_model.training.engine import Engine, Task, fast_products
from said_model.training.run_folder import RunLog, StopSignals, only_run, save_state
from said_model.training.settings import LoopConfig

STATE_FILE, SETTINGS_FILE = "state.pt", "training.json"
#: What a state says beside its tensors.
_COUNTERS = table({
    "module": mapping(anything), "step": integer(0), "best": number(), "best_step": integer(0),
    "validation": optional(number()),
})  # fmt: skip
#: Seconds after which the first state is written, and between states after that.
FIRST_STATE, STATE_EVERY = 60.0, 600.0


@dataclass(frozen=True)
class Report:
    """What is reported while training.

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
    """How a training ended.

    :param steps: done.
    :param best_step: of the best validation, 0 before the first.
    :param best_validation: its loss.
    :param seconds: that this run took.
    :param signal: what stopped it before its last step (the number of a signal), or ``None``.
    """

    steps: int
    best_step: int
    best_validation: float
    seconds: float
    signal: int | None = None


def run(
    task: Task,
    out: str | Path,
    config: LoopConfig,
    facts: Mapping[str, Any],
    on_report: Callable[[Report], None] | None = None,
    device: str | None = None,
    on_note: Callable[[str], None] | None = None,
    about: str = "",
) -> Outcome:
    """Train a task into a folder; go on where an earlier run of the same settings stopped.

    SIGINT and SIGTERM end it after the step that they come in, with a state to go on from.

    :param facts: further settings, recorded and compared when resuming.
    :param on_report: called at every report; of several processes, in the first.
    :param device: ``"cpu"`` keeps the training off a GPU, ``"cuda"`` insists on one; by default accelerate chooses.
    :param on_note: is called with sentences: what is trained on, how long it will take, and what is not as expected.
    :param about: what is trained on, for the first of those sentences.
    :raises ConfigurationError: if the folder holds a run of other settings, or for a device that is not there, or whose
        memory is too small.
    :raises SolverError: if the loss is no longer a number.
    """
    return _Loop(task, Path(out), config, facts, on_report, device, on_note, about).run()


class _Loop:
    def __init__(
        self, task: Task, out: Path, config: LoopConfig, facts: Mapping[str, Any],
        on_report: Callable[[Report], None] | None, device: str | None, on_note: Callable[[str], None] | None,
        about: str,
    ) -> None:  # fmt: skip
        accelerate = require_package("accelerate", "training")
        if device is not None and pick_device(device).index is not None:
            raise ConfigurationError("a training takes the GPU that it is given", expected="auto, cpu or cuda",
                                     found=device, remedy="Name the GPU in CUDA_VISIBLE_DEVICES.")  # fmt: skip
        self.task, self.out, self.config, self.about = task, out, config, about
        self.accelerator = accelerate.Accelerator(mixed_precision="no", cpu=device == "cpu")
        self.first = bool(self.accelerator.is_main_process)
        self.on_report = on_report if on_report is not None and self.first else lambda report: None
        self.on_note = on_note if on_note is not None and self.first else lambda note: None
        self.settings = json.loads(json.dumps({"loop": dataclasses.asdict(config), **facts}))
        self.step, self.best, self.best_step = 0, math.inf, 0
        self.validation: float | None = None
        self.log = RunLog(out)

    def run(self) -> Outcome:
        self._check_folder()
        device = self.accelerator.device
        with only_run(self.out) if self.first else nullcontext(), fast_products(device), StopSignals() as signals:
            try:
                self._start()
                return self._train(signals)
            except torch.cuda.OutOfMemoryError as error:
                raise ConfigurationError(
                    "the GPU's memory is too small for this training", expected=f"less than {_memory(device)}",
                    found=f"batches of {self.config.batch}",
                    remedy="Take a smaller --batch or --width, --precision bfloat16, or --device cpu.",
                ) from error  # fmt: skip

    def _start(self) -> None:
        shared, rank = self.accelerator.num_processes > 1, self.accelerator.process_index
        self.task.place(self.accelerator.device, rank)
        self.engine = Engine(
            self.task, self.config, self.accelerator.device, self.accelerator.prepare_model if shared else None,
            self.accelerator.num_processes, rank, self.on_note,
        )  # fmt: skip
        self._resume()

    def _check_folder(self) -> None:
        """Refuse a folder of something else; a run that was stopped before it wrote its state may begin anew."""
        found = {path.name for path in self.out.iterdir()} if self.out.is_dir() else set()
        if not found & {STATE_FILE, SETTINGS_FILE} and any(not name.startswith(".") for name in found):
            raise OutputError("the folder holds something else", expected="an empty folder, or a run to go on with",
                              path=self.out)  # fmt: skip
        self.accelerator.wait_for_everyone()

    def _train(self, signals: StopSignals) -> Outcome:
        config, clock = self.config, _Clock(self.step)
        self._announce()
        stopped = None
        while self.step < config.steps and not stopped:
            before = self.step
            self.step += self.engine.advance(before, self._next(before) - before, lambda: self._stops(signals))
            clock.estimate(self.step, config.steps, self.on_note)
            if self.step % config.evaluate_every == 0 or self.step == config.steps:
                self._evaluate()
            if self.step % config.log_every == 0 or self.step == config.steps:
                self._report(clock)
            stopped = self._agreed(signals)
            if self.first and (stopped or clock.state_is_due()) and self.step < config.steps:
                self._write_state()
        signal = signals.caught if self.step < config.steps else None
        return Outcome(self.step, self.best_step, self.best, clock.seconds, signal)

    def _next(self, step: int) -> int:
        """Return where the next block ends: blocks keep to multiples of their size, wherever a run was resumed."""
        sizes = (self.engine.block, self.config.log_every, self.config.evaluate_every)
        return min(self.config.steps, *((step // size + 1) * size for size in sizes))

    def _stops(self, signals: StopSignals) -> bool:
        """Whether to stop within a block; several processes only stop together, between blocks."""
        return signals.caught is not None and self.accelerator.num_processes == 1

    def _agreed(self, signals: StopSignals) -> bool:
        """Whether all processes stop here; they ask each other where they report anyway."""
        if self.accelerator.num_processes == 1:
            return signals.caught is not None
        if self.step % self.config.log_every:
            return False
        caught = torch.tensor([signals.caught or 0], device=self.accelerator.device)
        signals.caught = int(self.accelerator.gather(caught).max()) or None
        return signals.caught is not None

    def _announce(self) -> None:
        device = self.accelerator.device
        name = (
            torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
        )
        count = sum(value.numel() for value in self.engine.parameters)
        begun = f", from step {self.step:,} on" if self.step else ""
        about = f"{self.about}; " if self.about else ""
        self.on_note(
            f"{name}, {self.engine.precision}, {self.engine.mode}: {about}{count:,} parameters to train, "
            f"{self.config.steps:,} steps of {self.config.batch} windows{begun}"
        )

    def _require_number(self, loss: float, where: str) -> None:
        if not math.isfinite(loss):
            raise SolverError(
                "training diverged: the loss is no longer a number", found=where,
                remedy="Lower the learning rate, or train without reduced precision; the best checkpoint is kept.",
            )  # fmt: skip

    def _evaluate(self) -> None:
        """Validate the averaged weights, keep them where they are the best, write the state."""
        module = self.accelerator.unwrap_model(self.task.module)
        with self.engine.average.applied(), torch.no_grad():
            module.eval()
            validation = self.validation = self.task.validate()
            # Weights that are no numbers must not get into the state: no later run could go on from it.
            self._require_number(validation, f"validation at step {self.step}")
            if validation < self.best:
                self.best, self.best_step = validation, self.step
                if self.first:
                    self.task.save(self.out, {"step": self.step, "validation": validation, "training": self.settings})
        if self.first:
            self._write_state()

    def _report(self, clock: _Clock) -> None:
        begun = self.step - self.engine.counted
        means = self.engine.means()
        self._require_number(sum(means.values()), f"steps {begun + 1} to {self.step}")
        report = Report(
            self.step, self.config.steps, means, self.validation, clock.rate(self.step), self._warning(means, clock)
        )
        if self.first:
            figures = {"step": report.step, **report.losses, "validation": report.validation, "rate": report.rate}
            self.log.write(figures)
            self.on_report(report)

    def _warning(self, means: Mapping[str, float], clock: _Clock) -> str | None:
        chance, loss = self.task.chance, means["loss"]
        clock.first_loss = loss if clock.first_loss is None else clock.first_loss
        # While the learning rate still rises, little can have been learned.
        if self.step < max(1000, self.config.warmup_steps):
            return None
        if chance is not None and loss > 0.95 * chance:
            return f"the loss {loss:.3f} is that of a model that knows nothing ({chance:.3f})"
        if loss > 1.05 * clock.first_loss:
            return f"the loss rose from {clock.first_loss:.3f} to {loss:.3f}"
        return None

    def _write_state(self) -> None:
        state = {
            "module": self.accelerator.unwrap_model(self.task.module).state_dict(),
            "step": self.step, "best": self.best, "best_step": self.best_step, "validation": self.validation,
            **self.engine.state(),
        }  # fmt: skip
        self._write_settings()
        save_state(self.out / STATE_FILE, state)

    def _write_settings(self) -> None:
        write_text(self.out / SETTINGS_FILE, json.dumps(self.settings, indent=1) + "\n")

    def _resume(self) -> None:
        path = self.out / STATE_FILE
        if not path.exists():
            if self.first:
                self._write_settings()
                self.log.cut(0)
            return
        self._compare_settings()
        try:
            state = read_restricted(path)
            counters = _COUNTERS(state, "")
            self.accelerator.unwrap_model(self.task.module).load_state_dict(state["module"])
            self.engine.load(state)
        except Exception as error:  # torch raises many kinds for a file that is none
            raise FormatError(
                "the state of the run cannot be read", found=first_line(error), path=path,
                remedy="The checkpoint beside it can be used; delete this file to train from the start.",
            ) from error  # fmt: skip
        self.step, self.best, self.best_step = counters["step"], counters["best"], counters["best_step"]
        self.validation = counters["validation"]
        if self.first:
            self.log.cut(self.step)

    def _compare_settings(self) -> None:
        path = self.out / SETTINGS_FILE
        before = read_json(path, mapping(anything), "the settings of the run cannot be read")
        # A longer run of the same settings is the same run.
        old, new = (
            _flat({key: _without_length(value) for key, value in run.items()}) for run in (before, self.settings)
        )
        changed = [key for key in {**old, **new} if old.get(key) != new.get(key)]
        # The preset says most of what differs, so it is named first.
        changed.sort(key=lambda key: key != "preset")
        if changed:
            raise ConfigurationError(
                "the folder holds a run of other settings", expected={key: old.get(key) for key in changed[:5]},
                found={key: new.get(key) for key in changed[:5]}, path=self.out,
                remedy="Choose another folder, or the same settings.",
            )  # fmt: skip


def _without_length(settings: Any) -> Any:
    if not isinstance(settings, dict):
        return settings
    # A falling learning rate depends on the length, and so does a warm-up that is a share of it.
    fixed = settings.get("decay") == "cosine" or ("warmup" in settings and settings["warmup"] is None)
    free = ("log_every",) if fixed else ("steps", "log_every")
    return {k: v for k, v in settings.items() if k not in free}


def _flat(settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings as one level, names joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat


def _memory(device: torch.device) -> str:
    return f"{torch.cuda.get_device_properties(device).total_memory / 2**30:.0f} GiB"


class _Clock:
    """When a run began, when it last reported and kept its state, and how long it will take."""

    def __init__(self, step: int) -> None:
        self.began = self.ticked = time.monotonic()
        self.step = self.first_step = step
        self.first_loss: float | None = None
        self._state_at = self.began + FIRST_STATE
        self._timed: tuple[int, float] | None = None
        self._told = False

    @property
    def seconds(self) -> float:
        """Since the beginning."""
        return time.monotonic() - self.began

    def rate(self, step: int) -> float:
        """Return the steps a second since the last call."""
        now = time.monotonic()
        rate = (step - self.step) / max(now - self.ticked, 1e-9)
        self.step, self.ticked = step, now
        return rate

    def state_is_due(self) -> bool:
        """Whether it is time for a state: after the first minute, then every ten."""
        if time.monotonic() < self._state_at:
            return False
        self._state_at = time.monotonic() + STATE_EVERY
        return True

    def estimate(self, step: int, steps: int, on_note: Callable[[str], None]) -> None:
        """Say once how long it will take, when a second of steps (but the first ones) has gone by."""
        now = time.monotonic()
        if self._timed is None:
            self._timed = (step, now)
        elif not self._told and now - self._timed[1] > 1.0:
            rate = (step - self._timed[0]) / (now - self._timed[1])
            on_note(f"{rate:.3g} steps/s: about {duration((steps - step) / rate)} to go")
            self._told = True


def duration(seconds: float) -> str:
    """Return a time in words."""
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.1f} {unit}" if length > 60 else f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"

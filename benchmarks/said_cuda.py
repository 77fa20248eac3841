"""How fast does SAiD train and sample on a GPU? One command measures everything, in under nine minutes.

    python benchmarks/said_cuda.py [--out results.json] [--shards SHARDS] [--device cpu --quick]

The real loop is run (averaged weights, logging, validation, checkpoints), at the published size with batch 8, windows
of 120 frames and features 768 wide: steps a second of every engine in float32 and bfloat16, and what the paper's
2,000,000 steps would take. Then sampling of 1 and 64 clips of 4 s and of one of 10 minutes, memory, the tests that are
marked ``cuda``, and with --shards a training of the embedded sample to a given validation loss. Results are written as
they come, so that a run that is cut off has what it measured. ``--device cpu --quick`` only shows that it runs.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import machine
import numpy as np
import torch
from training import FEATURES, clips

from blendvoca.audio import Waveform
from said_model import SAiD
from said_model.config import SAMPLE_RATE, DenoiserConfig, EncoderConfig, ModelConfig
from said_model.network.said import SaidNetwork
from said_model.training.loop import Report, run
from said_model.training.presets import resolve
from said_model.training.recipes import said_recipe
from said_model.training.settings import LoopConfig, SaidSettings, TrainConfig, loop_of
from said_model.training.tasks.said import SaidTask, train

RECIPE_STEPS = loop_of(resolve(SaidSettings, "paper", {})).steps
#: Seconds after which no further measurement begins.
BUDGET = 420.0
#: Validation loss that the sample's short recipe is timed to.
WANTED_LOSS = 0.5


def published(quick: bool) -> ModelConfig:
    """Return the published size, or a small one."""
    encoder = EncoderConfig(settings={"bands": FEATURES // 8, "orders": 8})
    return ModelConfig(encoder=encoder, denoiser=DenoiserConfig(32, 1, FEATURES) if quick else DenoiserConfig(
        feature_dim=FEATURES))  # fmt: skip


def training_rate(engine: str, precision: str, device: str, quick: bool) -> dict[str, Any]:
    """Run the real loop and return its steps a second after the first two reports, and what the recipe would take."""
    steps, reports = (12, 4) if quick else (1000, 50)
    loop = LoopConfig(steps=steps, log_every=reports, evaluate_every=max(steps // 2, 1), engine=engine,
                      precision=precision)  # fmt: skip
    config = TrainConfig(published(quick), loop)
    made, seen = clips(True, 8 if quick else 64), list[tuple[float, int]]()
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        task = SaidTask(SaidNetwork(config.model), config, made, made[:8])

        def on_report(report: Report) -> None:
            seen.append((time.perf_counter(), report.step))

        began = time.perf_counter()
        run(task, folder, loop, {}, on_report, device, notes.append)
        whole = time.perf_counter() - began
    (start, first), (end, last) = seen[1], seen[-1]
    rate = (last - first) / (end - start)
    return {"engine": engine, "precision": precision, "steps_per_second": rate, "ms_per_step": 1000 / rate,
            "recipe_hours": RECIPE_STEPS / rate / 3600, "seconds_to_second_report": whole - (end - start),
            "notes": notes}  # fmt: skip


def time_to_loss(shards: Path, device: str, quick: bool) -> dict[str, Any]:
    """Return the seconds in which the short recipe reaches :data:`WANTED_LOSS` on a dataset."""
    changes = {"steps": 6, "evaluate_every": 3} if quick else {"evaluate_every": 250}
    reached: dict[str, Any] = {"wanted": WANTED_LOSS, "seconds": None}
    began = time.perf_counter()

    def on_report(report: Report) -> None:
        reached["validation"] = report.validation
        if report.validation is not None and report.validation <= WANTED_LOSS and reached["seconds"] is None:
            reached["seconds"], reached["step"] = time.perf_counter() - began, report.step

    recipe = said_recipe(shards, preset="short", **changes)
    config = replace(recipe.config, augment=replace(recipe.config.augment, frames=24)) if quick else recipe.config
    with tempfile.TemporaryDirectory() as folder:
        train(shards, folder, config, network=recipe.network, on_report=on_report, device=device)
    return {**reached, "seconds_in_all": time.perf_counter() - began}


def sampling_speed(count: int, seconds: float, precision: str, device: str, quick: bool) -> dict[str, Any]:
    """Return how many seconds of motion are drawn in one, clips side by side, encoder included."""
    model = SAiD(SaidNetwork(published(quick)).eval(), device, precision)
    samples = np.random.default_rng(0).normal(0, 0.1, round(SAMPLE_RATE * seconds)).astype(np.float32)
    times = []
    for _ in range(2 if quick else 3):
        began = time.perf_counter()
        model.samples(Waveform(samples, SAMPLE_RATE), count)
        times.append(time.perf_counter() - began)
    return {"clips": count, "seconds": seconds, "precision": precision, "times_real_time": count * seconds / min(times)}


def cuda_tests() -> dict[str, Any]:
    """Run the tests that are marked ``cuda``."""
    root = Path(__file__).resolve().parent.parent
    words = [sys.executable, "-m", "pytest", "-q", "-m", "cuda", "tests/said_model", "-p", "no:cacheprovider"]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=240)
    return {"returncode": done.returncode, "tail": done.stdout.splitlines()[-15:]}


def environment(device: str) -> dict[str, Any]:
    """Return what the measurements were made on."""
    facts: dict[str, Any] = {"machine": machine.describe(), "torch": torch.__version__, "cuda": torch.version.cuda}
    if device != "cpu":
        properties = torch.cuda.get_device_properties(0)
        facts |= {"gpu": properties.name, "memory_gib": properties.total_memory / 2**30}
    return facts


def plan(device: str, quick: bool, shards: Path | None) -> list[tuple[str, Callable[[], Any]]]:
    """Return the measurements, the most wanted first."""
    engines = ["eager"] if device == "cpu" else ["graph", "eager", "compiled"]
    precisions = ["float32"] if device == "cpu" else ["bfloat16", "float32"]
    steps: list[tuple[str, Callable[[], Any]]] = [
        (f"training {engine} {precision}", lambda e=engine, p=precision: training_rate(e, p, device, quick))
        for engine in engines
        for precision in precisions
    ]
    sizes = [(1, 1.0), (2, 1.0), (1, 6.0)] if quick else [(1, 4.0), (64, 4.0), (1, 600.0)]
    steps += [
        (f"sampling {count} × {seconds:.0f} s {kind}",
         lambda c=count, s=seconds, k=kind: sampling_speed(c, s, k, device, quick))
        for count, seconds in sizes
        for kind in (["float32"] if device == "cpu" else ["bfloat16", "float32"])
    ]  # fmt: skip
    if device != "cpu":
        steps.insert(1, ("tests", cuda_tests))
    if shards is not None:
        steps.append(("time to loss", lambda: time_to_loss(shards, device, quick)))
    return steps


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--shards", type=Path, help="Of the embedded sample (`blendvoca synth`, `blendvoca build`).")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--quick", action="store_true", help="A small model and few steps: whether all of it runs.")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("No GPU here: nothing measured. --device cpu --quick shows whether this runs.")
        return
    began, results = time.perf_counter(), dict[str, Any](environment=environment(options.device))
    for name, measure in plan(options.device, options.quick, options.shards):
        if time.perf_counter() - began > BUDGET:
            results[name] = "not begun: no time left"
        else:
            results[name] = _measured(measure, options.device)
        print(f"{name}: {json.dumps(results[name])}", flush=True)
        results["seconds"] = time.perf_counter() - began
        if options.out is not None:
            options.out.write_text(json.dumps(results, indent=1) + "\n")


def _measured(measure: Callable[[], Any], device: str) -> Any:
    """Return a measurement with the memory that it took, or why there is none: the others shall go on."""
    if device != "cpu":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    try:
        found = measure()
    except Exception as error:
        return f"failed: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
    if device != "cpu":
        found["peak_memory_gib"] = torch.cuda.max_memory_allocated() / 2**30
    return found


if __name__ == "__main__":
    main()

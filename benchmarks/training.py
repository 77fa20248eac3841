"""How much does the feature cache save? A training step at full size from cached features, and with the encoder in it.

    python benchmarks/training.py [--rounds 7] [--device cpu] [--out results.json]

The denoiser has the published size, the encoder that of wav2vec2-base (random weights: time does not depend on them).
Batch 8, windows of 120 frames. The two kinds of step take turns; the ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path

import machine
import numpy as np
import torch

from said_model.audio_encoder.pretrained import build_pretrained
from said_model.config import SAMPLE_RATE, DenoiserConfig, EncoderConfig, ModelConfig
from said_model.network.said import SaidNetwork
from said_model.training.engine import Engine
from said_model.training.settings import LoopConfig, TrainConfig
from said_model.training.tasks.said import SaidTask
from said_model.training.windows import TrainingClip

FEATURES, SECONDS = 768, 4


def clips(cached: bool, number: int = 8) -> list[TrainingClip]:
    """Return clips of four seconds: random coefficients with features, or with sound."""
    rng = np.random.default_rng(0)
    frames = 60 * SECONDS
    return [
        TrainingClip(
            rng.uniform(size=(frames, 32)).astype(np.float32),
            rng.normal(size=(5, frames, FEATURES)).astype(np.float16) if cached else None,
            None if cached else rng.normal(size=SAMPLE_RATE * SECONDS).astype(np.float32),
            0,
        )
        for _ in range(number)
    ]


def step_of(cached: bool, network: SaidNetwork, config: ModelConfig, device: torch.device) -> Callable[[], None]:
    """Return what takes one step of the training's engine."""
    made, loop = clips(cached), LoopConfig(precision="float32", engine="eager")
    task = SaidTask(network, TrainConfig(config, loop, encoder_input="clip" if cached else "window"), made, made)
    task.place(device, 0)
    engine, taken = Engine(task, loop, device), count()

    def step() -> None:
        engine.advance(next(taken), 1)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return step


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    device = torch.device(options.device)
    encoder = EncoderConfig("wav2vec2-base", {"model_type": "wav2vec2"})
    config = ModelConfig(encoder=encoder, denoiser=DenoiserConfig(feature_dim=FEATURES))
    network = SaidNetwork(config, build_pretrained(encoder)).to(device)
    steps = {"cached": step_of(True, network, config, device), "with encoder": step_of(False, network, config, device)}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for round_ in range(options.rounds + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if round_:
                seconds[name].append(time.perf_counter() - start)
    ratio = statistics.median(b / a for a, b in zip(seconds["cached"], seconds["with encoder"]))
    rows = [{"step": name, "seconds": statistics.median(times)} for name, times in seconds.items()]
    for row in rows:
        print(f"{row['step']:>14}: {row['seconds']:.3f} s")
    print(f"cached steps are {ratio:.1f} times faster (asked: 10)")
    if options.out:
        facts = {"machine": machine.describe(), "threads": torch.get_num_threads(), "rows": rows, "ratio": ratio}
        options.out.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()

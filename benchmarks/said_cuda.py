"""How fast does SAiD train and sample on a GPU?

    python benchmarks/said_cuda.py [--out results.json]

Training: steps a second at the published size (batch 8, 120 frames, cached features) in float32 and bfloat16, plain and
compiled, and the time that the paper's recipe would take: 50,000 epochs of 40 batches. Sampling: 64 clips of 4 s at the
default settings, as a multiple of real time.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import machine
import torch
from training import FEATURES, clips

from said_model.config import DenoiserConfig, EncoderConfig, ModelConfig, SamplerConfig
from said_model.network.guided import GuidedDenoiser
from said_model.network.said import SaidNetwork
from said_model.synthesis.clip import Drawing
from said_model.training.loop import LoopConfig
from said_model.training.said import SaidTask, TrainConfig
from said_model.training.windows import AugmentConfig

RECIPE_STEPS = 50_000 * 40
CLIPS, FRAMES = 64, 240


def network_of() -> SaidNetwork:
    """Return a network of the published size."""
    encoder = EncoderConfig(settings={"bands": 96, "orders": 8})
    return SaidNetwork(ModelConfig(encoder=encoder, denoiser=DenoiserConfig(feature_dim=FEATURES))).cuda()


def training_rate(bf16: bool, compiled: bool, steps: int = 200) -> float:
    """Return optimiser steps a second."""
    network = network_of()
    made = clips(True, 64)
    task = SaidTask(network, TrainConfig(network.config, LoopConfig(), AugmentConfig()), made, made)
    if compiled:
        network.denoiser.compile()
    optimizer = torch.optim.AdamW(network.parameters(), 1e-5, fused=True)
    device = torch.device("cuda")
    for number in range(20 + steps):
        if number == 20:
            torch.cuda.synchronize()
            start = time.perf_counter()
        with torch.autocast("cuda", torch.bfloat16, enabled=bf16):
            loss = task.loss(number, 0, device)["loss"]
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    torch.cuda.synchronize()
    return steps / (time.perf_counter() - start)


def sampling_speed(dtype: torch.dtype) -> float:
    """Return seconds of motion drawn in a second, all clips at once."""
    drawing = Drawing(GuidedDenoiser(network_of().eval(), dtype), SamplerConfig())
    audio = torch.randn(1, FRAMES, FEATURES)
    noise = drawing.noise(range(CLIPS), FRAMES)
    seconds = []
    for _ in range(3):
        torch.cuda.synchronize()
        start = time.perf_counter()
        drawing.draw(audio, noise)
        seconds.append(time.perf_counter() - start)
    return CLIPS * FRAMES / 60 / min(seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        print("No GPU here: nothing measured.")
        return
    rows = []
    for bf16 in (False, True):
        for compiled in (False, True):
            rate = training_rate(bf16, compiled)
            hours = RECIPE_STEPS / rate / 3600
            rows.append({"bf16": bf16, "compiled": compiled, "steps_per_second": rate, "recipe_hours": hours})
            print(f"training bf16={bf16} compiled={compiled}: {rate:.0f} steps/s, the paper's recipe in {hours:.1f} h")
    speeds = {str(dtype): sampling_speed(dtype) for dtype in (torch.float32, torch.bfloat16)}
    for name, speed in speeds.items():
        print(f"sampling {CLIPS} clips of {FRAMES / 60:.0f} s in {name}: {speed:.0f} times real time")
    if options.out:
        facts = {"machine": machine.describe(), "gpu": torch.cuda.get_device_name()}
        facts |= {"training": rows, "sampling": speeds}
        options.out.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()

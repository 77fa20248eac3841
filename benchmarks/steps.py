"""How many denoising steps does a trained model need? Every setting from the same start noise, against a long run.

    python benchmarks/steps.py MODEL SHARDS [--clips 8] [--guidance 0 2] [--out results.json]

``away`` is the mean distance of a setting's coefficients from the long run's, relative to the long run's mean distance
from its own temporal mean (how much it moves); ``error`` the mean distance from the truth of the test split.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import machine
import numpy as np

from blendvoca.clip import Clip
from blendvoca.dataset import BlendVOCA
from said_model.config import SAMPLE_RATE, SamplerConfig
from said_model.model import SAiD

LONG = 250
SETTINGS = [("dpm", count) for count in (4, 6, 8, 10, 15, 20, 30, 50)]
SETTINGS += [("said-ddim", count) for count in (20, 50, 200)]


def measure(model: SAiD, clips: list[Clip], guidance: float) -> list[dict[str, float | str]]:
    """Measure every setting at one guidance scale, and print it."""

    def draw(name: str, steps: int) -> list[np.ndarray]:
        sampler = SamplerConfig(name, steps, guidance)
        drawn = [model.sample(clip.waveform, seed, sampler).values for seed, clip in enumerate(clips)]
        return [values[: len(clip.track)] for values, clip in zip(drawn, clips)]

    long = draw("dpm", LONG)
    moves = np.mean([np.abs(values - values.mean(axis=0)).mean() for values in long])
    rows = []
    for name, steps in [*SETTINGS, ("dpm", LONG)]:
        start = time.perf_counter()
        drawn = draw(name, steps)
        seconds = time.perf_counter() - start
        away = np.mean([np.abs(a - b).mean() for a, b in zip(drawn, long)]) / moves
        error = np.mean([np.abs(a - c.track.values[: len(a)]).mean() for a, c in zip(drawn, clips)])
        rows.append({"guidance": guidance, "sampler": name, "steps": steps, "away": away, "error": error,
                     "seconds": seconds})  # fmt: skip
        print(f"{guidance:>8g} {name:>10} {steps:>6} {away:>8.2%} {error:>8.4f} {seconds:>8.2f}", flush=True)
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("shards", type=Path)
    parser.add_argument("--clips", type=int, default=8)
    parser.add_argument("--guidance", type=float, nargs="+", default=[0.0, 2.0])
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    model = SAiD.load(options.model)
    dataset = BlendVOCA(options.shards, "test", audio_rate=SAMPLE_RATE)
    clips = [dataset[row] for row in range(0, len(dataset), max(len(dataset) // options.clips, 1))][: options.clips]
    print(f"{'guidance':>8} {'sampler':>10} {'steps':>6} {'away':>8} {'error':>8} {'seconds':>8}")
    rows = [row for guidance in options.guidance for row in measure(model, clips, guidance)]
    if options.out:
        facts = {"machine": machine.describe(), "clips": len(clips), "rows": rows}
        options.out.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()

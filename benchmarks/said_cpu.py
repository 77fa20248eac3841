"""How fast is SAiD on the CPU, against the plain implementation in tests/reference?

    python benchmarks/said_cpu.py [--rounds 9] [--row 5] [--out results.json] [--clip] [--minutes 10]

A guided denoising step at full size (6.99 M parameters, 768-wide audio features, reference weights): the plain
implementation; the denoiser as it is trained, called twice, with the audio and without it; and the denoiser as it is
sampled, audio prepared, one call, packed layers, in float32 and in bfloat16. Each runs in a process of its own, so
that none inherits another's memory allocator, and they take turns of five steps within one run (``--row``): sampling
takes its steps in a row, with weights that are still in the processor's cache. Times are medians over the rounds,
ratios are medians of the ratios of one round, so that another busy process hurts both sides of a ratio.

``--clip`` times four seconds end to end with an encoder of the size of wav2vec2-base, against 1000 plain steps.
``--minutes`` draws a long clip and prints time per minute and peak memory.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent.parent / "tests")]

from reference.said_plain import guided_step  # noqa: E402
from reference.said_weights import reference_state  # noqa: E402

from blendvoca.audio import Waveform  # noqa: E402
from said_model.config import DenoiserConfig, EncoderConfig, ModelConfig, SamplerConfig  # noqa: E402
from said_model.diffusion.guidance import guide, guided  # noqa: E402
from said_model.model import SAiD  # noqa: E402
from said_model.network.guided import GuidedDenoiser  # noqa: E402
from said_model.network.said import SaidNetwork  # noqa: E402

LENGTHS = (120, 240, 600, 1800)
#: The plain implementation, the denoiser as it is trained, and as it is sampled in two precisions.
KINDS = ("plain", "denoiser", "float32", "bfloat16")
SAMPLED = KINDS[2:]
FEATURES = 768
TIMESTEP, SCALE = 500, 2.0


def full_size_network(encoder: EncoderConfig | None = None) -> SaidNetwork:
    """Return a network of the published size whose weights are all away from zero."""
    encoder = encoder or EncoderConfig(settings={"bands": 96, "orders": 8})
    network = SaidNetwork(ModelConfig(encoder=encoder, denoiser=DenoiserConfig(feature_dim=FEATURES))).eval()
    network.load_state_dict(reference_state({key: value.shape for key, value in network.state_dict().items()}))
    return network


def step_of(kind: str, network: SaidNetwork, frames: int) -> Callable[[], Tensor]:
    """Return one guided step."""
    generator = torch.Generator().manual_seed(frames)
    noisy = torch.randn(1, frames, 32, generator=generator)
    audio = torch.randn(1, frames, FEATURES, generator=generator)
    if kind == "plain":
        weights = network.state_dict()
        return lambda: guided_step(weights, noisy, TIMESTEP, audio, SCALE)
    if kind == "denoiser":
        steps, null = torch.tensor([float(TIMESTEP)]), network.null_features(1, frames)
        return lambda: guide(network(noisy, steps, audio), network(noisy, steps, null), SCALE)
    denoise = guided(GuidedDenoiser(network, getattr(torch, kind)).condition(audio, frames).pair, SCALE)
    return lambda: denoise(noisy, float(TIMESTEP))


def work(kind: str, threads: int, row: int, pipe: Connection) -> None:
    """Answer each number of frames with the seconds of a step and its result; a length's first step is not timed."""
    torch.set_num_threads(threads)
    network, steps = full_size_network(), {}
    with torch.inference_mode():
        while frames := pipe.recv():
            if frames not in steps:
                steps[frames] = step_of(kind, network, frames)
                steps[frames]()
            start = time.perf_counter()
            for _ in range(row):
                result = steps[frames]()
            pipe.send(((time.perf_counter() - start) / row, result.numpy()))


def compare_steps(rounds: int, threads: int, in_a_row: int) -> list[dict[str, float]]:
    """Take turns and print the table."""
    context = multiprocessing.get_context("spawn")
    pipes = {}
    for kind in KINDS:
        pipes[kind], there = context.Pipe()
        context.Process(target=work, args=(kind, threads, in_a_row, there), daemon=True).start()

    def turn(frames: int) -> dict[str, Any]:
        answers = {}
        for kind, pipe in pipes.items():
            pipe.send(frames)
            answers[kind] = pipe.recv()
        return answers

    print(f"{'frames':>7}{'plain ms':>10}{'denoiser ms':>13}" + "".join(
        f"{name + ' ms':>9}{'to plain':>10}{'to denoiser':>13}{'differs':>9}" for name in ("f32", "bf16")))  # fmt: skip
    results = []
    for frames in LENGTHS:
        turns = [turn(frames) for _ in range(rounds)]
        row: dict[str, float] = {"frames": frames}
        right = turns[0]["plain"][1]
        for kind in KINDS:
            row[f"{kind}_ms"] = 1e3 * statistics.median(one[kind][0] for one in turns)
            row[f"{kind}_ratio"] = statistics.median(one["plain"][0] / one[kind][0] for one in turns)
            row[f"{kind}_ratio_to_denoiser"] = statistics.median(one["denoiser"][0] / one[kind][0] for one in turns)
            row[f"{kind}_differs"] = float(np.abs(turns[0][kind][1] - right).max() / np.abs(right).max())
        results.append(row)
        print(f"{frames:7d}{row['plain_ms']:10.1f}{row['denoiser_ms']:13.1f}", end="")
        for kind in SAMPLED:
            ratios = f"{row[f'{kind}_ratio']:10.1f}{row[f'{kind}_ratio_to_denoiser']:13.1f}"
            print(f"{row[f'{kind}_ms']:9.1f}{ratios}{row[f'{kind}_differs']:9.0e}", end="")
        print(flush=True)
    for pipe in pipes.values():
        pipe.send(0)
    return results


def noise_of(seconds: float) -> Waveform:
    """Return a test signal."""
    samples = np.random.default_rng(0).standard_normal(round(16_000 * seconds)) * 0.1
    return Waveform(samples.astype(np.float32), 16_000)


def time_clip(rounds: int) -> dict[str, float]:
    """Four seconds, end to end at default settings, against 1000 plain steps (one is timed)."""
    import transformers

    settings = transformers.Wav2Vec2Config().to_dict()
    network = full_size_network(EncoderConfig("wav2vec2-base", settings, stored=True))
    result: dict[str, float] = {}
    plain = step_of("plain", network, 240)
    with torch.inference_mode():
        plain()
        result["1000 plain steps s"] = 1e3 * statistics.median(_seconds(plain) for _ in range(rounds))
    for precision in SAMPLED:
        model, sound = SAiD(network, precision=precision), noise_of(4.0)
        model.sample(sound)
        taken = statistics.median(_seconds(lambda: model.sample(sound)) for _ in range(rounds))  # noqa: B023
        result[f"{precision} clip s"] = taken
        result[f"{precision} ratio"] = result["1000 plain steps s"] / taken
    for name, value in result.items():
        print(f"{name:>22}{value:9.2f}")
    return result


def time_minutes(minutes: float) -> dict[str, float]:
    """A long clip: seconds a minute of sound, and peak memory."""
    model, result = SAiD(full_size_network()), {}
    for length in (minutes / 4, minutes):
        seconds = _seconds(lambda: model.sample(noise_of(60 * length), sampler=SamplerConfig(steps=5)))  # noqa: B023
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        result[f"{length:g} min"] = seconds / length
        print(f"{length:6g} min: {seconds / length:.2f} s a minute with 5 steps, peak memory {peak:.2f} GiB")
    return result


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def main() -> None:
    """Print the tables and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--row", type=int, default=5, help="steps of a turn")
    parser.add_argument("--clip", action="store_true")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    steps = compare_steps(options.rounds, options.threads, options.row)
    results: dict[str, Any] = {"threads": options.threads, "in a row": options.row, "steps": steps}
    torch.set_num_threads(options.threads)
    if options.clip:
        results["clip"] = time_clip(options.rounds)
    if options.minutes:
        results["minutes"] = time_minutes(options.minutes)
    if options.out:
        options.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()

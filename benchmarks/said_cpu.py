"""How fast is a guided denoising step on the CPU, against the plain implementation in tests/reference?

    python benchmarks/said_cpu.py [--rounds 9] [--out results.json]

Full size (6.99 M parameters, 768-wide audio features), random weights. What is compared runs interleaved in one
process: plain float32, ours in float32, ours in bfloat16. Times are medians over the rounds, ratios are medians of the
ratios of one round, so that another busy process hurts both sides of a ratio.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

sys.path[:0] = [str(Path(__file__).resolve().parent.parent), str(Path(__file__).resolve().parent.parent / "tests")]

from reference.said_plain import guided_step  # noqa: E402
from reference.said_weights import reference_state  # noqa: E402

from said_model.config import DenoiserConfig, EncoderConfig, ModelConfig  # noqa: E402
from said_model.guidance import guided  # noqa: E402
from said_model.inference import GuidedDenoiser  # noqa: E402
from said_model.network import SaidNetwork  # noqa: E402

LENGTHS = (240, 600, 1800)
FEATURES = 768
TIMESTEP, SCALE = 500, 2.0


def full_size_network() -> SaidNetwork:
    """Return a network of the published size whose weights are all away from zero."""
    settings = {"bands": 96, "orders": 8}
    config = ModelConfig(encoder=EncoderConfig(settings=settings), denoiser=DenoiserConfig(feature_dim=FEATURES))
    network = SaidNetwork(config).eval()
    network.load_state_dict(reference_state({key: value.shape for key, value in network.state_dict().items()}))
    return network


def seconds(call: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(network: SaidNetwork, frames: int, rounds: int) -> dict[str, float]:
    """Time one length: milliseconds, ratios, and the difference of the float32 outputs."""
    generator = torch.Generator().manual_seed(frames)
    noisy = torch.randn(1, frames, 32, generator=generator)
    audio = torch.randn(1, frames, FEATURES, generator=generator)
    weights = network.state_dict()

    def ours(dtype: torch.dtype) -> Callable[[], Tensor]:
        denoise = guided(GuidedDenoiser(network, dtype).listen(audio, frames).pair, SCALE)
        return lambda: denoise(noisy, float(TIMESTEP))

    def plain() -> Tensor:
        with torch.inference_mode():
            return guided_step(weights, noisy, TIMESTEP, audio, SCALE)

    calls: dict[str, Callable[[], Tensor]] = {
        "plain": plain, "float32": ours(torch.float32), "bfloat16": ours(torch.bfloat16)
    }  # fmt: skip
    expected = plain()
    difference = {name: float((call() - expected).abs().max() / expected.abs().max()) for name, call in calls.items()}
    taken = [{name: seconds(call) for name, call in calls.items()} for _ in range(rounds)]
    result: dict[str, float] = {"frames": frames}
    for name in calls:
        result[f"{name}_ms"] = 1e3 * statistics.median(one[name] for one in taken)
    for name in ("float32", "bfloat16"):
        result[f"{name}_ratio"] = statistics.median(one["plain"] / one[name] for one in taken)
        result[f"{name}_difference"] = difference[name]
    return result


def main() -> None:
    """Print the table and write JSON where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    network = full_size_network()
    results = [measure(network, frames, options.rounds) for frames in LENGTHS]
    print(f"{'frames':>7}{'plain ms':>10}{'f32 ms':>9}{'ratio':>7}{'bf16 ms':>9}{'ratio':>7}{'f32 diff':>10}"
          f"{'bf16 diff':>10}")  # fmt: skip
    for r in results:
        print(
            f"{r['frames']:7d}{r['plain_ms']:10.1f}{r['float32_ms']:9.1f}{r['float32_ratio']:7.1f}"
            f"{r['bfloat16_ms']:9.1f}{r['bfloat16_ratio']:7.1f}"
            f"{r['float32_difference']:10.1e}{r['bfloat16_difference']:10.1e}"
        )
    if options.out:
        options.out.write_text(json.dumps({"threads": options.threads, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""``said stream``: live."""

from __future__ import annotations

from pathlib import Path

import click

from said_model.cli._model import model_options, open_model, sampler_options


@click.command()
@click.option("--format", "encoding", type=click.Choice(["s16le", "f32le"]), default="s16le", show_default=True,
              help="How samples are written: 16-bit integers or 32-bit floats, little end first.")  # fmt: skip
@click.option("--hop", default=30, show_default=True, help="New frames of a section.")
@click.option("--lookahead", default=20, show_default=True, help="Frames of sound that a frame waits for.")
@click.option("--past", default=60, show_default=True, help="Frames that a section goes on from.")
@model_options
@sampler_options
def stream(encoding: str, hop: int, lookahead: int, past: int, model: Path | None, pretrained: str | None, device: str,
           precision: str, sampler: str, steps: int | None, guidance: float, seed: int) -> None:  # fmt: skip
    """Read mono samples at 16 kHz from standard input and write frames as CSV lines, each as soon as it is known."""
    import sys

    import numpy as np
    import torch

    from said_model import SamplerConfig
    from said_model.config import SAMPLE_RATE
    from said_model.diffusion.windows import Chain
    from said_model.synthesis.stream import StreamConfig

    said = open_model(model, pretrained, device, precision)
    config = StreamConfig(Chain(past, hop, lookahead))
    click.echo(f"a frame waits at most {config.latency(said.config.fps):.2f} s for its sound, and for the computation",
               err=True)  # fmt: skip
    settings = SamplerConfig(sampler, steps, guidance)
    # The first pass through the network prepares its kernels, which takes far longer than any other.
    warm = said.stream(config, seed, settings)
    warm.push(torch.zeros(round(config.latency(warm.fps) * SAMPLE_RATE) + 1))
    streamer = said.stream(config, seed, settings)
    dtype, full = (np.dtype("<i2"), 32768.0) if encoding == "s16le" else (np.dtype("<f4"), 1.0)

    def write(frames: torch.Tensor) -> None:
        for frame in frames.double().tolist():
            print(",".join(f"{value:.8g}" for value in frame))
        sys.stdout.flush()

    print(",".join(said.config.names), flush=True)
    rest = b""
    while chunk := sys.stdin.buffer.read1(1 << 14):  # type: ignore[union-attr]
        rest += chunk
        whole = len(rest) - len(rest) % dtype.itemsize
        samples = np.frombuffer(rest[:whole], dtype).astype(np.float32) / full
        rest = rest[whole:]
        write(streamer.push(torch.from_numpy(samples)))
    write(streamer.finish())

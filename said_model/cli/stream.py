"""``said stream``: live."""

from __future__ import annotations

import click

from blendvoca.terminal.options import default_of
from said_model.cli.options.model import DrawingChoice, ModelChoice, live_drawing_options, model_options, seed_option
from said_model.diffusion.sections import Chain
from said_model.synthesis.settings import StreamConfig

_CHAIN: Chain = default_of(StreamConfig, "chain")
#: Denoising steps up to which a section is computed faster than it lasts on usual machines.
_LIVE_STEPS = 50


@click.command()
@click.option("--format", "encoding", type=click.Choice(["s16le", "f32le"]), default="s16le", show_default=True,
              help="How samples are written: 16-bit integers or 32-bit floats, little end first.")  # fmt: skip
@click.option("--hop", default=_CHAIN.hop, show_default=True, help="New frames of a section.")
@click.option("--lookahead", default=_CHAIN.lookahead, show_default=True,
              help="Frames of sound that a frame waits for.")  # fmt: skip
@click.option("--past", default=_CHAIN.past, show_default=True, help="Frames that a section goes on from.")
@seed_option
@model_options
@live_drawing_options
def stream(encoding: str, hop: int, lookahead: int, past: int, seed: int, model: ModelChoice,
           drawing: DrawingChoice) -> None:  # fmt: skip
    """Read mono samples at 16 kHz from standard input and write frames as CSV lines, each as soon as it is known."""
    import sys

    import numpy as np
    import torch

    from said_model.config import SAMPLE_RATE

    said = model.open()
    config = StreamConfig(Chain(past, hop, lookahead))
    click.echo(f"a frame waits at most {config.latency(said.config.fps):.2f} s for its sound, and for the computation",
               err=True)  # fmt: skip
    settings = drawing.sampler_for(said)
    if settings.step_count > _LIVE_STEPS:
        click.echo("warning: so many steps hardly keep up with live sound: try --sampler dpm, or fewer --steps",
                   err=True)  # fmt: skip
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

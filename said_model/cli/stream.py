"""``said stream``: live."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from said_model.cli.options.model import (
    DrawingChoice,
    ModelChoice,
    blinks_option,
    live_drawing_options,
    model_options,
    open_speech,
    seed_option,
)
from said_model.synthesis.settings import StreamConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from said_model import SAiD
    from said_model.config import SamplerConfig
    from said_model.live.address import Address
    from said_model.live.session import Live
    from said_model.live.sources import Samples

_TABLE, _LIVE = StreamConfig().chain, StreamConfig.live().chain
#: Denoising steps up to which a section is computed faster than it lasts on usual machines.
_LIVE_STEPS = 50


@click.command()
@click.argument("audio", required=False, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--to", "targets", multiple=True, metavar="WHERE",
              help="livelink://HOST:PORT, osc://HOST:PORT, ws://HOST:PORT, FILE.csv or -; may be repeated "
              "[default: CSV on standard output].")  # fmt: skip
@click.option("--mic", is_flag=True, help="The sound is a microphone's; pip install 'blendvoca[live]'.")
@click.option("--mic-device", metavar="NAME", help="Which microphone [default: the system's].")
@click.option("--format", "encoding", type=click.Choice(["s16le", "f32le"]), default="s16le", show_default=True,
              help="How samples are written: 16-bit integers or 32-bit floats, little end first.")  # fmt: skip
@click.option("--hop", type=int,
              help=f"New frames of a section [default: {_TABLE.hop}; to receivers {_LIVE.hop}].")  # fmt: skip
@click.option("--lookahead", type=int, help="Frames of sound that a frame waits for "
              f"[default: {_TABLE.lookahead}; to receivers {_LIVE.lookahead}].")  # fmt: skip
@click.option("--past", type=int, help=f"Frames that a section goes on from [default: {_TABLE.past}].")
@click.option("--delay", type=click.FloatRange(0, 10), help="Seconds that frames go out after their sound [default: "
              "what this machine needs].")  # fmt: skip
@blinks_option
@seed_option
@model_options
@live_drawing_options
def stream(audio: Path | None, targets: tuple[str, ...], mic: bool, mic_device: str | None, encoding: str,
           hop: int | None, lookahead: int | None, past: int | None, delay: float | None, blinks: bool, seed: int,
           model: ModelChoice, drawing: DrawingChoice) -> None:  # fmt: skip
    """Move a face along with sound as it comes: frames to Unreal, VRM programs, a page, or a table.

    The sound is mono at 16 kHz on standard input, a microphone (--mic), or AUDIO at its own pace. To receivers, frames
    go out evenly, as far behind their sound as is said at the start; late ones are dropped. A table (--to FILE.csv or
    none) gets every frame as soon as it is known.

    \b
    livelink://127.0.0.1:11111  Live Link Face's packets, for Unreal; ?subject=NAME
    osc://127.0.0.1:39539       VMC protocol; ?names=vrm for visemes of VRM avatars
    ws://127.0.0.1:8765         JSON over WebSocket, to the server there, else to whoever connects
    """
    from blendvoca.errors import ConfigurationError
    from said_model.live.address import Address

    addresses = [Address.of(target) for target in targets or ("-",)]
    if (mic and audio is not None) or (mic_device is not None and not mic):
        raise ConfigurationError(
            "which sound?", expected="AUDIO, --mic with or without --mic-device, or standard input"
        )
    paced = any(address.scheme != "csv" for address in addresses)
    config = _sizes(paced, hop, lookahead, past)
    said = model.open()
    settings = drawing.sampler_for(said)
    if settings.step_count > _LIVE_STEPS:
        click.echo("warning: so many steps hardly keep up with live sound: try --sampler dpm, or fewer --steps",
                   err=True)  # fmt: skip
    live = _live(said, config, seed, settings, blinks)
    source = _source(audio, mic, mic_device, encoding)
    if paced:
        _send(live, source, addresses, config.latency(said.config.fps), delay, said.config.fps)
    else:
        _write(live, source, addresses, config.latency(said.config.fps))


def _sizes(paced: bool, hop: int | None, lookahead: int | None, past: int | None) -> StreamConfig:
    from said_model.diffusion.sections import Chain

    chain = (StreamConfig.live() if paced else StreamConfig()).chain
    sizes = {"past": past, "hop": hop, "lookahead": lookahead}
    return StreamConfig(Chain(**{key: getattr(chain, key) if size is None else size for key, size in sizes.items()}))


def _live(said: SAiD, config: StreamConfig, seed: int, sampler: SamplerConfig, blinks: bool) -> Live:
    from blendvoca.terminal.lazy_group import note
    from said_model.live.session import Live
    from said_model.synthesis.idle import Idle

    idle = Idle(seed, said.config.fps) if blinks else None
    return Live(lambda: said.stream(config, seed, sampler), said.config.names, idle, note)


def _source(audio: Path | None, mic: bool, device: str | None, encoding: str) -> Iterator[Samples]:
    import sys

    from said_model.live.sources import from_microphone, from_pipe, from_samples

    if mic:
        return from_microphone(device)
    if audio is not None:
        speech = open_speech(audio)
        return from_samples(speech.level.restore(speech.samples).numpy())
    return from_pipe(sys.stdin.buffer, encoding)


def _send(live: Live, source: Iterator[Samples], addresses: Sequence[Address], waits: float, delay: float | None,
          fps: float) -> None:  # fmt: skip
    """Send frames to receivers, evenly."""
    from contextlib import ExitStack, suppress

    import torch

    from said_model.live.outputs import open_output
    from said_model.live.session import delay_of

    # The network is small: a second thread gains little, and waits where another program has the core.
    torch.set_num_threads(1)

    with ExitStack() as stack:
        outputs = []
        for address in addresses:
            outputs.append(open_output(address, _columns(live), fps, live.on_report))
            stack.callback(outputs[-1].close)
        needed = delay_of(waits, live.prepare())
        chosen = needed if delay is None else delay
        if chosen < needed:
            live.on_report(f"this machine needs {needed:.2f} s: frames that come later than --delay are dropped")
        click.echo(f"frames go out {chosen:.2f} s after their sound ({waits:.2f} s of it wait for sound)", err=True)
        with suppress(KeyboardInterrupt):
            live.run(source, outputs, chosen)


def _write(live: Live, source: Iterator[Samples], addresses: Sequence[Address], waits: float) -> None:
    """Write every frame as soon as it is known."""
    import torch

    from said_model.live.outputs import CsvOutput

    click.echo(f"a frame waits at most {waits:.2f} s for its sound, and for the computation", err=True)
    # The first pass through the network prepares its kernels, which takes far longer than any other.
    live.prepare()
    streamer, first = live.start(), 0
    outputs = [CsvOutput(address.host, _columns(live)) for address in addresses]

    def put(values: torch.Tensor) -> None:
        nonlocal first
        for frame in live.frames(values, first, streamer.fps):
            for output in outputs:
                output.send(frame)
        first += len(values)

    try:
        for samples in source:
            put(streamer.push(samples))
        put(streamer.finish())
    finally:
        for output in outputs:
            output.close()


def _columns(live: Live) -> tuple[str, ...]:
    extra = () if live.idle is None else live.idle.names
    return (*live.names, *(name for name in extra if name not in live.names))

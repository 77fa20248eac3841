"""``said edit``: generate parts of a track anew."""

from __future__ import annotations

from pathlib import Path

import click

from said_model.cli._model import model_options, open_model, open_speech, sampler_options, window_options


@click.command()
@click.argument("track", type=click.Path(path_type=Path))
@click.option("--audio", required=True, type=click.Path(path_type=Path), help="What is spoken.")
@click.option("--out", required=True, type=click.Path(path_type=Path),
              help="A .csv for one variant, else a folder.")  # fmt: skip
@click.option("--keep", multiple=True, metavar="FROM:TO", help="Seconds in which all stays, such as 0:1.2 or 2.5:.")
@click.option("--pin", multiple=True, metavar="NAME", help="Blendshape that stays at all times; * matches anything.")
@click.option("--redo", multiple=True, metavar="NAME", help="Only these blendshapes change.")
@click.option("--mask", "mask_path", type=click.Path(path_type=Path),
              help="A CSV like the track's, 1 keeps and 0 generates, instead of --keep, --pin and --redo.")  # fmt: skip
@click.option("--variants", default=1, show_default=True)
@model_options
@sampler_options
@window_options
def edit(track: Path, audio: Path, out: Path, keep: tuple[str, ...], pin: tuple[str, ...], redo: tuple[str, ...],
         mask_path: Path | None, variants: int, model: Path | None, pretrained: str | None, device: str,
         precision: str, sampler: str, steps: int | None, guidance: float, seed: int, window: int, overlap: int,
         at_once: int) -> None:  # fmt: skip
    """Generate parts of TRACK (CSV) anew to fit the sound; what is kept comes back exactly."""
    from blendvoca.errors import ConfigurationError, OutputError
    from blendvoca.io.track.csv import read_track
    from said_model import SamplerConfig
    from said_model.diffusion.windows import WindowConfig
    from said_model.synthesis.edit import build_mask, mask_of_track

    if mask_path is not None and (keep or pin or redo):
        raise ConfigurationError("two masks", expected="--mask, or --keep, --pin and --redo", found="both")
    single = out.suffix.lower() == ".csv"
    if single and variants > 1:
        raise OutputError("several variants do not fit in one file", expected="a folder", found=str(out))
    settings, windows = SamplerConfig(sampler, steps, guidance), WindowConfig(window, overlap, at_once)
    said = open_model(model, pretrained, device, precision)
    reference = read_track(track, said.config.fps)
    if mask_path is not None:
        mask = mask_of_track(read_track(mask_path, said.config.fps), reference)
    else:
        mask = build_mask(len(reference), reference.names, reference.fps, keep=keep, pin=pin, redo=redo)
    click.echo(f"{(mask < 0.5).mean():.0%} of the track is generated anew")
    edited = said.edit(reference, open_speech(audio), mask, variants, seed, settings, windows)
    for number, result in enumerate(edited):
        target = out if single else out / f"{track.stem}_{seed + number}.csv"
        result.track.to_csv(target)
        click.echo(f"{target}\n  {result.borders}")

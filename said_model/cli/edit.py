"""``said edit``: generate parts of a track anew."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendvoca.errors import ConfigurationError
from blendvoca.terminal.paths import OutFolder
from said_model.cli.options.groups import option_group
from said_model.cli.options.model import (
    DrawingChoice,
    ModelChoice,
    drawing_options,
    model_options,
    open_speech,
    seed_option,
)

if TYPE_CHECKING:
    from blendvoca.track import CoefficientTrack
    from said_model.synthesis.edit import Mask


@dataclass(frozen=True)
class MaskChoice:
    """What stays and what is generated anew."""

    keep: tuple[str, ...]
    pin: tuple[str, ...]
    redo: tuple[str, ...]
    mask_path: Path | None

    def __post_init__(self) -> None:
        if self.mask_path is not None and (self.keep or self.pin or self.redo):
            raise ConfigurationError("two masks", expected="--mask, or --keep, --pin and --redo", found="both")

    def of(self, track: CoefficientTrack) -> Mask:
        """Return the mask (T, K) of a track."""
        from blendvoca.io.track.csv import read_track
        from said_model.synthesis.edit import build_mask, mask_of_track

        if self.mask_path is not None:
            return mask_of_track(read_track(self.mask_path, track.fps), track)
        return build_mask(len(track), track.names, track.fps, keep=self.keep, pin=self.pin, redo=self.redo)


mask_options = option_group(
    "mask", MaskChoice,
    click.option("--keep", multiple=True, metavar="FROM:TO",
                 help="Seconds in which all stays, such as 0:1.2 or 2.5:; may be repeated."),
    click.option("--pin", multiple=True, metavar="NAME",
                 help="Blendshape that stays at all times; * matches anything; may be repeated."),
    click.option("--redo", multiple=True, metavar="NAME", help="Only this blendshape changes; may be repeated."),
    click.option("--mask", "mask_path", type=click.Path(path_type=Path),
                 help="A CSV like the track's, 1 keeps and 0 generates, instead of --keep, --pin and --redo."),
)  # fmt: skip


@click.command()
@click.argument("track", type=click.Path(path_type=Path))
@click.option("--audio", required=True, type=click.Path(path_type=Path), help="What is spoken.")
@click.option("--out", required=True, type=OutFolder(".csv"),
              help="A .csv for one variant, else a folder.")  # fmt: skip
@mask_options
@click.option("--variants", default=1, show_default=True, help="Edits, with seeds in a row.")
@seed_option
@model_options
@drawing_options
def edit(track: Path, audio: Path, out: Path, mask: MaskChoice, variants: int, seed: int, model: ModelChoice,
         drawing: DrawingChoice) -> None:  # fmt: skip
    """Generate parts of TRACK (CSV) anew to fit the sound; what is kept comes back exactly."""
    from blendvoca.errors import OutputError
    from blendvoca.io.files import read_bytes
    from blendvoca.io.track.csv import read_track

    single = out.suffix.lower() == ".csv"
    if single and variants > 1:
        raise OutputError("several variants do not fit in one file", expected="a folder", found=str(out))
    for path in (track, audio, mask.mask_path):
        if path is not None:
            read_bytes(path)
    said = model.open()
    reference = read_track(track, said.config.fps)
    chosen, speech = mask.of(reference), open_speech(audio)
    click.echo(f"{(chosen < 0.5).mean():.0%} of the track is generated anew")
    sampler, windows = drawing.sampler_for(said), drawing.windows
    edited = said.edit(reference, speech, chosen, variants, seed, sampler, windows, drawing.conventions)
    for number, result in enumerate(edited):
        target = out if single else out / f"{track.stem}_{seed + number}.csv"
        result.track.to_csv(target)
        click.echo(f"{target}\n  {result.borders}")

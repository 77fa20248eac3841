"""``said sample``: speech to coefficients."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from said_model.cli._model import DrawingChoice, ModelChoice, drawing_options, model_options, open_speech, seed_option

if TYPE_CHECKING:
    from said_model import SAiD, SamplerConfig


@click.command()
@click.argument("audio", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path),
              help="A .csv for one sample of one file, else a folder.")  # fmt: skip
@click.option("--samples", default=1, show_default=True, help="Samples of each file, with seeds in a row.")
@seed_option
@model_options
@drawing_options
def sample(audio: tuple[Path, ...], out: Path, samples: int, seed: int, model: ModelChoice,
           drawing: DrawingChoice) -> None:  # fmt: skip
    """Draw blendshape coefficients for AUDIO: sound files of any kind and rate, or folders of them.

    Minutes of sound are cut into windows that are blended at every denoising step.
    """
    from blendvoca.errors import AudioError, FormatError, MissingDependencyError, MissingInputError, OutputError
    from blendvoca.terminal.lazy_group import note
    from said_model.diffusion.schedule import make_schedule
    from said_model.model import together

    files = together(audio, note)
    stems = [path.stem for path in files]
    if not files:
        raise MissingInputError("no sound files here", expected="WAV, FLAC, OGG, MP3, M4A, …", path=audio[0])
    if len(set(stems)) < len(stems):
        raise OutputError(
            "several files of one name would be written over each other", expected="names that differ",
            found=", ".join(sorted({stem for stem in stems if stems.count(stem) > 1})),
            remedy="Sample them one by one, or into several folders.",
        )  # fmt: skip
    single = out.suffix.lower() == ".csv"
    if single and (len(files) > 1 or samples > 1):
        raise OutputError("several samples do not fit in one file", expected="a folder", found=str(out))
    said = model.open()
    sampler = drawing.sampler_for(said)
    # Brings in what draws: the first file's time is then its own.
    make_schedule(said.config.diffusion, sampler)
    failed = 0
    for path in files:
        try:
            _sample_one(said, path, out, single, samples, seed, sampler, drawing)
        except (AudioError, FormatError, MissingDependencyError) as error:
            if len(files) == 1:
                raise
            # One bad recording does not stop a batch.
            failed += 1
            click.echo(f"Error: {error}", err=True)
    if failed:
        click.echo(f"{failed} of {len(files)} files could not be used", err=True)
        raise click.exceptions.Exit(1)


def _sample_one(said: SAiD, path: Path, out: Path, single: bool, samples: int, seed: int, sampler: SamplerConfig,
                drawing: DrawingChoice) -> None:  # fmt: skip
    import time

    from said_model.cli._progress import counting_bar

    speech, start = open_speech(path), time.perf_counter()
    with counting_bar(path.name) as progress:
        tracks = said.samples(speech, samples, seed, sampler, drawing.windows, drawing.conventions, progress)
    taken = time.perf_counter() - start
    names = [f"{path.stem}.csv" if samples == 1 else f"{path.stem}_{seed + n}.csv" for n in range(samples)]
    targets = [out] if single else [out / name for name in names]
    for track, target in zip(tracks, targets):
        track.to_csv(target)
    seconds = sum(track.duration for track in tracks)
    what = "1 sample" if samples == 1 else f"{samples} samples"
    where = str(targets[0]) if samples == 1 else f"{targets[0]} to {targets[-1].name}"
    click.echo(f"{path.name}: {len(tracks[0])} frames, {what} in {taken:.2f} s "
               f"({seconds / taken:.1f} x real time) -> {where}")  # fmt: skip

"""``said sample``: speech to coefficients, and on to what shows or takes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendvoca.export.kinds import KINDS
from blendvoca.terminal.options import one_of
from said_model.cli.options.model import (
    DrawingChoice,
    ModelChoice,
    blinks_option,
    drawing_options,
    model_options,
    open_speech,
    seed_option,
)

if TYPE_CHECKING:
    from blendvoca.audio import Waveform
    from said_model import SAiD, SamplerConfig
    from said_model.audio_encoder.speech import Speech
    from said_model.synthesis.write import Face


@click.command()
@click.argument("audio", nargs=-1, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path),
              help="talk.csv, .json, .glb, .usd, .mp4, .html …; for several samples or files a folder.")  # fmt: skip
@click.option("--to", "kind", metavar=one_of((*KINDS, "mp4", "page")),
              help="[default: by the suffix of --out; csv in a folder].")  # fmt: skip
@click.option("--rig", metavar="RIG", help="The head that moves: rig file, shard, glTF, VRM, folder of OBJs [default: "
              "the sample head].")  # fmt: skip
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Shards whose clips are sampled, instead of AUDIO, each from noise of its own; written as `said evaluate` "
    "reads them.",
)
@click.option("--split", type=click.Choice(["train", "validation", "test"]), help="Which clips of --data [default: "
              "test].")  # fmt: skip
@click.option("--samples", default=1, show_default=True, help="Samples of each file, with seeds in a row.")
@blinks_option
@seed_option
@model_options
@drawing_options
def sample(audio: tuple[Path, ...], out: Path, kind: str | None, rig: str | None, data: Path | None, split: str | None,
           samples: int, blinks: bool, seed: int, model: ModelChoice, drawing: DrawingChoice) -> None:  # fmt: skip
    """Draw blendshape coefficients for AUDIO: sound files of any kind and rate, or folders of them, at any depth.

    The name of --out says what is written: a table (.csv; livelink.csv for Live Link), .json, a face that talks (.glb,
    .usd, .usda, .usdc), an animation of VRM avatars (.vrma), a video with its sound (.mp4), a page (.html). Minutes
    of sound are cut into windows that are blended at every denoising step.
    """
    from blendvoca.errors import BlendvocaError, OutputError
    from blendvoca.terminal.lazy_group import note
    from said_model.diffusion.schedule import make_schedule
    from said_model.synthesis.write import Face

    _check_source(audio, data, split)
    plan = _Plan.of(out, kind, samples, seed)
    jobs = list(_recordings(audio, note) if data is None else _clips(data, split or "test"))
    plan.check(len(jobs))
    face, failed = Face(rig, note), 0
    if rig is not None:
        # A head that cannot be read is said before a model is loaded.
        _ = face.rig
    said = model.open()
    sampler = drawing.sampler_for(said)
    # Brings in what draws: the first file's time is then its own.
    make_schedule(said.config.diffusion, sampler)
    for job in jobs:
        try:
            _sample_one(said, job, plan, face, sampler, drawing, blinks)
        except BlendvocaError as error:
            if len(jobs) == 1 or isinstance(error, OutputError):
                raise
            # One bad recording does not stop a batch.
            failed += 1
            click.echo(f"Error: {error}", err=True)
    if failed:
        click.echo(f"{failed} of {len(jobs)} files could not be used", err=True)
        raise click.exceptions.Exit(1)


@dataclass(frozen=True)
class _Job:
    """One sound: what it is called, where it is, what its outputs are called without suffix; how long they last.

    :param noise: is added to the seeds.
    """

    title: str
    sound: Path | Waveform
    name: str
    seconds: float | None = None
    noise: int = 0

    def speech(self, fps: float) -> Speech:
        """Return the sound, of a clip as long as its motion: recordings are a little longer or shorter."""
        from said_model.audio_encoder.speech import load_speech

        speech = open_speech(self.sound) if isinstance(self.sound, Path) else load_speech(self.sound)
        return speech if self.seconds is None else speech.lasting(round(self.seconds * fps), fps)

    def waveform(self) -> Waveform:
        """Return the sound as it is."""
        from blendvoca.io.sound.wav import read_audio

        return read_audio(self.sound) if isinstance(self.sound, Path) else self.sound


@dataclass(frozen=True)
class _Plan:
    """What is written: one file of a kind, or files in a folder, one a seed."""

    out: Path
    kind: str
    single: bool
    seeds: range

    @classmethod
    def of(cls, out: Path, kind: str | None, samples: int, seed: int) -> _Plan:
        from blendvoca.errors import ConfigurationError
        from said_model.synthesis.write import kind_of

        if samples < 1:
            raise ConfigurationError("nothing to draw", expected="--samples 1 or more", found=samples)
        found, seeds = kind_of(out, kind), range(seed, seed + samples)
        return cls(out, found or kind or "csv", found is not None, seeds)

    def check(self, n_sounds: int) -> None:
        """Refuse several samples in one file.

        :raises OutputError: for more than one.
        """
        from blendvoca.errors import OutputError

        if self.single and (n_sounds > 1 or len(self.seeds) > 1):
            raise OutputError("several samples do not fit in one file", expected="a folder", found=str(self.out))

    def targets(self, name: str) -> list[Path]:
        """Return where the samples of a sound go."""
        from said_model.synthesis.write import SUFFIX_OF

        if self.single:
            return [self.out]
        endings = [""] if len(self.seeds) == 1 else [f"_{seed}" for seed in self.seeds]
        return [self.out / f"{name}{ending}{SUFFIX_OF[self.kind]}" for ending in endings]


def _recordings(audio: tuple[Path, ...], note: Callable[[str], None]) -> Iterator[_Job]:
    """Yield the sound files.

    :raises MissingInputError: if there is none.
    """
    from blendvoca.errors import MissingInputError
    from said_model.synthesis.sources import sound_sources

    sources = sound_sources(audio, note)
    if not sources:
        raise MissingInputError("no sound files here", expected="WAV, FLAC, OGG, MP3, M4A, …", path=audio[0])
    for source in sources:
        yield _Job(source.path.name, source.path, source.name)


def _clips(data: Path, split: str) -> Iterator[_Job]:
    """Yield the clips of a split that have sound.

    :raises MissingInputError: if none has.
    """
    from blendvoca.dataset import BlendVOCA
    from blendvoca.errors import MissingInputError
    from blendvoca.terminal.lazy_group import note
    from said_model.synthesis.sources import own_noise

    clips, count = BlendVOCA(data, split, cache_bytes=0), 0
    for clip in clips:
        title = f"{clip.speaker}/{clip.sentence}"
        if clip.waveform is None:
            note(f"{title} left out: no sound is stored with it")
            continue
        count += 1
        yield _Job(title, clip.waveform, title, clip.track.duration, own_noise(title))
    if not count:
        raise MissingInputError(f"no clip of the split {split!r} has sound", expected="shards with sound", path=data)


def _check_source(audio: tuple[Path, ...], data: Path | None, split: str | None) -> None:
    from blendvoca.errors import ConfigurationError

    if (data is None) == (not audio):
        raise ConfigurationError("sample what?", expected="AUDIO, or --data SHARDS, one of them")
    if data is None and split is not None:
        raise ConfigurationError("--split chooses clips of --data", expected="--data SHARDS", found="none")


def _sample_one(said: SAiD, job: _Job, plan: _Plan, face: Face, sampler: SamplerConfig, drawing: DrawingChoice,
                blinks: bool) -> None:  # fmt: skip
    import time

    from said_model.cli.options.progress import counting_bar
    from said_model.synthesis.idle import with_idle
    from said_model.synthesis.write import WITH_HEAD, WITH_SOUND, write_take

    speech, seeds = job.speech(said.config.fps), plan.seeds
    start = time.perf_counter()
    with counting_bar(job.title) as progress:
        first = seeds[0] + job.noise
        tracks = said.samples(speech, len(seeds), first, sampler, drawing.windows, drawing.conventions, progress)
    taken = time.perf_counter() - start
    targets = plan.targets(job.name)
    waveform = job.waveform() if plan.kind in WITH_SOUND else None
    if blinks and plan.kind not in WITH_HEAD:
        face.on_report(f"a file of kind {plan.kind} holds no motion of the head: {', '.join(WITH_HEAD)} do")
    for seed, track, target in zip(seeds, tracks, targets):
        whole, head = with_idle(track, seed + job.noise) if blinks else (track, None)
        with counting_bar(target.name) as progress:
            write_take(target, plan.kind, whole, face, waveform, progress, head)
    seconds = sum(track.duration for track in tracks)
    what = "1 sample" if len(seeds) == 1 else f"{len(seeds)} samples"
    where = str(targets[0]) if len(seeds) == 1 else f"{targets[0]} to {targets[-1].name}"
    click.echo(f"{job.title}: {len(tracks[0])} frames, {what} in {taken:.2f} s "
               f"({seconds / taken:.1f} x real time) -> {where}")  # fmt: skip

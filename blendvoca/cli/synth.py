"""``blendvoca synth``: write the embedded sample, or a corpus of many voices."""

from __future__ import annotations

from pathlib import Path

import click

from blendvoca.synthetic.config import SHAPES, SampleConfig, VoicesConfig
from blendvoca.terminal.options import setting
from blendvoca.terminal.paths import OutFolder


@click.command()
@click.argument("out", type=OutFolder())
@setting(SampleConfig, "speakers", "--speakers", help="How many speakers (1 to 99).")
@click.option("--sentences", type=int, help="How many sentences each (1 to 40); with --voices, of each espeak voice.  "
              f"[default: {SampleConfig.sentences}; {VoicesConfig.sentences}]")  # fmt: skip
@setting(SampleConfig, "seed", "--seed", help="Same seed, same bytes.")
@setting(SampleConfig, "binary", "--binary/--ascii", help="Frames as binary or as text PLY.")
@setting(SampleConfig, "takes", "--takes", help="Articulations of each sentence and sound, in the truth.")
@setting(SampleConfig, "shapes", "--shapes", type=click.Choice(SHAPES), help="all adds blinks, brows and glances.")
@setting(SampleConfig, "max_frames", "--max-frames", type=int,
         help="Cut every clip to so many frames (a multiple of 3).")  # fmt: skip
@click.option("--voices", is_flag=True, help="Shards of many voices, without meshes, to train on (docs/sample.md).")
@setting(VoicesConfig, "recorded_sentences", "--recorded-sentences",
         help="With --voices: of each voice made from recordings (flite, festival).")  # fmt: skip
@setting(VoicesConfig, "neural_sentences", "--neural-sentences", help="With --voices: of each Kokoro voice.")
@setting(VoicesConfig, "mixed_voices", "--mixed-voices",
         help="With --voices: further voices of Kokoro, each between two.")  # fmt: skip
@click.option("--engine", "engines", multiple=True, metavar="[espeak|flite|festival|kokoro]",
              help="With --voices; may be repeated; by default all.")  # fmt: skip
@click.option("--hold-out", multiple=True, metavar="ENGINE/VOICE",
              help="With --voices: a voice for validation; may be repeated; by default every eighth.")  # fmt: skip
@click.option("--recordings", multiple=True, type=click.Path(path_type=str, file_okay=False, exists=True),
              help="With --voices: recordings with their phones.json, one more voice; may be repeated.")  # fmt: skip
@click.option("--jobs", default=1, show_default=True, help="With --voices: voices that speak at once.")
def synth(
    out: Path, speakers: int, sentences: int | None, seed: int, binary: bool, takes: int, shapes: str,
    max_frames: int | None, voices: bool, recorded_sentences: int, neural_sentences: int, mixed_voices: int,
    engines: tuple[str, ...],
    hold_out: tuple[str, ...], recordings: tuple[str, ...], jobs: int,
) -> None:  # fmt: skip
    """Write a sample dataset to OUT, in exactly VOCASET's folder form.

    Synthetic heads speak short sentences with a machine voice; the true coefficients and rigs stand in OUT/truth.
    """
    if voices:
        count = VoicesConfig.sentences if sentences is None else sentences
        config = VoicesConfig(count, recorded_sentences, engines, hold_out, recordings, seed, neural_sentences,
                              mixed_voices)  # fmt: skip
        _write_voices(out, config, jobs)
        return
    from blendvoca.synthetic.corpus import write_sample
    from blendvoca.terminal.progress import counting_bar

    count = SampleConfig.sentences if sentences is None else sentences
    sample = SampleConfig(speakers, count, seed, binary, takes, shapes, max_frames)
    with counting_bar("Speaking") as progress:
        written = write_sample(out, sample, progress)
    gaps = ", ".join("/".join(gap) for gap in sample.known_gaps())
    missing = f"; sound without motion, as two clips of VOCASET have it: {gaps}" if gaps else ""
    verb = "Wrote" if written else "Already there:"
    click.echo(f"{verb} {speakers} speakers x {count} sentences in {out}{missing}")


def _write_voices(out: Path, config: VoicesConfig, jobs: int) -> None:
    from blendvoca.synthetic.voices import write_voices
    from blendvoca.terminal.progress import counting_bar

    with counting_bar("Speaking") as progress:
        report = write_voices(out, config, progress, jobs)
    click.echo(f"Wrote {report.clips} clips of {report.voices} voices to {out}")
    for engine, remedy in report.missing.items():
        click.echo(f"Left out: {engine} is not on this machine. {remedy}", err=True)

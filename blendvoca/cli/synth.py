"""``blendvoca synth``: write the embedded sample."""

from __future__ import annotations

from pathlib import Path

import click

from blendvoca.synthetic.config import SampleConfig
from blendvoca.terminal.options import setting


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@setting(SampleConfig, "speakers", "--speakers", help="How many speakers (1 to 99).")
@setting(SampleConfig, "sentences", "--sentences", help="How many sentences each (1 to 40).")
@setting(SampleConfig, "seed", "--seed", help="Same seed, same bytes.")
@setting(SampleConfig, "binary", "--binary/--ascii", help="Frames as binary or as text PLY.")
@setting(SampleConfig, "max_frames", "--max-frames", type=int,
         help="Cut every clip to so many frames (a multiple of 3).")  # fmt: skip
def synth(out: Path, speakers: int, sentences: int, seed: int, binary: bool, max_frames: int | None) -> None:
    """Write a sample dataset to OUT, in exactly VOCASET's folder form.

    Synthetic heads speak short sentences with a machine voice; the true coefficients and rigs stand in OUT/truth.
    """
    from blendvoca.synthetic.corpus import write_sample
    from blendvoca.terminal.progress import counting_bar

    config = SampleConfig(speakers, sentences, seed, binary, max_frames)
    with counting_bar("Speaking") as progress:
        written = write_sample(out, config, progress)
    gaps = ", ".join("/".join(gap) for gap in config.known_gaps())
    missing = f"; sound without motion, as two clips of VOCASET have it: {gaps}" if gaps else ""
    verb = "Wrote" if written else "Already there:"
    click.echo(f"{verb} {speakers} speakers x {sentences} sentences in {out}{missing}")

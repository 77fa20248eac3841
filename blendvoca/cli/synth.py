"""``blendvoca synth``: write the embedded sample."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
@click.option("--speakers", default=4, show_default=True, help="How many speakers (1 to 99).")
@click.option("--sentences", default=6, show_default=True, help="How many sentences each (1 to 40).")
@click.option("--seed", default=0, show_default=True, help="Same seed, same bytes.")
@click.option("--binary/--ascii", default=True, show_default=True, help="Frames as binary or as text PLY.")
@click.option("--max-frames", type=int, default=None, help="Cut every clip to so many frames (a multiple of 3).")
def synth(out: Path, speakers: int, sentences: int, seed: int, binary: bool, max_frames: int | None) -> None:
    """Write a sample dataset to OUT, in exactly VOCASET's folder form.

    Synthetic heads speak short sentences with a machine voice; the true coefficients and rigs stand in OUT/truth.
    """
    from blendvoca.synthetic.corpus import SampleConfig, write_sample
    from blendvoca.terminal.progress import counting_bar

    config = SampleConfig(speakers, sentences, seed, binary, max_frames)
    with counting_bar("Speaking") as progress:
        written = write_sample(out, config, progress)
    gaps = ", ".join("/".join(gap) for gap in config.known_gaps())
    missing = f"; sound without motion, as two clips of VOCASET have it: {gaps}" if gaps else ""
    verb = "Wrote" if written else "Already there:"
    click.echo(f"{verb} {speakers} speakers x {sentences} sentences in {out}{missing}")

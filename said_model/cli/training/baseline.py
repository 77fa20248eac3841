"""``said baseline``: tracks of the regression baseline for a split."""

from __future__ import annotations

from pathlib import Path

import click

from blendvoca.terminal.paths import OutFolder


@click.command()
@click.argument("model", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.argument("shards", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--out", required=True, type=OutFolder(), help="Folder of the tracks.")
@click.option("--split", default="test", show_default=True, type=click.Choice(["train", "validation", "test"]),
              help="Which clips.")  # fmt: skip
def baseline(model: Path, shards: Path, out: Path, split: str) -> None:
    """Write <speaker>/<sentence>.csv of MODEL, a run of `said train --model end2end-au`, for the sound of SHARDS."""
    from blendvoca.dataset import BlendVOCA
    from blendvoca.errors import AudioError
    from said_model.config import SAMPLE_RATE
    from said_model.extras import import_optional

    library = import_optional("said_model.evaluation.baselines.end2end_au")
    regressor = library.load_regressor(model)
    dataset = BlendVOCA(shards, split, audio_rate=SAMPLE_RATE)
    for clip in dataset:
        if clip.waveform is None:
            raise AudioError(f"{clip.speaker}/{clip.sentence} has no sound", expected="shards with audio")
        track = library.predict(regressor, clip.waveform, len(clip.track))
        folder = out / clip.speaker
        folder.mkdir(parents=True, exist_ok=True)
        track.to_csv(folder / f"{clip.sentence}.csv")
    click.echo(f"{len(dataset)} tracks: {out}")

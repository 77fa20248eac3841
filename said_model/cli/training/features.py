"""``said features``: what the speech encoder says of every clip, computed once."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("shards", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--encoder", default="log-mel", show_default=True, help="Speech encoder, as for `said train`.")
@click.option("--shifts", default=5, show_default=True, help="Audio shifts over ±1/60 s to cache, an odd number.")
@click.option("--device", default="auto", show_default=True, metavar="[auto|cpu|cuda]", help="Where it runs.")
@click.option("--fps", type=float, help="Frames per second of the coefficients [default: the shards'].")
def features(shards: Path, encoder: str, shifts: int, device: str, fps: float | None) -> None:
    """Cache the speech encoder's features of SHARDS beside them; `said train` does the same when it starts."""
    from said_model.cli.options.progress import counting_bar
    from said_model.extras import import_optional

    library = import_optional("said_model.audio_encoder.features")
    loaded, described = import_optional("said_model.training.recipes").load_encoder(encoder)
    from blendvoca.dataset import BlendVOCA
    from said_model.config import SAMPLE_RATE

    dataset = BlendVOCA(shards, audio_rate=SAMPLE_RATE)
    rate = fps if fps is not None else dataset.entry(0).fps if len(dataset) else 60.0
    loaded.to(import_optional("said_model.devices").pick_device(device))
    cache = library.FeatureCache(shards, loaded, described.name, rate, library.Shifts(shifts))
    with counting_bar("Encoding") as on_report:
        computed = cache.fill(dataset, on_report)
    click.echo(f"{cache.folder}: {computed} clips computed, {len(dataset) - computed} were there")

"""``said info``: what a checkpoint is made of."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
def info(model: Path) -> None:
    """Say what the checkpoint MODEL is made of, without loading its weights."""
    import json

    from said_model.extras import import_room

    checkpoint = import_room("said_model.checkpoint")
    config, notes = checkpoint.read_config(model), checkpoint.read_record(model).get("notes", {})
    denoiser, encoder, diffusion = config.denoiser, config.encoder, config.diffusion
    alignment = denoiser.alignment
    size = (model / checkpoint.WEIGHTS_FILE).stat().st_size if (model / checkpoint.WEIGHTS_FILE).is_file() else 0
    rows = {
        "blendshapes": f"{len(config.names)} at {config.fps:g} fps",
        "denoiser": f"width {denoiser.width}, {denoiser.heads} heads, {denoiser.feature_dim}-wide audio features",
        "alignment": f"bandwidth {alignment.bandwidth}"
        + "".join(f", {width} from timestep {start}" for start, width in alignment.schedule),
        "speech encoder": f"{encoder.name} ({'stored' if encoder.stored else 'not stored'} in the checkpoint)",
        "diffusion": f"{diffusion.train_steps} steps, {diffusion.beta_schedule}, predicts {diffusion.prediction}",
        "weights": f"{size / 2**20:.1f} MiB",
    }
    rows |= {f"note: {key}": value if isinstance(value, str) else json.dumps(value) for key, value in notes.items()}
    width = max(map(len, rows))
    for key, value in rows.items():
        click.echo(f"{key:<{width}}  {value}")

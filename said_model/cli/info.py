"""``said info``: what a checkpoint is made of."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
def info(model: Path) -> None:
    """Say what the checkpoint MODEL is made of, without loading its weights."""
    import shutil
    import textwrap

    from said_model.extras import import_optional

    checkpoint = import_optional("said_model.checkpoints.folder")
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
    for key, value in notes.items():
        rows |= _spell(f"note: {key}", value)
    width = max(map(len, rows))
    terminal = max(shutil.get_terminal_size().columns, width + 30)
    for key, value in rows.items():
        gap = " " * (width + 2)
        click.echo(textwrap.fill(value, terminal, initial_indent=f"{key:<{width}}  ", subsequent_indent=gap))


def _spell(name: str, value: object) -> dict[str, str]:
    """Return rows for a note: groups in rows of their own, what the checkpoint is made of left out."""
    if not isinstance(value, dict):
        return {name: f"{value:.4g}" if isinstance(value, float) else str(value)}
    plain = {key: part for key, part in value.items() if not isinstance(part, dict)}
    rows = {name: ", ".join(f"{key} {part}" for key, part in plain.items())} if plain else {}
    for key, part in value.items():
        if isinstance(part, dict) and key != "model":
            rows |= _spell(f"{name}, {key}", part)
    return rows

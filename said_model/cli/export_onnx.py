"""``said export-onnx``: a checkpoint for other languages."""

from __future__ import annotations

from pathlib import Path

import click

from said_model.cli.options.model import DrawingChoice, live_drawing_options


@click.command()
@click.argument("model", required=False, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path),
              help="MODEL.onnx: MODEL-120.onnx, -300.onnx, -encoder.onnx and MODEL.json are written.")  # fmt: skip
@click.option("--window", "windows", multiple=True, type=click.IntRange(2), help="Frames of a window; may be repeated "
              "[default: 120 and 300].")  # fmt: skip
@live_drawing_options
def export_onnx(model: Path | None, out: Path, windows: tuple[int, ...], drawing: DrawingChoice) -> None:
    """Write the checkpoint MODEL (the demo model without) as ONNX, one file a window of fixed length.

    The JSON describes the log-mel front end, the sampler, windows and noise: docs/sampling.md shows the whole in Python
    with onnxruntime alone.
    """
    from said_model.extras import import_optional

    said = import_optional("said_model.model").SAiD.load(model, "cpu")
    sampler = drawing.sampler_for(said)
    library = import_optional("said_model.checkpoints.onnx_export")
    found = library.export_onnx(out, said.network, sampler, windows or library.WINDOWS)
    for frames, path in found.models.items():
        click.echo(f"{path}: windows of {frames} frames, {path.stat().st_size / 1e6:.1f} MB")
    if found.encoder is not None:
        click.echo(f"{found.encoder}: learned part of the encoder, {found.encoder.stat().st_size / 1e6:.1f} MB")
    click.echo(f"{found.description}: front end, sampler, windows")

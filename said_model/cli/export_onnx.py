"""``said export-onnx``: a checkpoint for other languages."""

from __future__ import annotations

from pathlib import Path

import click

from said_model.cli.options.model import DrawingChoice, live_drawing_options


@click.command()
@click.argument("model", required=False, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path),
              help="MODEL.onnx; MODEL-encoder.onnx and MODEL.json are written beside it.")  # fmt: skip
@click.option("--window", "windows", multiple=True, type=click.IntRange(2), help="Write a file of this fixed number of "
              "frames, too, for runtimes that want one; may be repeated.")  # fmt: skip
@live_drawing_options
def export_onnx(model: Path | None, out: Path, windows: tuple[int, ...], drawing: DrawingChoice) -> None:
    """Write the checkpoint MODEL (the demo model without) as ONNX, for windows of any length.

    The JSON describes the log-mel front end, the sampler, windows and noise: docs/sampling.md shows the whole in Python
    with onnxruntime alone.
    """
    from said_model.extras import import_optional

    said = import_optional("said_model.model").SAiD.load(model, "cpu")
    sampler = drawing.sampler_for(said)
    library = import_optional("said_model.checkpoints.onnx_export")
    found = library.export_onnx(out, said.network, sampler, windows)
    for path, what in (
        (found.model, "denoiser, any number of frames"),
        *((path, f"denoiser, {frames} frames") for frames, path in found.fixed.items()),
        *([(found.encoder, "learned part of the encoder")] if found.encoder else []),
    ):
        click.echo(f"{path}: {what}, {path.stat().st_size / 1e6:.1f} MB")
    click.echo(f"{found.description}: front end, sampler, windows")

"""``said page``: a page in which the model makes a face talk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from said_model.cli.options.model import DrawingChoice, ModelChoice, live_drawing_options, model_options

if TYPE_CHECKING:
    from said_model.page.runtime import Runtime
    from said_model.page.write import Face


@click.command()
@click.option("--out", default="talk.html", show_default=True, type=click.Path(path_type=Path, dir_okay=False),
              help="The page, a file that ends in .html.")  # fmt: skip
@click.option("--rig", metavar="RIG", help="The head that talks, in any form [default: the sample head].")
@click.option("--audio", type=click.Path(path_type=Path, exists=True), help="Sound that the page opens with.")
@click.option("--runtime", metavar="FOLDER", help="onnxruntime-web, where it is not to be brought by npm.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
@model_options
@live_drawing_options
def page(
    out: Path, rig: str | None, audio: Path | None, runtime: str | None, show: bool, model: ModelChoice,
    drawing: DrawingChoice,
) -> None:  # fmt: skip
    """Write one file in which a face says what you drop or record: the model runs in the browser.

    It works offline and needs no server. What runs the network there, onnxruntime-web, is brought once by npm, or found
    in the folder that --runtime or ONNXRUNTIME_WEB names.
    """
    from blendvoca.io.sound.wav import read_audio
    from blendvoca.terminal.notes import Notes
    from blendvoca.view.suffix import check_suffix
    from said_model.extras import import_optional

    check_suffix(out, ".html")
    writer = import_optional("said_model.page.write")
    found = _runtime(runtime)
    face = _face(rig)
    sound = (audio.name, read_audio(audio, Notes())) if audio else None
    said = model.open()
    sampler = drawing.sampler_for(said)
    writer.write_talk_page(out, said.network, sampler, face, found, sound)
    click.echo(f"{out}: {face.name}, {out.stat().st_size / 1e6:.1f} MB; open it in a browser")
    if show:
        import webbrowser

        webbrowser.open(out.resolve().as_uri())


def _runtime(folder: str | None) -> Runtime:
    from blendvoca.errors import MissingInputError
    from blendvoca.terminal.lazy_group import note
    from said_model.page.runtime import fetch_runtime, find_runtime

    try:
        return find_runtime(folder)
    except MissingInputError:
        if folder is not None:
            raise
        return fetch_runtime(note)


def _face(rig: str | None) -> Face:
    from said_model.page.write import Face

    if rig is None:
        from blendvoca.synthetic.head import SyntheticHead

        head = SyntheticHead()
        return Face("Sample head", head.rig(), head.landmarks())
    from blendvoca.export.rigs import load_rig
    from blendvoca.shard.rig_file import known_landmarks

    return Face(Path(rig).stem, load_rig(rig), known_landmarks(rig))

"""``blendvoca inspect``: one self-contained page to look at speakers, shapes and clips."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blendvoca.terminal.paths import OutFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from blendvoca.rig import BlendshapeRig


@click.command()
@click.argument("source", metavar="SHARDS", type=click.Path(path_type=Path))
@click.option("--speaker", "speakers", multiple=True, metavar="S", help="This speaker only; may be repeated.")
@click.option("--clip", "clips", multiple=True, metavar="C", help="This clip only; may be repeated; `all` packs all.")
@click.option(
    "--track",
    "tracks",
    multiple=True,
    metavar="TRACK",
    help="A track beside the clip, such as a sample; may be repeated.",
)
@click.option("--audio", type=click.Path(path_type=Path, exists=True), help="Sound, where the clip has none.")
@click.option("--rig", metavar="RIG", help="Show everything on this head instead.")
@click.option("--corpus", metavar="FOLDER", help="The meshes that were fitted, for the fit error on the head.")
@click.option("--drop-missing", is_flag=True, help="Leave out shapes of tracks that the head lacks.")
@click.option("--out", default="inspect.html", show_default=True, type=OutFile(".html"), help="The page.")
@click.option("--open", "show", is_flag=True, help="Open the page in the browser.")
def inspect(
    source: Path,
    speakers: tuple[str, ...],
    clips: tuple[str, ...],
    tracks: tuple[str, ...],
    audio: Path | None,
    rig: str | None,
    corpus: str | None,
    drop_missing: bool,
    out: Path,
    show: bool,
) -> None:
    """Write a page with heads, sliders, clips with sound, curves and fit figures of SHARDS.

    SHARDS is a folder of shards, one shard, or a rig in any form (rig file, glTF, folder of OBJ files). Without --clip:
    all clips of one speaker, or the first three of each of several. The page needs no network.
    """
    from blendvoca.export.convert import load_track
    from blendvoca.export.rigs import load_rig
    from blendvoca.io.sound.wav import read_audio
    from blendvoca.io.vocaset.source import open_corpus
    from blendvoca.shard.rig_file import known_landmarks
    from blendvoca.terminal.lazy_group import track_label
    from blendvoca.terminal.notes import Notes
    from blendvoca.view.inspect import Choice, gather, write_page

    notes = Notes()
    shown = tuple((track_label(track), load_track(track, on_report=notes, on_remark=notes.remark)) for track in tracks)
    choice = Choice(
        speakers,
        clips,
        shown,
        read_audio(audio, notes) if audio else None,
        load_rig(rig) if rig else None,
        known_landmarks(rig) if rig else None,
        open_corpus(corpus) if corpus else None,
        drop_missing,
    )
    content = gather(source, choice, _sample_head)
    write_page(out, content)
    for note in dict.fromkeys(note for speaker in content.speakers for note in speaker.notes):
        click.echo(note, err=True)
    n_clips = sum(len(speaker.clips) for speaker in content.speakers)
    heads, clips_there = (_counted(*pair) for pair in ((len(content.speakers), "head"), (n_clips, "clip")))
    click.echo(f"{out}: {heads}, {clips_there}, {out.stat().st_size / 1e6:.1f} MB")
    if show:
        import webbrowser

        webbrowser.open(out.resolve().as_uri())


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


@cache
def _sample_head() -> tuple[BlendshapeRig, NDArray[np.int64]]:
    from blendvoca.synthetic.head import SyntheticHead

    head = SyntheticHead()
    return head.rig(), head.landmarks()

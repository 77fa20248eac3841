"""``said align``: phone times of recordings whose text is known."""

from __future__ import annotations

from pathlib import Path

import click

from blendvoca.terminal.paths import OutFile


@click.command()
@click.argument("sounds", type=click.Path(path_type=Path, exists=True), nargs=-1, required=True)
@click.option("--text", help="What is said; of one recording. Otherwise SOUND.txt beside each is read.")
@click.option("--out", type=OutFile(".json"), required=True, help="JSON file for `said evaluate --phones`.")
def align(sounds: tuple[Path, ...], text: str | None, out: Path) -> None:
    """Write the phone times of SOUNDS, by pocketsphinx and its English model."""
    from blendvoca.errors import BlendvocaError, ConfigurationError, MissingDependencyError
    from blendvoca.io.files import decode_text, read_bytes
    from blendvoca.io.phones import write_phones
    from blendvoca.io.sound.wav import read_resampled
    from blendvoca.terminal.lazy_group import note
    from said_model.extras import import_optional

    aligner = import_optional("said_model.evaluation.align")
    if text is not None and len(sounds) > 1:
        found = f"{len(sounds)} recordings"
        raise ConfigurationError("one text for several recordings", expected="a .txt file beside each", found=found)
    tracks, failed = {}, []
    for sound in sounds:
        try:
            words = text if text is not None else decode_text(read_bytes(sound.with_suffix(".txt")), sound)
            waveform, source = read_resampled(sound, aligner.RATE)
            for sentence in source.notes:
                note(f"{sound.name}: {sentence}")
            tracks[sound.name] = aligner.align(waveform, words)
        except MissingDependencyError:
            raise
        except BlendvocaError as error:
            failed.append(sound.name)
            click.echo(f"{sound.name}: {error}", err=True)
    if tracks:
        write_phones(out, tracks)
        click.echo(f"{out}: {len(tracks)} recordings, {sum(len(track.phones) for track in tracks.values())} phones")
    if failed:
        raise click.ClickException(f"{len(failed)} of {len(sounds)} recordings could not be aligned")

"""A dataset in a few lines: the table that ``blendvoca build`` and ``blendvoca info`` show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from blendvoca.shard.manifest import ClipEntry, Manifest
from blendvoca.speakers import SPLIT_NAMES

if TYPE_CHECKING:
    from rich.table import Table


@dataclass(frozen=True)
class SpeakerSummary:
    """One speaker's line.

    :param speaker: the name.
    :param split: the speaker's split.
    :param licence_class: of the shard.
    :param clips: number of clips.
    :param frames: their frames together.
    :param seconds: their length together.
    :param with_audio: clips that have sound.
    :param fit_error_mm: mean distance of the fit over all frames, in mm; ``None`` if nothing was fitted here.
    :param rate_limit_share: share of all frame transitions at the rate limit; ``None`` likewise.
    """

    speaker: str
    split: str
    licence_class: str
    clips: int
    frames: int
    seconds: float
    with_audio: int
    fit_error_mm: float | None
    rate_limit_share: float | None


def summarise(manifest: Manifest) -> list[SpeakerSummary]:
    """Return one line a speaker, split by split."""
    ordered = sorted(manifest.shards, key=lambda entry: (SPLIT_NAMES.index(entry.split), entry.speaker))
    return [_summary(entry.speaker, entry.split, entry.licence_class.value, entry.clips) for entry in ordered]


def summary_table(manifest: Manifest, title: str | None = None) -> Table:
    """Return the lines as a table for the terminal, 80 columns wide, with a last line for all.

    Columns: fit error in mm, and the share of frame transitions at the rate limit. Licence classes stand in a column of
    their own only where they differ.
    """
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_footer=True, box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    rows, (cells, total) = summarise(manifest), summary_rows(manifest)
    mixed = len({row.licence_class for row in rows}) > 1
    columns = ("Speaker", "Split", "Clips", "Audio", "Frames", "Minutes", "Fit mm", "At limit", "Licence")
    shown = len(columns) - (not mixed)
    for column, (name, last) in enumerate(zip(columns[:shown], total, strict=False)):
        table.add_column(name, footer=last, justify="right" if 2 <= column <= 7 else "left", no_wrap=column == 0)
    for position, row in enumerate(rows):
        ends = position + 1 < len(rows) and rows[position + 1].split != row.split
        table.add_row(*cells[position][:shown], end_section=ends)
    return table


def summary_rows(manifest: Manifest) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """Return one line of words a speaker, and one for all of them.

    Columns: speaker, split, clips, sound, frames, minutes, fit error in mm, share at the rate limit, licence class.
    """
    rows = summarise(manifest)
    everyone = f"{len(rows)} speaker{'s' * (len(rows) != 1)}"
    total = _summary(everyone, "", "", [clip for entry in manifest.shards for clip in entry.clips])
    return [_cells(row) for row in rows], _cells(total)


def clip_table(manifest: Manifest, title: str | None = None) -> Table:
    """Return one line a clip as a table for the terminal."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=0, show_edge=False)
    for column, name in enumerate(("Speaker", "Sentence", "Split", "Frames", "Seconds", "Fit mm", "At limit")):
        table.add_column(name, justify="right" if column > 2 else "left", no_wrap=True)
    for entry in manifest.shards:
        for clip in entry.clips:
            table.add_row(
                entry.speaker,
                clip.sentence,
                entry.split,
                f"{clip.frames:,}",
                f"{clip.seconds:.2f}",
                "-" if clip.fit_error_mm is None else f"{clip.fit_error_mm:.3f}",
                "-" if clip.rate_limit_share is None else f"{clip.rate_limit_share:.1%}",
                end_section=clip is entry.clips[-1] and entry is not manifest.shards[-1],
            )
    return table


def _cells(row: SpeakerSummary) -> tuple[str, ...]:
    return (
        row.speaker,
        row.split,
        f"{row.clips:,}",
        "yes" if row.with_audio == row.clips else "no" if row.with_audio == 0 else f"{row.with_audio}/{row.clips}",
        f"{row.frames:,}",
        f"{row.seconds / 60:.1f}",
        "-" if row.fit_error_mm is None else f"{row.fit_error_mm:.3f}",
        "-" if row.rate_limit_share is None else f"{row.rate_limit_share:.1%}",
        row.licence_class,
    )


def _summary(speaker: str, split: str, licence_class: str, clips: Sequence[ClipEntry]) -> SpeakerSummary:
    return SpeakerSummary(
        speaker=speaker,
        split=split,
        licence_class=licence_class,
        clips=len(clips),
        frames=sum(clip.frames for clip in clips),
        seconds=sum(clip.seconds for clip in clips),
        with_audio=sum(clip.samples > 0 for clip in clips),
        fit_error_mm=_mean([(clip.fit_error_mm, clip.frames) for clip in clips]),
        rate_limit_share=_mean([(clip.rate_limit_share, clip.frames - 1) for clip in clips]),
    )


def _mean(values: Sequence[tuple[float | None, int]]) -> float | None:
    """Return the mean of the values that are known, each weighted by its frames."""
    known = [(value, weight) for value, weight in values if value is not None]
    weight = sum(weight for _, weight in known)
    return sum(value * share for value, share in known) / weight if weight else None

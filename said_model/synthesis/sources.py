"""Sound files to sample, each with a name of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from zlib import crc32

from blendvoca.io.sound.wav import SOUND_SUFFIXES


@dataclass(frozen=True)
class Source:
    """A sound file.

    :param path: of the file.
    :param name: what its outputs are called, without suffix; a file of a folder keeps its place below that folder.
    """

    path: Path
    name: str


def own_noise(name: str) -> int:
    """Return what is added to the seeds with which a clip of a set is drawn.

    With the same seeds for all clips, all of them start from the same few noises and share their manners: figures over
    the set, Fréchet distances above all, would be those of so many draws, however many clips there are.

    :param name: of the clip in the set.
    """
    return crc32(name.encode()) << 16


def sound_sources(files: Sequence[str | Path], on_report: Callable[[str], None] | None = None) -> list[Source]:
    """Expand folders into the sound files they hold, at any depth, in order of their names.

    Files whose names would be one (``a.wav`` and ``a.flac``, or ``x/a.wav`` and ``y/a.wav`` named one by one) get
    longer ones: first the kind of file, then a number.

    :param files: files and folders; what is named twice is taken once.
    :param on_report: is called with a sentence for every file that is left out or renamed.
    """
    report = on_report or (lambda sentence: None)
    found: dict[Path, Source] = {}
    for file in map(Path, files):
        inside = _below(file, report) if file.is_dir() else iter([Source(file, file.stem)])
        for source in inside:
            found.setdefault(source.path.resolve(), source)
    return _distinct(list(found.values()), report)


def _below(folder: Path, report: Callable[[str], None]) -> Iterator[Source]:
    for entry in sorted(folder.rglob("*")):
        place = entry.relative_to(folder)
        if any(part.startswith(".") for part in place.parts) or not entry.is_file():
            continue
        if entry.suffix.lower() in SOUND_SUFFIXES:
            yield Source(entry, place.with_suffix("").as_posix())
        else:
            report(f"{entry} left out: {entry.suffix or 'a name without suffix'} is no kind of sound")


def _distinct(sources: list[Source], report: Callable[[str], None]) -> list[Source]:
    """Return the sources under names that differ, whatever the capitals: not every file system tells them apart."""
    shared = {name for name, count in Counter(source.name.lower() for source in sources).items() if count > 1}
    taken = {source.name.lower() for source in sources if source.name.lower() not in shared}
    named = []
    for source in sources:
        if source.name.lower() in shared:
            base = f"{source.name}-{source.path.suffix[1:].lower()}" if source.path.suffix else source.name
            name, number = base, 2
            while name.lower() in taken:
                name, number = f"{base}-{number}", number + 1
            taken.add(name.lower())
            report(f"{source.path} is written as {name}: another file is called {source.path.stem} too")
            source = replace(source, name=name)
        named.append(source)
    return named

"""The manifest: what a folder of shards holds, with sizes, SHA-256 sums and splits, so that it opens at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path

from blendvoca.errors import FormatError, InputError, IntegrityError, MissingInputError
from blendvoca.internal.names import repeated
from blendvoca.io.atomic import write_text
from blendvoca.io.digest import digest_file
from blendvoca.io.files import read_bytes
from blendvoca.shard import schema
from blendvoca.shard.entries import ClipEntry, Manifest, ShardEntry
from blendvoca.shard.manifest_text import parse_manifest
from blendvoca.shard.reader import Shard, open_shard
from blendvoca.speakers import KNOWN_GAPS, SPLIT_NAMES, default_split


def write_manifest(
    folder: str | PathLike[str],
    split: Mapping[str, str] | None = None,
    *,
    name: str = "BlendVOCA",
    known_gaps: Iterable[tuple[str, str]] | None = None,
) -> Manifest:
    """Describe all shards of a folder and write ``manifest.json`` beside them.

    :param split: speaker to split name; VOCASET's, or by position, where it is not given
        (:func:`blendvoca.speakers.default_split`).
    :param name: what the dataset is called.
    :param known_gaps: clips without motion; VOCASET's two, for speakers that are here, where it is not given.
    :returns: what was written.
    :raises MissingInputError: if the folder holds no shard.
    :raises FormatError: if a shard cannot be read, two are of one speaker, or their blendshapes differ.
    """
    manifest = describe(folder, split, name=name, known_gaps=known_gaps)
    write_text(Path(folder) / schema.MANIFEST_NAME, manifest.to_json())
    return manifest


def describe(
    folder: str | PathLike[str],
    split: Mapping[str, str] | None = None,
    *,
    name: str = "BlendVOCA",
    known_gaps: Iterable[tuple[str, str]] | None = None,
) -> Manifest:
    """Make the manifest of a folder without writing it (:func:`write_manifest`)."""
    folder = Path(folder)
    shards = [open_shard(path) for path in shard_files(folder)]
    if not shards:
        raise MissingInputError("no shards here", expected=f"*{schema.SHARD_SUFFIX}", path=folder)
    speakers = [shard.speaker for shard in shards]
    if twice := repeated(speakers):
        raise FormatError("two shards are of one speaker", found=twice, path=folder)
    for shard in shards:
        if shard.names != shards[0].names:
            found = f"{shard.path.name}: {list(shard.names)}"
            raise FormatError("shards of one folder name the same shapes", expected=list(shards[0].names), found=found)
    assigned = dict(default_split(speakers)) | {key: value for key, value in (split or {}).items() if key in speakers}
    if not set(assigned.values()) <= set(SPLIT_NAMES):
        raise InputError("unknown split", expected=f"one of {SPLIT_NAMES}", found=sorted(set(assigned.values())))
    gaps = KNOWN_GAPS if known_gaps is None else known_gaps
    return Manifest(
        name,
        shards[0].names,
        tuple(sorted((_entry(shard, assigned[shard.speaker]) for shard in shards), key=lambda entry: entry.speaker)),
        tuple(sorted((speaker, sentence) for speaker, sentence in gaps if speaker in speakers)),
    )


def shard_files(folder: Path) -> list[Path]:
    """Return the shards of a folder by name; names with a leading dot are unfinished files."""
    return sorted(path for path in folder.glob(f"*{schema.SHARD_SUFFIX}") if not path.name.startswith("."))


def read_manifest(folder: str | PathLike[str]) -> Manifest:
    """Read ``manifest.json`` of a folder.

    :raises MissingInputError: if there is none.
    :raises VersionError: if its major version is another.
    :raises FormatError: if it does not keep to the format, or names a file outside its folder.
    """
    path = Path(folder) / schema.MANIFEST_NAME
    if not path.is_file():
        raise MissingInputError(
            "no manifest here", remedy="Point at a folder that blendvoca build, publish or download wrote.", path=path
        )
    return parse_manifest(read_bytes(path), path)


def check_file(folder: Path, entry: ShardEntry) -> None:
    """Check that a listed shard is there with its size and SHA-256.

    :raises MissingInputError: if it is not there.
    :raises IntegrityError: if it is another file.
    """
    path = folder / entry.file
    if not path.is_file():
        raise MissingInputError("the manifest lists a file that is not here", remedy=_AGAIN, path=path)
    if path.stat().st_size != entry.bytes:
        size = path.stat().st_size
        raise IntegrityError("size differs from the manifest", expected=entry.bytes, found=size, remedy=_AGAIN,
                             path=path)  # fmt: skip
    if (found := digest_file(path)) != entry.sha256:
        raise IntegrityError("SHA-256 differs from the manifest", expected=entry.sha256, found=found, remedy=_AGAIN,
                             path=path)  # fmt: skip


_AGAIN = "Copy, download or build it again."


def _entry(shard: Shard, split: str) -> ShardEntry:
    clips = tuple(ClipEntry.of(clip) for clip in shard.clips())
    size, digest = shard.path.stat().st_size, digest_file(shard.path)
    return ShardEntry(shard.path.name, shard.speaker, split, shard.licence_class, size, digest, clips)

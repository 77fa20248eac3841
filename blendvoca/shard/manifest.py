"""The manifest: what a folder of shards holds, with sizes, SHA-256 sums and splits, so that it opens at once."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from os import PathLike
from pathlib import Path
from typing import Any

import blendvoca
from blendvoca.clip import Clip
from blendvoca.errors import FormatError, InputError, IntegrityError, MissingInputError
from blendvoca.io.atomic import write_text
from blendvoca.shard import schema
from blendvoca.shard.reader import Shard, open_shard
from blendvoca.shard.schema import LicenceClass
from blendvoca.speakers import KNOWN_GAPS, SPLIT_NAMES, default_split


@dataclass(frozen=True)
class ClipEntry:
    """One clip's line.

    :param sentence: its name.
    :param frames: T.
    :param fps: frames per second.
    :param samples: length of the sound, 0 where none is stored.
    :param audio_rate: its samples per second, 0 likewise.
    :param fit_error_mm: mean distance of the fit in mm; ``None`` without a certificate.
    :param rate_limit_share: share of frame transitions at the rate limit; ``None`` likewise.
    """

    sentence: str
    frames: int
    fps: float
    samples: int = 0
    audio_rate: int = 0
    fit_error_mm: float | None = None
    rate_limit_share: float | None = None

    @classmethod
    def of(cls, clip: Clip) -> ClipEntry:
        """Describe a clip."""
        wave, proof = clip.waveform, clip.certificate
        return cls(
            clip.sentence,
            len(clip.track),
            clip.track.fps,
            len(wave) if wave else 0,
            wave.rate if wave else 0,
            _known(proof.error_mean_mm) if proof else None,
            _known(proof.rate_limit_share) if proof else None,
        )

    @property
    def seconds(self) -> float:
        """Length of the motion."""
        return self.frames / self.fps


@dataclass(frozen=True)
class ShardEntry:
    """One shard's entry.

    :param file: its name in the manifest's folder.
    :param speaker: whose it is.
    :param split: ``train``, ``validation`` or ``test``.
    :param licence_class: what may be done with it.
    :param bytes: its size.
    :param sha256: of the file.
    :param clips: its clips, sorted by sentence.
    """

    file: str
    speaker: str
    split: str
    licence_class: LicenceClass
    bytes: int
    sha256: str
    clips: tuple[ClipEntry, ...]


@dataclass(frozen=True)
class Manifest:
    """What a folder of shards holds.

    :param name: what the dataset is called.
    :param names: the blendshape names, in column order.
    :param shards: one entry a speaker, sorted.
    :param known_gaps: ``(speaker, sentence)`` of clips that were never published with motion.
    :param version: format version.
    """

    name: str
    names: tuple[str, ...]
    shards: tuple[ShardEntry, ...]
    known_gaps: tuple[tuple[str, str], ...] = ()
    version: str = schema.FORMAT_VERSION

    @property
    def licence_class(self) -> LicenceClass:
        """The most binding class of its shards."""
        return LicenceClass.strictest(shard.licence_class for shard in self.shards)

    @property
    def splits(self) -> dict[str, tuple[str, ...]]:
        """Speakers of every split."""
        return {name: tuple(entry.speaker for entry in self.shards if entry.split == name) for name in SPLIT_NAMES}

    def to_json(self) -> str:
        """Return the text of ``manifest.json``: sorted, without times, so that the same shards give the same bytes."""
        clips = [clip for shard in self.shards for clip in shard.clips]
        head = {
            "format": schema.MANIFEST_FORMAT,
            "format_version": self.version,
            "tool_version": blendvoca.__version__,
            "name": self.name,
            "licence_class": self.licence_class.value,
            "names": self.names,
            "splits": self.splits,
            "counts": {
                "speakers": len(self.shards),
                "clips": len(clips),
                "frames": sum(clip.frames for clip in clips),
                "seconds": round(sum(clip.seconds for clip in clips), 6),
            },
            "known_gaps": self.known_gaps,
            "shards": [asdict(shard) | {"licence_class": shard.licence_class.value} for shard in self.shards],
        }
        return json.dumps(head, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


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
    if len(set(speakers)) < len(speakers):
        twice = sorted({speaker for speaker in speakers if speakers.count(speaker) > 1})
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
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise MissingInputError(
            "no manifest here", remedy="Point at a folder that blendvoca build, publish or download wrote.", path=path
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError("the manifest cannot be read", found=error, path=path) from error
    return parse_manifest(text, path)


def parse_manifest(text: str, path: str | PathLike[str]) -> Manifest:
    """Read a manifest's text; ``path`` is what errors call it."""
    try:
        values = json.loads(text)
        if values["format"] != schema.MANIFEST_FORMAT:
            raise FormatError("no manifest", expected=schema.MANIFEST_FORMAT, found=values["format"], path=path)
        schema.check_version(values["format_version"], path)
        return Manifest(
            str(values["name"]),
            tuple(values["names"]),
            tuple(_parse_shard(entry, path) for entry in values["shards"]),
            tuple((speaker, sentence) for speaker, sentence in values["known_gaps"]),
            values["format_version"],
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        found = f"{type(error).__name__}: {error}"
        raise FormatError("the manifest breaks its format", found=found, path=path) from error


def file_sha256(path: str | PathLike[str]) -> str:
    """Return the SHA-256 (hex) of a file."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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
    if (found := file_sha256(path)) != entry.sha256:
        raise IntegrityError("SHA-256 differs from the manifest", expected=entry.sha256, found=found, remedy=_AGAIN,
                             path=path)  # fmt: skip


_AGAIN = "Copy, download or build it again."


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _entry(shard: Shard, split: str) -> ShardEntry:
    clips = tuple(ClipEntry.of(clip) for clip in shard.clips())
    size, digest = shard.path.stat().st_size, file_sha256(shard.path)
    return ShardEntry(shard.path.name, shard.speaker, split, shard.licence_class, size, digest, clips)


def _parse_shard(values: Mapping[str, Any], path: str | PathLike[str]) -> ShardEntry:
    file = str(values["file"])
    if Path(file).name != file or file.startswith(".") or "\\" in file or not file.endswith(schema.SHARD_SUFFIX):
        raise FormatError("the manifest names a file outside its folder", found=repr(file), path=path)
    if values["split"] not in SPLIT_NAMES or not re.fullmatch("[0-9a-f]{64}", str(values["sha256"])):
        found = (values["split"], values["sha256"])
        raise FormatError(f"wrong split or SHA-256 of {file}", expected=f"one of {SPLIT_NAMES}", found=found, path=path)
    known = [field.name for field in fields(ClipEntry)]
    clips = tuple(ClipEntry(**{key: clip[key] for key in known if key in clip}) for clip in values["clips"])
    return ShardEntry(
        file,
        str(values["speaker"]),
        values["split"],
        LicenceClass.of(values["licence_class"]),
        int(values["bytes"]),
        values["sha256"],
        clips,
    )

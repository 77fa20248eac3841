"""The text of a manifest back into its entries, checked value by value: it may come from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import Any

from blendvoca.errors import FormatError, InputError
from blendvoca.internal.names import check_distinct, check_file_name, check_label, repeated
from blendvoca.io.json_file import (
    anything,
    check_json,
    choice,
    integer,
    list_of,
    number,
    optional,
    parse_json,
    table,
    text,
)
from blendvoca.shard import schema
from blendvoca.shard.entries import ClipEntry, Manifest, ShardEntry
from blendvoca.shard.schema import LicenceClass
from blendvoca.speakers import SPLIT_NAMES

_WRONG = "the manifest breaks its format"
_speaker = text(check=lambda name: check_file_name(name, "speaker"))
_sentence = text(check=lambda name: check_file_name(name, "sentence"))
#: Frames and samples of a day, and rates that no camera or sound card reaches.
_FRAMES, _FPS, _SAMPLES, _RATE = 10**8, 1e5, 10**11, 10**7
_CLIP = table(
    {"sentence": _sentence, "frames": integer(1, _FRAMES), "fps": number(1e-3, _FPS)},
    {
        "samples": integer(0, _SAMPLES),
        "audio_rate": integer(0, _RATE),
        "fit_error_mm": optional(number()),
        "rate_limit_share": optional(number()),
    },
)
_SHARD = table(
    {
        "file": text(),
        "speaker": _speaker,
        "split": choice(*SPLIT_NAMES),
        "licence_class": choice(*(entry.value for entry in LicenceClass)),
        "bytes": integer(0),
        "sha256": text(64, schema.check_sha256),
        "clips": list_of(_CLIP),
    }
)
_HEAD = table({"format": text(), "format_version": text()})
_MANIFEST = table(
    {
        "name": text(check=lambda name: check_label(name, "dataset")),
        "names": list_of(text(check=lambda name: check_label(name, "blendshape")), least=1, most=10_000),
        "shards": list_of(_SHARD, least=1),
        "known_gaps": list_of(list_of(text(), 2, 2)),
        "format_version": text(),
    }
)


def parse_manifest(content: bytes | str, path: str | PathLike[str]) -> Manifest:
    """Read a manifest's text.

    :param content: the text.
    :param path: what errors call it.
    :raises VersionError: if its major version is another.
    :raises FormatError: if it does not keep to the format, names a file outside its folder, or names one thing twice.
    """
    document = parse_json(content, anything, _WRONG, path)
    head = check_json(document, _HEAD, _WRONG, path)
    if head["format"] != schema.MANIFEST_FORMAT:
        raise FormatError("no manifest", expected=schema.MANIFEST_FORMAT, found=head["format"], path=path)
    schema.check_version(head["format_version"], path)
    values = check_json(document, _MANIFEST, _WRONG, path)
    manifest = Manifest(
        values["name"],
        tuple(values["names"]),
        tuple(_shard(entry, path) for entry in values["shards"]),
        tuple((speaker, sentence) for speaker, sentence in values["known_gaps"]),
        values["format_version"],
    )
    _check_unique(manifest, path)
    return manifest


def _shard(values: Mapping[str, Any], path: str | PathLike[str]) -> ShardEntry:
    expected = values["speaker"] + schema.SHARD_SUFFIX
    if values["file"] != expected:
        raise FormatError("the manifest names another file than its speaker's", expected=expected,
                          found=repr(values["file"][:200]), path=path)  # fmt: skip
    clips = tuple(ClipEntry(**clip) for clip in values["clips"])
    return ShardEntry(**{**values, "licence_class": LicenceClass(values["licence_class"]), "clips": clips})


def _check_unique(manifest: Manifest, path: str | PathLike[str]) -> None:
    if twice := repeated(manifest.names):
        raise FormatError("the manifest repeats blendshape names", found=twice[:4], path=path)
    try:
        check_distinct([shard.speaker for shard in manifest.shards], "speaker")
        for shard in manifest.shards:
            check_distinct([clip.sentence for clip in shard.clips], f"sentence of {shard.speaker}")
    except InputError as error:
        raise FormatError(f"the manifest: {error.what}", found=error.found, path=path) from error

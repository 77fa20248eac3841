"""The text of a manifest back into its entries, checked value by value: it may come from anywhere."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from blendvoca.errors import FormatError
from blendvoca.shard import schema
from blendvoca.shard.entries import ClipEntry, Manifest, ShardEntry
from blendvoca.shard.schema import LicenceClass
from blendvoca.speakers import SPLIT_NAMES


def parse_manifest(text: str, path: str | PathLike[str]) -> Manifest:
    """Read a manifest's text; ``path`` is what errors call it.

    :raises VersionError: if its major version is another.
    :raises FormatError: if it does not keep to the format, or names a file outside its folder.
    """
    try:
        values = json.loads(text)
        if values["format"] != schema.MANIFEST_FORMAT:
            raise FormatError("no manifest", expected=schema.MANIFEST_FORMAT, found=values["format"], path=path)
        schema.check_version(_typed(values["format_version"], str), path)
        if not values["shards"]:
            raise FormatError("the manifest lists no shards", expected="at least one", path=path)
        return Manifest(
            _typed(values["name"], str),
            tuple(_typed(name, str) for name in values["names"]),
            tuple(_parse_shard(entry, path) for entry in values["shards"]),
            tuple((_typed(speaker, str), _typed(sentence, str)) for speaker, sentence in values["known_gaps"]),
            values["format_version"],
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        found = f"{type(error).__name__}: {error}"
        raise FormatError("the manifest breaks its format", found=found, path=path) from error


def _parse_shard(values: Mapping[str, Any], path: str | PathLike[str]) -> ShardEntry:
    file = str(values["file"])
    if Path(file).name != file or file.startswith(".") or "\\" in file or not file.endswith(schema.SHARD_SUFFIX):
        raise FormatError("the manifest names a file outside its folder", found=repr(file), path=path)
    if values["split"] not in SPLIT_NAMES or not re.fullmatch("[0-9a-f]{64}", str(values["sha256"])):
        found = (values["split"], values["sha256"])
        raise FormatError(f"wrong split or SHA-256 of {file}", expected=f"one of {SPLIT_NAMES}", found=found, path=path)
    return ShardEntry(
        file,
        _typed(values["speaker"], str),
        values["split"],
        LicenceClass.of(values["licence_class"]),
        _typed(values["bytes"], int),
        values["sha256"],
        tuple(_parse_clip(clip) for clip in values["clips"]),
    )


def _parse_clip(values: Mapping[str, Any]) -> ClipEntry:
    """Make an entry of the keys that this release knows."""
    kinds = {"sentence": str, "frames": int, "fps": float, "samples": int, "audio_rate": int}
    known: dict[str, Any] = {key: _typed(values[key], kind) for key, kind in kinds.items() if key in values}
    for key in ("fit_error_mm", "rate_limit_share"):
        value = values.get(key)
        known[key] = None if value is None else _typed(value, float)
    clip = ClipEntry(**known)
    if clip.frames < 1 or not clip.fps > 0 or clip.samples < 0 or clip.audio_rate < 0:
        raise ValueError(f"impossible lengths of {clip.sentence}")
    return clip


def _typed(value: Any, kind: type) -> Any:
    """Return a value if it is of a kind; whole numbers are floats too.

    :raises TypeError: otherwise.
    """
    if kind is float and type(value) is int:
        value = float(value)
    finite = kind is not float or math.isfinite(value)
    if type(value) is not kind or not finite:
        raise TypeError(f"{value!r:.80} where {kind.__name__} is expected")
    return value

"""A Croissant description of a package: JSON-LD after https://docs.mlcommons.org/croissant/docs/croissant-spec-1.0.html."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from blendvoca.release.config import PackageConfig
from blendvoca.release.tables import CLIP_COLUMNS
from blendvoca.shard.manifest import Manifest
from blendvoca.shard.schema import MANIFEST_NAME
from blendvoca.speakers import SPLIT_NAMES

CROISSANT_NAME = "croissant.json"
CLIPS_NAME = "clips.csv"
_TERMS = (
    *("citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet", "format"),
    *("includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex"),
    *("repeated", "replace", "samplingRate", "separator", "source", "subField", "transform"),
)
_ENCODING = {".h5": "application/x-hdf5", ".csv": "text/csv", ".json": "application/json"}
_TYPES = {"string": "sc:Text", "int64": "sc:Integer", "float64": "sc:Float"}
_MEANING = {
    "speaker": "Who speaks; the shard is <speaker>.h5.",
    "sentence": "Which sentence; the group in the shard is clips/<sentence>.",
    "split": "train, validation or test.",
    "licence_class": "What may be done with the shard.",
    "frames": "Frames of motion.",
    "fps": "Frames a second.",
    "seconds": "Length of the motion.",
    "samples": "Samples of sound; 0 where none is stored.",
    "audio_rate": "Samples a second; 0 where none is stored.",
    "fit_error_mm": "Mean distance of the fit in millimetres; empty where the track was not fitted by this toolkit.",
    "rate_limit_share": "Share of frame transitions at the rate limit; empty likewise.",
}


def croissant(
    manifest: Manifest, config: PackageConfig, sums: Mapping[str, str], sizes: Mapping[str, int]
) -> dict[str, Any]:
    """Return the description of a package.

    :param sums: SHA-256 by file name; the table ``clips.csv`` and every shard must be among them.
    :param sizes: bytes by file name.
    """
    document: dict[str, Any] = {
        "@context": _context(),
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": re.sub(r"[^A-Za-z0-9_-]+", "-", config.name).strip("-"),
        "description": config.description,
        "license": config.licence_url,
        "url": config.url,
        "version": config.version,
        "citeAs": config.citation,
        "creator": {"@type": "sc:Organization", "name": config.creator},
        "keywords": ["speech", "facial animation", "blendshapes", "ARKit"],
        "distribution": [_file(name, sums[name], sizes[name]) for name in _described(manifest)],
        "recordSet": [_splits(), _clips()],
    }
    if config.date is not None:
        document["datePublished"] = config.date
    return document


def _context() -> dict[str, Any]:
    return {
        "@language": "en",
        "@vocab": "https://schema.org/",
        **{term: f"cr:{term}" for term in _TERMS},
        "conformsTo": "dct:conformsTo",
        "cr": "http://mlcommons.org/croissant/",
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "dct": "http://purl.org/dc/terms/",
        "examples": {"@id": "cr:examples", "@type": "@json"},
        "rai": "http://mlcommons.org/croissant/RAI/",
        "sc": "https://schema.org/",
    }


def _described(manifest: Manifest) -> list[str]:
    return [CLIPS_NAME, MANIFEST_NAME, *(entry.file for entry in manifest.shards)]


def _file(name: str, digest: str, size: int) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{size} B",
        "encodingFormat": _ENCODING[name[name.rindex(".") :]],
        "sha256": digest,
    }


def _splits() -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [{"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"}],
        "data": [{"splits/name": name} for name in SPLIT_NAMES],
    }


def _clips() -> dict[str, Any]:
    fields = [_field(name, kind) for name, kind in CLIP_COLUMNS.items()]
    return {
        "@type": "cr:RecordSet",
        "@id": "clips",
        "name": "clips",
        "description": "One record a clip. Its coefficients are in the speaker's shard.",
        "key": [{"@id": "clips/speaker"}, {"@id": "clips/sentence"}],
        "field": fields,
    }


def _field(name: str, kind: str) -> dict[str, Any]:
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"clips/{name}",
        "name": name,
        "description": _MEANING[name],
        "dataType": _TYPES[kind],
        "source": {"fileObject": {"@id": CLIPS_NAME}, "extract": {"column": name}},
    }
    if name == "split":
        field["references"] = {"field": {"@id": "splits/name"}}
    return field

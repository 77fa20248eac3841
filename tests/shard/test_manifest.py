"""The manifest: what it says of a folder, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shard_builders as build

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import BlendvocaError, FormatError, InputError, IntegrityError, MissingInputError, VersionError
from blendvoca.shard.manifest import check_file, read_manifest, write_manifest
from blendvoca.shard.summary import summary_table


def test_it_says_what_is_there(tmp_path: Path) -> None:
    written = build.dataset(tmp_path)
    manifest = read_manifest(tmp_path)
    assert manifest == written
    assert [entry.file for entry in manifest.shards] == ["alice.h5", "bob.h5", "carol.h5"]
    entry = manifest.shards[0]
    content = (tmp_path / "alice.h5").read_bytes()
    assert (entry.bytes, entry.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert [clip.frames for clip in entry.clips] == [31, 32, 33]
    assert entry.clips[0].samples == round(31 / 60 * build.RATE)
    assert entry.clips[0].fit_error_mm == 0.25
    assert manifest.splits == {"train": ("alice",), "validation": ("bob",), "test": ("carol",)}
    counts = json.loads((tmp_path / "manifest.json").read_text())["counts"]
    assert counts == {"speakers": 3, "clips": 9, "frames": 3 * 96, "seconds": 4.8}


def test_same_shards_same_bytes(tmp_path: Path) -> None:
    build.dataset(tmp_path)
    before = (tmp_path / "manifest.json").read_bytes()
    write_manifest(tmp_path)
    assert (tmp_path / "manifest.json").read_bytes() == before


def test_splits_and_gaps_can_be_given(tmp_path: Path) -> None:
    build.dataset(tmp_path)
    split = {"alice": "test", "bob": "train", "carol": "train", "dave": "train"}
    manifest = write_manifest(tmp_path, split, known_gaps=[("bob", "sentence09"), ("dave", "sentence01")])
    assert manifest.splits == {"train": ("bob", "carol"), "validation": (), "test": ("alice",)}
    assert manifest.known_gaps == (("bob", "sentence09"),)
    with pytest.raises(InputError, match="unknown split"):
        write_manifest(tmp_path, {"alice": "holdout"})


def test_vocaset_keeps_its_split_and_gaps(tmp_path: Path) -> None:
    manifest = build.dataset(tmp_path, ("FaceTalk_170809_00138_TA", "FaceTalk_170725_00137_TA"), sentences=1)
    assert manifest.splits["test"] == ("FaceTalk_170809_00138_TA",)
    assert manifest.known_gaps == (("FaceTalk_170809_00138_TA", "sentence32"),)


def test_unfinished_files_are_no_shards(tmp_path: Path) -> None:
    build.dataset(tmp_path)
    (tmp_path / ".alice.h5.x1.part.h5").write_bytes(b"half")
    assert len(write_manifest(tmp_path).shards) == 3


def test_shards_that_do_not_go_together(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="no shards"):
        write_manifest(tmp_path)
    path = build.shard(tmp_path)
    (tmp_path / "copy.h5").write_bytes(path.read_bytes())
    with pytest.raises(FormatError, match="of one speaker"):
        write_manifest(tmp_path)


def test_files_are_checked(tmp_path: Path) -> None:
    entry = build.dataset(tmp_path).shards[0]
    check_file(tmp_path, entry)
    path = tmp_path / entry.file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match="SHA-256"):
        check_file(tmp_path, entry)
    path.write_bytes(content[:-1])
    with pytest.raises(IntegrityError, match="size"):
        check_file(tmp_path, entry)
    path.unlink()
    with pytest.raises(MissingInputError, match="not here"):
        check_file(tmp_path, entry)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ('"file": "alice.h5"', '"file": "../alice.h5"', FormatError),
        ('"file": "alice.h5"', '"file": "/etc/passwd"', FormatError),
        ('"file": "alice.h5"', '"file": "..\\\\alice.h5"', FormatError),
        ('"format_version": "1.0"', '"format_version": "2.0"', VersionError),
        ('"format": "blendvoca-manifest"', '"format": "other"', FormatError),
        ('"split": "train"', '"split": "trian"', FormatError),
        ('"sha256": "', '"sha256": "x', FormatError),
        ('"shards": [', '"pieces": [', FormatError),
        ('"frames": 31', '"frames": 0', FormatError),
        ('"frames": 31', '"frames": "31"', FormatError),
        ('"frames": 31', '"length": 31', FormatError),
        ('"fps": 60.0', '"fps": NaN', FormatError),
        ('"fit_error_mm": 0.25', '"fit_error_mm": []', FormatError),
        ('"licence_class": "open",\n   "bytes"', '"licence_class": "free",\n   "bytes"', FormatError),
        ('"speaker": "alice"', '"speaker": null', FormatError),
        ('"known_gaps": []', '"known_gaps": [1]', FormatError),
        ("{", "[{", FormatError),
    ],
)
def test_broken_manifests(tmp_path: Path, old: str, new: str, error: type[Exception]) -> None:
    build.dataset(tmp_path)
    path = tmp_path / "manifest.json"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(error, match=r"manifest\.json"):
        read_manifest(tmp_path)


def test_fields_of_newer_minor_versions_are_left_aside(tmp_path: Path) -> None:
    written = build.dataset(tmp_path)
    path = tmp_path / "manifest.json"
    text = path.read_text().replace('"1.0"', '"1.9"', 1).replace('"frames": 31', '"mood": "calm", "frames": 31', 1)
    path.write_text(text)
    assert read_manifest(tmp_path).shards == written.shards


def test_no_manifest(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError, match="no manifest"):
        read_manifest(tmp_path)


def test_mutilated_manifests_are_refused_or_read(tmp_path: Path) -> None:
    """Any value replaced by any other: an error of ours, or a dataset whose table can be shown."""
    build.dataset(tmp_path)
    path = tmp_path / "manifest.json"
    whole = json.loads(path.read_text())
    rng = random.Random(0)
    refused = 0
    for _ in range(400):
        values = json.loads(json.dumps(whole))
        place, key = rng.choice(list(_places(values)))
        place[key] = rng.choice([None, -1, 0, 1e300, "", "x", [], {}, [[]], True, "../x", "1.0"])
        path.write_text(json.dumps(values))
        try:
            dataset = BlendVOCA(tmp_path)
            dataset.table()
            summary_table(dataset.manifest)
            dataset.manifest.to_json()
        except BlendvocaError:
            refused += 1
    assert refused > 200


def _places(values: object) -> Iterator[tuple[Any, Any]]:
    items = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in items:
        yield values, key
        yield from _places(value)

"""The page on the format is right: it names all that is stored, and its digest is ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import shard_builders as build

from blendvoca.shard import schema
from blendvoca.shard.digest import content_digest
from blendvoca.shard.reader import open_shard

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_format_page_names_everything_that_is_stored(tmp_path: Path) -> None:
    import h5py

    text = (DOCS / "format.md").read_text(encoding="utf-8")
    path = build.shard(tmp_path)
    with h5py.File(path) as file:
        stored = set(file.attrs) | set(file["rig"]) | set(file["clips/sentence01"])
        stored |= set(file["clips/sentence01"].attrs)
    assert [name for name in sorted(stored) if f"`{name}`" not in text] == []
    for name in (schema.SHARD_FORMAT, schema.MANIFEST_FORMAT, schema.FORMAT_VERSION, *schema.LicenceClass):
        assert f"`{name}`" in text


def test_the_digest_is_what_the_page_says(tmp_path: Path) -> None:
    """A digest written from the page alone, with h5py's high level only."""
    import hashlib

    import h5py

    path = build.shard(tmp_path)
    with h5py.File(path) as file:
        objects: dict[str, object] = {"/": file}
        file.visititems(lambda name, item: objects.update({"/" + name: item}))
        digest = hashlib.sha256()
        for name in sorted(objects, key=str.encode):
            item = objects[name]
            digest.update(f"object {name}\n".encode())
            for key in sorted(item.attrs):  # type: ignore[attr-defined]
                if (name, key) != ("/", "content_sha256"):
                    _feed(digest, f"attribute {key}", np.asarray(item.attrs[key], item.attrs.get_id(key).dtype))  # type: ignore[attr-defined]
            if isinstance(item, h5py.Dataset):
                _feed(digest, "values", item[()])
        assert digest.hexdigest() == content_digest(file) == open_shard(path).content_sha256


def _feed(digest: object, title: str, values: np.ndarray) -> None:
    shape = "x".join(map(str, values.shape)) or "scalar"
    digest.update(f"{title} {values.dtype.str} {shape}\n".encode() + values.tobytes())  # type: ignore[attr-defined]

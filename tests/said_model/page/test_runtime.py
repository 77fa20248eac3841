"""Where onnxruntime-web comes from: named, from the environment, from the cache, or brought once by npm."""

from __future__ import annotations

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from blendvoca.errors import DownloadError, IntegrityError, MissingInputError
from said_model.page import runtime

CONTENT = {runtime.SCRIPT: b"export {}", runtime.WASM: b"\0asm"}


@pytest.fixture(autouse=True)
def small_release(monkeypatch, tmp_path):
    """A release of two small files, an empty cache, and no npm."""
    monkeypatch.setattr(runtime, "FILES", {name: hashlib.sha256(data).hexdigest() for name, data in CONTENT.items()})
    monkeypatch.setenv("BLENDVOCA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv(runtime.VARIABLE, raising=False)


def put(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, data in CONTENT.items():
        (folder / name).write_bytes(data)
    return folder


def npm_that(words: str, folder: Path) -> None:
    (folder / "bin").mkdir()
    (folder / "bin" / "npm").write_text(f"#!/bin/sh\n{words}\n")
    (folder / "bin" / "npm").chmod(0o755)


def archive(path: Path, content: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as package:
        for name, data in content.items():
            entry = tarfile.TarInfo(f"package/dist/{name}")
            entry.size = len(data)
            package.addfile(entry, io.BytesIO(data))
    return path


def test_it_is_found_where_it_is_named(tmp_path, monkeypatch):
    folder = put(tmp_path / "package" / "dist")
    assert runtime.find_runtime(folder).wasm == folder / runtime.WASM
    assert runtime.find_runtime(folder.parent).script == folder / runtime.SCRIPT
    monkeypatch.setenv(runtime.VARIABLE, str(folder.parent))
    assert runtime.find_runtime().wasm == folder / runtime.WASM


def test_without_it_and_without_npm_the_remedy_names_both(tmp_path):
    for find in (runtime.find_runtime, runtime.fetch_runtime):
        with pytest.raises(MissingInputError, match=r"Install npm .* --runtime or ONNXRUNTIME_WEB"):
            find()


def test_another_release_is_refused(tmp_path):
    folder = put(tmp_path / "dist")
    (folder / runtime.WASM).write_bytes(b"other")
    with pytest.raises(IntegrityError, match="this is not onnxruntime-web"):
        runtime.find_runtime(folder)


def test_npm_fills_the_cache_once(tmp_path):
    packed = archive(tmp_path / "release.tgz", CONTENT)
    npm_that(f'while [ "$1" != --pack-destination ]; do shift; done; /bin/cp {packed} "$2"', tmp_path)
    said = []
    found = runtime.fetch_runtime(said.append)
    assert found == runtime.find_runtime() and found.wasm.read_bytes() == CONTENT[runtime.WASM]
    assert len(said) == 1 and "once" in said[0]


@pytest.mark.parametrize(
    ("content", "error"), [({runtime.SCRIPT: b"x"}, IntegrityError), ({}, IntegrityError), (None, DownloadError)]
)
def test_what_npm_must_not_bring(tmp_path, content, error):
    words = "echo 'no such release' >&2; exit 1"
    if content is not None:
        packed = archive(tmp_path / "release.tgz", content)
        words = f'while [ "$1" != --pack-destination ]; do shift; done; /bin/cp {packed} "$2"'
    npm_that(words, tmp_path)
    with pytest.raises(error, match=r"onnxruntime-web 1\.30\.0"):
        runtime.fetch_runtime()
    with pytest.raises(MissingInputError):
        runtime.find_runtime()

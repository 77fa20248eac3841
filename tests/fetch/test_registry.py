"""The registry: complete, pinned, and true to the files that are at hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from blendvoca.errors import ConfigurationError, DownloadError, MissingDependencyError
from blendvoca.fetch import download as downloads
from blendvoca.fetch.hashes import check_download, is_good
from blendvoca.fetch.places import cache_folder
from blendvoca.fetch.registry import find_entry, load_registry
from blendvoca.internal.names import inside


def test_every_entry_says_what_it_must() -> None:
    registry = load_registry()
    assert set(registry) == {
        "blendvoca-release", "arkit-reference", "ict-facekit", "said-vae", "said-weights", "wav2vec2",
    }  # fmt: skip
    for entry in registry.values():
        assert entry.title
        assert entry.licence
        assert entry.citation
        assert entry.homepage.startswith("https://")
        assert bool(entry.files) != bool(entry.hub)
        paths = [file.path for file in entry.files]
        assert len(set(paths)) == len(paths)
        for file in entry.files:
            assert inside(Path("x"), file.path).name == file.path
            assert re.search("/[0-9a-f]{40}/", file.url), "pinned to a commit"
            known = [len(digest) for digest in (file.sha256, file.git_blob_sha1) if digest]
            assert known in ([64], [40])


def test_files_at_hand_have_these_hashes(assets: Path) -> None:
    checked = 0
    for name in ("arkit-reference", "said-vae", "blendvoca-release"):
        for file in find_entry(name).files:
            path = assets / "said" / file.path
            if path.is_file():
                check_download(path, file)
                assert is_good(path, file)
                checked += 1
    assert checked >= 8


def test_patterns_and_unknown_names() -> None:
    entry = find_entry("arkit-reference")
    assert {file.path for file in entry.select(("*.zip",))} == {"ARKit_reference_blendshapes.zip"}
    assert entry.select(()) == entry.files
    with pytest.raises(ConfigurationError, match="no file of arkit-reference"):
        entry.select(("*.mp4",))
    with pytest.raises(ConfigurationError, match="did you mean 'said-weights'"):
        find_entry("said-weigths")


def test_files_go_to_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLENDVOCA_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    asked: list[tuple[str, Path]] = []
    monkeypatch.setattr(downloads, "fetch_file", lambda file, path, *_: asked.append((file.path, path)))
    folder = downloads.download("said-vae", patterns=("*.csv",))
    assert folder == tmp_path / "said-vae"
    assert asked == [("coeffs_std.csv", tmp_path / "said-vae" / "coeffs_std.csv")]


def test_hugging_face_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = pytest.importorskip("huggingface_hub", reason="needs huggingface_hub: pip install 'blendvoca[hub]'")
    asked: dict[str, object] = {}

    def snapshot(repository: str, **options: object) -> str:
        asked.update(options, repository=repository)
        return str(tmp_path)

    monkeypatch.setattr(hub, "snapshot_download", snapshot)
    assert downloads.download("wav2vec2", tmp_path) == tmp_path
    assert asked["repository"] == "facebook/wav2vec2-base-960h"
    assert re.fullmatch("[0-9a-f]{40}", str(asked["revision"]))
    assert asked["local_dir"] == tmp_path

    def fail(*_: object, **__: object) -> str:
        raise OSError("no route to host")

    monkeypatch.setattr(hub, "snapshot_download", fail)
    with pytest.raises(DownloadError, match="no route to host"):
        downloads.download("said-weights", tmp_path)


def test_hugging_face_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingDependencyError, match=r"blendvoca\[hub\]"):
        downloads.download("wav2vec2")

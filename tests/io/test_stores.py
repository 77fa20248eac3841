"""Folders and archives: only what lies inside them, only as large as it may be."""

from __future__ import annotations

import os
import pickle
import stat
import zipfile
from multiprocessing import get_context
from pathlib import Path

import pytest

from blendvoca.errors import FormatError, MissingInputError
from blendvoca.io.stores import FolderStore, ZipStore


def archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return path


def test_folder_and_archive_look_the_same(tmp_path: Path) -> None:
    members = {"a/b.txt": b"one", "a/c/d.txt": b"two", "e.txt": b"three"}
    for name, content in {**members, ".hidden/x": b"", "a/.DS_Store": b""}.items():
        (tmp_path / "folder" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "folder" / name).write_bytes(content)
    path = archive(tmp_path / "a.zip", {**members, "__MACOSX/a/._b.txt": b"", "a/.DS_Store": b""})
    for store in (FolderStore(tmp_path / "folder"), ZipStore(path)):
        assert store.names() == sorted(members)
        assert {name: store.read(name) for name in store.names()} == members
        assert "a/b.txt" in store.where("a/b.txt")
        assert store.stamp("a/b.txt") != store.stamp("e.txt")
        assert pickle.loads(pickle.dumps(store)).read("e.txt") == b"three"
        with pytest.raises(MissingInputError):
            store.read("nothing")


@pytest.mark.parametrize("name", ["../evil.ply", "a/../../evil.ply", "/etc/passwd", "C:/evil.ply", "a\\..\\evil.ply"])
def test_names_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "a.zip", {"good.txt": b"", name: b"evil"})
    with pytest.raises(FormatError, match="outside"):
        ZipStore(path)


def test_links_in_archives_are_refused(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr(info, "/etc/passwd")
    with pytest.raises(FormatError, match="link"):
        ZipStore(tmp_path / "a.zip")


def test_large_and_damaged_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = archive(tmp_path / "a.zip", {"zeros": bytes(65 << 20)})
    with pytest.raises(FormatError, match="too large; expected at most 67108864 bytes"):
        ZipStore(path).read("zeros")
    monkeypatch.setenv("BLENDVOCA_LIMIT_FACTOR", "2")
    assert len(ZipStore(path).read("zeros")) == 65 << 20
    data = bytearray(archive(tmp_path / "b.zip", {"text": os.urandom(500)}).read_bytes())
    data[100] ^= 255
    (tmp_path / "b.zip").write_bytes(data)
    with pytest.raises(FormatError, match="damaged"):
        ZipStore(tmp_path / "b.zip").read("text")
    (tmp_path / "c.zip").write_bytes(b"PK no archive")
    with pytest.raises(FormatError, match="not a zip"):
        ZipStore(tmp_path / "c.zip")
    with pytest.raises(MissingInputError):
        ZipStore(tmp_path / "nothing.zip")


def test_a_link_back_up_is_walked_once(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.txt").write_text("x")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert FolderStore(tmp_path).names() == ["a/x.txt"]
    with pytest.raises(MissingInputError):
        FolderStore(tmp_path / "a" / "x.txt")


def _read(store: ZipStore, name: str) -> bytes:
    return store.read(name)


def test_forked_processes_do_not_share_a_file_position(tmp_path: Path) -> None:
    members = {f"{number}": bytes([number]) * 50_000 for number in range(40)}
    store = ZipStore(archive(tmp_path / "a.zip", members))
    with get_context("fork").Pool(3) as pool:
        found = pool.starmap(_read, [(store, name) for name in members])
    assert found == list(members.values())

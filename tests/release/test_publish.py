"""Packages: nothing restricted leaves, everything is described, and anyone can fetch one."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import h5py
import numpy as np
import pytest
import shard_builders as build
from click.testing import CliRunner

from blendvoca.cli import main
from blendvoca.dataset import BlendVOCA
from blendvoca.errors import (
    BlendvocaError,
    ConfigurationError,
    DownloadError,
    FormatError,
    IntegrityError,
    LicenceError,
    OutputError,
)
from blendvoca.fetch.download import DownloadConfig
from blendvoca.fetch.package import download_address, unpack
from blendvoca.fetch.transfer import TransferConfig
from blendvoca.io.digest import digest_file
from blendvoca.release.config import PackageConfig
from blendvoca.release.publish import publish
from blendvoca.shard.digest import content_digest
from blendvoca.shard.manifest import write_manifest
from blendvoca.shard.reader import open_shard
from blendvoca.shard.schema import LicenceClass
from blendvoca.shard.verify import verify

VOCASET = ("FaceTalk_170725_00137_TA", "FaceTalk_170809_00138_TA", "FaceTalk_170908_03277_TA")
QUICK = DownloadConfig(transfer=TransferConfig(retries=1, pause=0.01, timeout=2))


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """A user's own build: meshes and audio under VOCASET's licence."""
    build.dataset(tmp_path / "shards", VOCASET, licence_class="restricted")
    return tmp_path / "shards"


@pytest.fixture
def package(shards: Path, tmp_path: Path) -> Path:
    return publish(shards, tmp_path / "package")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    handler = partial(_Quiet, directory=str(tmp_path))
    running = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _forge(path: Path, change: Callable[[h5py.File], object]) -> None:
    """Change a shard and everything that would tell."""
    with h5py.File(path, "r+", libver=("v110", "v110")) as file:
        change(file)
        file.attrs["content_sha256"] = np.bytes_(content_digest(file).encode())
    write_manifest(path.parent)


def test_meshes_and_audio_stay_at_home(shards: Path, package: Path) -> None:
    assert verify(package) == []
    published, own = BlendVOCA(package), BlendVOCA(shards)
    assert published.manifest.licence_class is LicenceClass.COEFFICIENTS
    assert published.keys() == own.keys()
    assert published.manifest.splits == own.manifest.splits
    for key in own.keys():  # noqa: SIM118
        assert published[key].waveform is None
        np.testing.assert_array_equal(published[key].track.values, own[key].track.values)
        assert published[key].certificate == own[key].certificate
    for speaker in VOCASET:
        parts = published.parts(speaker)
        assert parts.neutral is None
        np.testing.assert_array_equal(parts.deltas, own.parts(speaker).deltas)  # type: ignore[arg-type]
        with h5py.File(package / f"{speaker}.h5") as file:
            names: list[str] = []
            file.visit(names.append)
        assert not [name for name in names if name.endswith(("audio", "neutral", "faces"))]


def test_no_byte_of_audio_or_mesh_is_left(shards: Path, package: Path) -> None:
    own = BlendVOCA(shards)
    for path in package.glob("*.h5"):
        content = path.read_bytes()
        for clip in (clip for clip in own if clip.speaker == path.stem):
            assert clip.waveform is not None
            assert clip.waveform.to_int16()[:16].tobytes() not in content
        with h5py.File(shards / path.name) as file:
            for name in ("rig/neutral", "clips/sentence01/audio"):
                stored = file[name].id.read_direct_chunk((0,) * file[name].ndim)[1]
                assert stored in (shards / path.name).read_bytes()
                assert stored[:64] not in content


def test_open_data_go_whole(tmp_path: Path) -> None:
    build.dataset(tmp_path / "shards")
    package = publish(tmp_path / "shards", tmp_path / "package")
    for path in (tmp_path / "shards").glob("*.h5"):
        assert (package / path.name).read_bytes() == path.read_bytes()


def test_same_shards_same_package(shards: Path, package: Path, tmp_path: Path) -> None:
    again = publish(shards, tmp_path / "again")
    assert {p.name: p.read_bytes() for p in package.iterdir()} == {p.name: p.read_bytes() for p in again.iterdir()}
    tars = [publish(shards, tmp_path / name / "p", tar=True).read_bytes() for name in ("one", "two")]
    assert tars[0] == tars[1]


def _smuggle(file: h5py.File) -> None:
    file["clips/sentence01"].create_dataset("audio", data=np.zeros(9, np.int16), chunks=(9,), fletcher32=True)
    file["clips/sentence01/audio"].attrs["rate"] = 22_000


def _hide(file: h5py.File) -> None:
    file["rig"].create_dataset("template", data=np.zeros((4, 3), np.float32), chunks=(4, 3), fletcher32=True)


@pytest.mark.parametrize(("change", "said"), [(_smuggle, "clips/sentence01/audio"), (_hide, "rig/template")])
def test_smuggled_parts_are_refused(tmp_path: Path, change: Callable[[h5py.File], object], said: str) -> None:
    build.dataset(tmp_path / "shards", VOCASET, licence_class="coefficients")
    _forge(tmp_path / "shards" / f"{VOCASET[1]}.h5", change)
    with pytest.raises(LicenceError, match=rf"{VOCASET[1]}\.h5.*{said}.*forbids"):
        publish(tmp_path / "shards", tmp_path / "package")
    assert not (tmp_path / "package").exists()


def test_vocaset_declared_open_is_refused(tmp_path: Path) -> None:
    build.dataset(tmp_path / "shards", VOCASET, licence_class="open")
    with pytest.raises(LicenceError, match=rf"{VOCASET[0]}\.h5.*speaker of VOCASET"):
        publish(tmp_path / "shards", tmp_path / "package")
    assert not (tmp_path / "package").exists()


def test_other_files_stay_at_home(shards: Path, tmp_path: Path) -> None:
    (shards / "templates").mkdir()
    (shards / "templates" / "head.ply").write_text("ply")
    (shards / "sentence01.wav").write_bytes(b"RIFF")
    package = publish(shards, tmp_path / "package")
    expected = {"README.md", "SHA256SUMS", "clips.csv", "croissant.json", "manifest.json"}
    assert {path.name for path in package.iterdir()} == expected | {f"{speaker}.h5" for speaker in VOCASET}


def test_only_sound_shards_are_published(shards: Path, tmp_path: Path) -> None:
    path = shards / f"{VOCASET[0]}.h5"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(BlendvocaError, match=VOCASET[0]):
        publish(shards, tmp_path / "package")
    assert not (tmp_path / "package").exists()


def test_a_place_that_is_taken(shards: Path, package: Path) -> None:
    before = {path.name: path.read_bytes() for path in package.iterdir()}
    with pytest.raises(OutputError, match="here already"):
        publish(shards, package)
    assert {path.name: path.read_bytes() for path in package.iterdir()} == before


def test_croissant_is_valid_and_loads(package: Path) -> None:
    croissant = pytest.importorskip("mlcroissant", reason="needs mlcroissant: pip install 'blendvoca[hub]'")
    described = croissant.Dataset(str(package / "croissant.json"))
    assert not described.metadata.ctx.issues.errors
    records = list(described.records("clips"))
    assert len(records) == 9
    assert records[0]["clips/speaker"] == VOCASET[0].encode()
    assert records[0]["clips/frames"] == 31
    text = json.loads((package / "croissant.json").read_text())
    for file in text["distribution"]:
        assert hashlib.sha256((package / file["name"]).read_bytes()).hexdigest() == file["sha256"]


def test_the_card_says_what_matters(shards: Path, tmp_path: Path) -> None:
    config = PackageConfig(name="Mine", licence="CC-BY-4.0", licence_url="https://creativecommons.org/licenses/by/4.0/")
    card = (publish(shards, tmp_path / "package", config) / "README.md").read_text()
    for text in ("# Mine", "| all | 3 | 9 | 288 |", "sentence32", "0.250 mm", "CC-BY-4.0", "arXiv:2401.08655",
                 "VOCASET's are under its own licence", "## Limits", "## Known gaps"):  # fmt: skip
        assert text in card
    assert card.startswith("---\n")


@pytest.mark.parametrize("wrong", [{"date": "today"}, {"version": "one"}, {"name": "\n"}])
def test_wrong_settings(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        PackageConfig(**wrong)  # type: ignore[arg-type]


def test_sums_are_those_of_sha256sum(package: Path) -> None:
    for line in (package / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((package / name).read_bytes()).hexdigest() == digest


def test_verify_looks_at_descriptions_too(package: Path) -> None:
    card = package / "README.md"
    card.write_text(card.read_text().replace("Limits", "Boundaries"))
    (package / "clips.csv").unlink()
    result = CliRunner().invoke(main, ["verify", str(package)])
    assert result.exit_code == 1
    assert "README.md: SHA-256 differs from SHA256SUMS" in result.output
    assert "clips.csv: SHA-256 differs from SHA256SUMS" in result.output
    (package / "SHA256SUMS").write_text("nonsense")
    assert "no list of SHA-256 sums" in CliRunner().invoke(main, ["verify", str(package)]).output


@pytest.mark.parametrize("ending", ["", "/", "/manifest.json"])
@pytest.mark.parametrize("kind", ["http", "file"])
def test_anyone_can_fetch_it(package: Path, server: str, tmp_path: Path, kind: str, ending: str) -> None:
    url = (f"{server}/package" if kind == "http" else package.as_uri()) + ending
    out = download_address(url, tmp_path / "out", config=QUICK)
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {p.name: p.read_bytes() for p in package.iterdir()}
    assert len(BlendVOCA(out)) == 9
    assert download_address(url, out, config=DownloadConfig(offline=True)) == out


def test_fetching_goes_on_where_it_stopped(package: Path, server: str, tmp_path: Path) -> None:
    missing = package / f"{VOCASET[1]}.h5"
    content = missing.read_bytes()
    missing.unlink()
    out = tmp_path / "out"
    with pytest.raises(DownloadError, match=rf"{VOCASET[1]}\.h5.*404"):
        download_address(f"{server}/package", out, config=QUICK)
    assert f"{VOCASET[0]}.h5" in {path.name for path in out.iterdir()}
    assert not (out / "manifest.json").exists(), "a manifest must not list what is not there"
    missing.write_bytes(content)
    download_address(f"{server}/package", out, config=QUICK)
    assert verify(out) == []


def test_packages_that_lie(package: Path, server: str, tmp_path: Path) -> None:
    path, out = package / f"{VOCASET[0]}.h5", tmp_path / "out"
    original = path.read_bytes()
    path.write_bytes(original[:-1] + b"x")
    with pytest.raises(IntegrityError, match="SHA-256"):
        download_address(f"{server}/package", out, config=QUICK)
    assert not (out / path.name).exists()
    path.write_bytes(original)
    sums = package / "SHA256SUMS"
    text = sums.read_text()
    for spoilt, error in (
        (text.replace("clips.csv", "../clips.csv"), FormatError),
        ("<html>", FormatError),
        (text.replace(text[:64], "0" * 64), IntegrityError),
        ("\n".join(line for line in text.splitlines() if VOCASET[0] not in line), IntegrityError),
    ):
        sums.write_text(spoilt)
        with pytest.raises(error):
            download_address(f"{server}/package", tmp_path / "other", config=QUICK)
        assert not (tmp_path / "clips.csv").exists()


def test_tars(shards: Path, package: Path, server: str, tmp_path: Path) -> None:
    tar = publish(shards, tmp_path / "all.tar", tar=True)
    assert tar == tmp_path / "all.tar"
    tar.unlink()
    tar = publish(shards, tmp_path / "all", tar=True)
    assert tar.with_name("all.tar.sha256").read_text().split() == [
        hashlib.sha256(tar.read_bytes()).hexdigest(), "all.tar",
    ]  # fmt: skip
    out = download_address(f"{server}/all.tar", tmp_path / "out", config=QUICK)
    for path in package.iterdir():
        assert (out / path.name).read_bytes() == path.read_bytes()
    tar.write_bytes(tar.read_bytes()[:-1] + b"x")
    with pytest.raises(IntegrityError, match="SHA-256"):
        download_address(f"{server}/all.tar", tmp_path / "bad", config=QUICK)
    with pytest.raises(IntegrityError, match="SHA-256"):
        download_address(f"{server}/all.tar", tmp_path / "bad", "0" * 64, config=QUICK)
    assert not list((tmp_path / "bad").glob("*.*"))


def _tar(path: Path, *members: tuple[str, bytes, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.size, member.linkname = kind, len(content), "/etc/passwd"
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize(
    "member",
    [
        ("../evil.h5", tarfile.REGTYPE, b"x"),
        ("/tmp/evil.h5", tarfile.REGTYPE, b"x"),
        ("evil.h5", tarfile.SYMTYPE, b""),
        ("evil.h5", tarfile.LNKTYPE, b""),
        ("evil", tarfile.DIRTYPE, b""),
        ("sub/evil.h5", tarfile.REGTYPE, b"x"),
        ("evil.h5", tarfile.FIFOTYPE, b""),
        ("evil.h5", tarfile.REGTYPE, b"x"),
    ],
)
def test_hostile_tars(tmp_path: Path, member: tuple[str, bytes, bytes]) -> None:
    archive = _tar(tmp_path / "evil.tar", member)
    with pytest.raises(FormatError):
        unpack(archive, tmp_path / "sub" / "out")
    assert not [path for path in tmp_path.rglob("*evil*") if path != archive]
    assert not list((tmp_path / "sub" / "out").iterdir())


def test_sparse_members_and_repeated_names(tmp_path: Path) -> None:
    archive = tmp_path / "sparse.tar"
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("evil.h5")
        member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(6 << 30)}
        content = b"0\n".ljust(512, b"\0")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    for path in (archive, _tar(tmp_path / "two.tar", *[("a.h5", tarfile.REGTYPE, b"x")] * 2)):
        with pytest.raises(FormatError):
            unpack(path, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_files_that_the_sums_do_not_list_are_not_unpacked(package: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "more.tar", "w") as tar:
        for path in sorted(package.iterdir()):
            tar.add(path, path.name)
        tar.addfile(tarfile.TarInfo("run.sh"))
    with pytest.raises(IntegrityError, match="does not list"):
        unpack(tmp_path / "more.tar", tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("name", ["../EVIL", "/tmp/EVIL", "EVIL/x", "a\\b", "\x1b[2J", ".."])
def test_a_package_whose_speaker_leads_outside(package: Path, tmp_path: Path, name: str) -> None:
    """Sums and sizes hold; the name alone is wrong, in shard, manifest or both."""
    victim = package / f"{VOCASET[0]}.h5"
    with h5py.File(victim, "r+") as file:
        file.attrs["speaker"] = np.bytes_(name.encode())
    stated = json.loads((package / "manifest.json").read_text())
    entry = next(shard for shard in stated["shards"] if shard["speaker"] == VOCASET[0])
    entry |= {"speaker": name, "bytes": victim.stat().st_size, "sha256": digest_file(victim)}
    (package / "manifest.json").write_text(json.dumps(stated))
    sums = [f"{digest_file(path)}  {path.name}" for path in sorted(package.iterdir()) if path.name != "SHA256SUMS"]
    (package / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    with pytest.raises(FormatError):
        download_address(package.as_uri(), tmp_path / "out", config=QUICK)
    with pytest.raises(FormatError):
        open_shard(victim)
    assert not list(tmp_path.rglob("*EVIL*"))


def test_leftovers_of_killed_downloads_go(package: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / ".download-old").mkdir(parents=True)
    (tmp_path / "out" / ".download-old" / "a.h5").write_bytes(b"x")
    out = download_address(package.as_uri(), tmp_path / "out", config=QUICK)
    assert {path.name for path in out.iterdir()} == {path.name for path in package.iterdir()}


def test_truncated_tars(shards: Path, tmp_path: Path) -> None:
    tar = publish(shards, tmp_path / "all", tar=True)
    tar.write_bytes(tar.read_bytes()[:50_000])
    with pytest.raises(BlendvocaError):
        unpack(tar, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_commands(shards: Path, server: str, tmp_path: Path) -> None:
    run = CliRunner().invoke
    result = run(main, ["publish", str(shards), "--out", str(tmp_path / "package"), "--date", "2026-01-31"])
    assert result.exit_code == 0, result.output
    assert '"datePublished": "2026-01-31"' in (tmp_path / "package" / "croissant.json").read_text()
    result = run(main, ["download", f"{server}/package", "--out", str(tmp_path / "out")])
    assert result.exit_code == 0, result.output
    assert run(main, ["verify", str(tmp_path / "out")]).exit_code == 0
    assert run(main, ["download", "--list"]).output.count("    licence ") == 6
    assert "57d6926ef19c9839eec3db8138d82ef060ee0266" in run(main, ["download", "blendvoca-release", "--list"]).output
    result = run(main, ["download", "arkit-referense"])
    assert result.exit_code == 1
    assert "did you mean 'arkit-reference'" in result.output
    assert run(main, ["download", f"{server}/package"]).exit_code == 2
    assert "http, https or file" in run(main, ["download", "ftp://x/y", "--out", str(tmp_path)]).output
    shutil.rmtree(tmp_path / "package")
    result = run(main, ["publish", str(tmp_path / "none"), "--out", str(tmp_path / "package")])
    assert (result.exit_code, (tmp_path / "package").exists()) == (1, False)

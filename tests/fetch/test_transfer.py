"""Transfers against a server on this machine that behaves in every way a server can misbehave."""

from __future__ import annotations

import contextlib
import errno
import gzip
import hashlib
import itertools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from blendvoca.errors import (
    BlendvocaError,
    DownloadError,
    FormatError,
    IntegrityError,
    MissingInputError,
    OutputError,
)
from blendvoca.fetch.download import DownloadConfig, fetch_all
from blendvoca.fetch.hashes import git_blob_sha1
from blendvoca.fetch.package import download_address
from blendvoca.fetch.registry import RemoteFile
from blendvoca.fetch.transfer import TransferConfig, fetch_file
from blendvoca.internal.limits import Limit

CONTENT = bytes(range(256)) * 4_000
SUM = hashlib.sha256(CONTENT).hexdigest()
QUICK = TransferConfig(retries=2, pause=0.01, timeout=0.5)


class Handler(BaseHTTPRequestHandler):
    """Answers by path; notes what was asked."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, str | None]] = []  # noqa: RUF012
    release = threading.Event()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        """Misbehave as the path says."""
        self.asked.append((self.path, self.headers.get("Range")))
        getattr(self, "say_" + self.path.strip("/").partition(".")[0].replace("-", "_"))()
        self.close_connection = True

    def _send(self, content: bytes, status: int = 200, sent: int | None = None, **headers: str) -> None:
        self.send_response(status)
        fields = {"Content-Length": str(len(content)), **{k.replace("_", "-"): v for k, v in headers.items()}}
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content[:sent])

    def _rest(self) -> int:
        asked = self.headers.get("Range")
        return int(asked.removeprefix("bytes=").rstrip("-")) if asked else 0

    def _range(self, sent: int | None = None) -> None:
        start = self._rest()
        if start >= len(CONTENT):
            self._send(b"", 416, Content_Range=f"bytes */{len(CONTENT)}")
        elif start:
            stated = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
            self._send(CONTENT[start:], 206, sent, Content_Range=stated)
        else:
            self._send(CONTENT, 200, sent)

    def say_good(self) -> None:
        self._range()

    def say_closes_early(self) -> None:
        self._range(300_000)

    def say_no_ranges(self) -> None:
        self._send(CONTENT, sent=400_000 if sum(path == self.path for path, _ in self.asked) == 1 else None)

    def say_wrong_place(self) -> None:
        start = self._rest()
        if start and sum(path == self.path for path, _ in self.asked) == 2:
            self._send(CONTENT[1:], 206, Content_Range=f"bytes 1-{len(CONTENT) - 1}/{len(CONTENT)}")
        else:
            self._range(None if start else 50_000)

    def say_wrong_length(self) -> None:
        self._send(CONTENT[:-1])

    def say_wrong_bytes(self) -> None:
        self._send(CONTENT[:-1] + b"x")

    def say_page(self) -> None:
        self._send(b"<html>log in</html>", Content_Type="text/html; charset=utf-8")

    def say_circle(self) -> None:
        self._send(b"", 302, Location=self.path)

    def say_nothing(self) -> None:
        self.close_connection = True

    def say_silence(self) -> None:
        self.release.wait(5)

    def say_stops(self) -> None:
        self._send(CONTENT, sent=100_000)
        self.release.wait(5)

    def say_busy(self) -> None:
        if sum(path == self.path for path, _ in self.asked) < 3:
            self._send(b"later", 503)
        else:
            self._range()

    def say_missing(self) -> None:
        self._send(b"no", 404)

    def _endless(self, block: bytes, pause: float, **headers: str) -> None:
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Connection", "close")
        self.end_headers()
        with contextlib.suppress(OSError):
            while not self.release.wait(pause):
                self.wfile.write(block)

    def say_drips(self) -> None:
        self._endless(b"x", 0.05, Content_Length="1000000")

    def say_endless(self) -> None:
        self._endless(bytes(1 << 16), 0.0)

    def say_compressed(self) -> None:
        self._send(gzip.compress(bytes(1 << 22)), Content_Encoding="gzip")

    def say_moved(self) -> None:
        self._send(b"", 301, Location="/good.bin")


@pytest.fixture
def server() -> Iterator[str]:
    Handler.asked, Handler.release = [], threading.Event()
    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running.daemon_threads = True
    thread = threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_address[1]}"
    Handler.release.set()
    running.shutdown()
    running.server_close()
    thread.join()


def _fetch(server: str, kind: str, folder: Path, **known: object) -> Path:
    known = known or {"sha256": SUM, "bytes": len(CONTENT)}
    file = RemoteFile("data.bin", f"{server}/{kind}.bin", **known)  # type: ignore[arg-type]
    return fetch_file(file, folder / "data.bin", QUICK)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_server_that_drips_is_left(server: str, tmp_path: Path) -> None:
    config = TransferConfig(retries=2, pause=0.01, timeout=0.5, slowest=1000, patience=0.4)
    file = RemoteFile("data.bin", f"{server}/drips.bin", SUM)
    with pytest.raises(DownloadError, match="comes too slowly; expected 1000 bytes a second"):
        fetch_file(file, tmp_path / "data.bin", config)


@pytest.mark.parametrize("kind", ["endless", "compressed"])
@pytest.mark.parametrize("known", [{}, {"sha256": SUM}])
def test_no_more_is_written_than_is_allowed(server: str, tmp_path: Path, kind: str, known: dict[str, str]) -> None:
    limit = Limit("a download", 1 << 20, 0, 0, "for this test")
    file = RemoteFile("data.bin", f"{server}/{kind}.bin", **known)
    with pytest.raises(FormatError, match="a download is too large"):
        fetch_file(file, tmp_path / "data.bin", QUICK, limit=limit)
    assert _names(tmp_path) == []


def test_a_pipe_is_no_source(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.bin")
    with pytest.raises(DownloadError, match="found a pipe"):
        fetch_file(RemoteFile("a.bin", (tmp_path / "pipe.bin").as_uri()), tmp_path / "out" / "a.bin", QUICK)


@pytest.mark.parametrize(
    "url", ["http://[::1", "http://host:99999/a", "http://", "ftp://host/a", "http://ho\0st/x.bin"]
)
def test_addresses_that_are_none(tmp_path: Path, url: str) -> None:
    with pytest.raises(BlendvocaError):
        download_address(url, tmp_path, config=DownloadConfig(transfer=QUICK))


def test_a_good_server(server: str, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    file = RemoteFile("data.bin", f"{server}/good.bin", SUM)
    path = fetch_file(file, tmp_path / "sub" / "data.bin", QUICK, lambda _, done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert _names(path.parent) == ["data.bin"]
    assert seen[-1] == (len(CONTENT), len(CONTENT))


def test_what_is_here_is_not_fetched_again(server: str, tmp_path: Path) -> None:
    _fetch(server, "good", tmp_path)
    _fetch(server, "good", tmp_path)
    assert len(Handler.asked) == 1
    (tmp_path / "data.bin").write_bytes(b"spoilt")
    assert _fetch(server, "good", tmp_path).read_bytes() == CONTENT


def test_git_blob_ids(server: str, tmp_path: Path) -> None:
    (tmp_path / "hello").write_bytes(b"hello world\n")
    assert git_blob_sha1(tmp_path / "hello") == "3b18e512dba79e4c8300dd08aeb37f8e728b8dad"  # git hash-object hello
    blob = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT).hexdigest()
    assert _fetch(server, "good", tmp_path, git_blob_sha1=blob).read_bytes() == CONTENT
    _fetch(server, "good", tmp_path, git_blob_sha1=blob)
    assert len(Handler.asked) == 1
    with pytest.raises(IntegrityError, match="git blob id"):
        _fetch(server, "wrong-bytes", tmp_path / "other", git_blob_sha1=blob)


@pytest.mark.parametrize("kind", ["closes-early", "no-ranges", "wrong-place", "busy", "moved"])
def test_servers_that_stumble(server: str, tmp_path: Path, kind: str) -> None:
    assert _fetch(server, kind, tmp_path).read_bytes() == CONTENT
    assert _names(tmp_path) == ["data.bin"]


def test_a_broken_transfer_is_continued(server: str, tmp_path: Path) -> None:
    _fetch(server, "closes-early", tmp_path)
    starts = [int((asked or "bytes=0-").removeprefix("bytes=").rstrip("-")) for _, asked in Handler.asked]
    assert len(starts) == 4
    assert starts[0] == 0
    assert all(280_000 < later - before <= 300_000 for before, later in itertools.pairwise(starts))


def test_a_later_call_continues(server: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"will be continued"):
        _fetch(server, "stops", tmp_path)
    [part] = _names(tmp_path)
    assert part.startswith(".data.bin.")
    kept = (tmp_path / part).stat().st_size
    assert kept > 80_000
    Handler.asked.clear()
    Handler.say_stops, before = Handler.say_good, Handler.say_stops  # type: ignore[method-assign]
    try:
        assert _fetch(server, "stops", tmp_path).read_bytes() == CONTENT
    finally:
        Handler.say_stops = before  # type: ignore[method-assign]
    assert Handler.asked == [("/stops.bin", f"bytes={kept}-")]


def _part_of(tmp_path: Path, server: str, content: bytes) -> None:
    mark = hashlib.sha256(f"{server}/good.bin {SUM} None".encode()).hexdigest()[:12]
    (tmp_path / f".data.bin.{mark}.part").write_bytes(content)


@pytest.mark.parametrize("kept", [CONTENT[:100], b"z" * 100, CONTENT, CONTENT + b"more", b"z" * len(CONTENT), b""])
def test_parts_that_were_kept(server: str, tmp_path: Path, kept: bytes) -> None:
    _part_of(tmp_path, server, kept)
    assert _fetch(server, "good", tmp_path).read_bytes() == CONTENT
    assert _names(tmp_path) == ["data.bin"]


@pytest.mark.parametrize(
    ("kind", "error", "said"),
    [
        ("wrong-length", IntegrityError, "another length.*expected 1024000 bytes, found 1023999"),
        ("wrong-bytes", IntegrityError, "wrong SHA-256.*deleted"),
        ("page", DownloadError, "web page instead of data.bin.*login"),
        ("circle", DownloadError, "redirects in a circle"),
        ("nothing", DownloadError, "cannot be had.*Try again later"),
        ("silence", DownloadError, "cannot be had.*[Tt]imed out"),
        ("missing", DownloadError, "404.*Check the address"),
    ],
)
def test_servers_that_fail(server: str, tmp_path: Path, kind: str, error: type[BlendvocaError], said: str) -> None:
    (tmp_path / "good.txt").write_text("kept")
    with pytest.raises(error, match=said):
        _fetch(server, kind, tmp_path)
    assert not (tmp_path / "data.bin").exists()
    assert (tmp_path / "good.txt").read_text() == "kept"


def test_wrong_bytes_without_a_hash_are_still_no_page(server: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="web page"):
        fetch_file(RemoteFile("x.h5", f"{server}/page.h5"), tmp_path / "x.h5", QUICK)


def test_a_failure_keeps_the_file_that_was_there(server: str, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"older version")
    with pytest.raises(DownloadError):
        _fetch(server, "missing", tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == b"older version"


def test_no_server_and_no_address(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="cannot be had"):
        fetch_file(RemoteFile("x", "http://127.0.0.1:9/x"), tmp_path / "x", QUICK)
    with pytest.raises(DownloadError, match="no address"):
        fetch_file(RemoteFile("x", "gopher://127.0.0.1/x"), tmp_path / "x", QUICK)


def test_files_of_this_machine(tmp_path: Path) -> None:
    source = tmp_path / "with space.bin"
    source.write_bytes(CONTENT)
    file = RemoteFile("data.bin", source.as_uri(), SUM)
    assert fetch_file(file, tmp_path / "out" / "data.bin", QUICK).read_bytes() == CONTENT
    with pytest.raises(DownloadError, match="not there"):
        fetch_file(RemoteFile("x", (tmp_path / "none").as_uri()), tmp_path / "out" / "x", QUICK)


def test_a_full_disk(server: str, tmp_path: Path) -> None:
    """A limit on file size makes writing fail the way a full disk does."""
    program = f"""
import resource, signal, sys
from pathlib import Path
from blendvoca.fetch.package import download_address
from blendvoca.fetch.registry import RemoteFile
from blendvoca.fetch.transfer import fetch_file
from blendvoca.errors import OutputError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    fetch_file(RemoteFile("data.bin", "{server}/good.bin", "{SUM}"), Path(sys.argv[1]) / "data.bin")
except OutputError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "the disk is full" in done.stdout
    assert not (tmp_path / "data.bin").exists()
    assert _fetch(server, "good", tmp_path, sha256=SUM).read_bytes() == CONTENT
    assert Handler.asked[-1][1] is not None, "the part was not continued"


def test_a_full_disk_has_words() -> None:
    from blendvoca.fetch.transfer import _disk

    assert "Free some space" in str(_disk(OSError(errno.ENOSPC, "No space left on device"), Path("x")))
    assert "--out" in str(_disk(OSError(errno.EACCES, "Permission denied"), Path("x")))


def test_a_place_that_cannot_be_written(server: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        _fetch(server, "good", tmp_path / "file")


def test_two_downloads_into_one_folder(server: str, tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            assert _fetch(server, "closes-early", tmp_path).read_bytes() == CONTENT
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert _names(tmp_path) == ["data.bin"]
    assert len(Handler.asked) == 4, "every byte was fetched once"


def test_several_files_fail_apart(server: str, tmp_path: Path) -> None:
    config = DownloadConfig(transfer=QUICK)
    kinds = ("good", "missing", "moved", "wrong-bytes")
    files = [RemoteFile(f"{kind}.bin", f"{server}/{kind}.bin", SUM) for kind in kinds]
    with pytest.raises(DownloadError, match=r"2 of 4 files failed.*404.*wrong SHA-256"):
        fetch_all(files, tmp_path, config)
    assert _names(tmp_path) == ["good.bin", "moved.bin"]


def test_offline(server: str, tmp_path: Path) -> None:
    files = [RemoteFile("data.bin", f"{server}/good.bin", SUM)]
    with pytest.raises(MissingInputError, match=r"data\.bin"):
        fetch_all(files, tmp_path, DownloadConfig(offline=True))
    fetch_all(files, tmp_path)
    Handler.asked.clear()
    assert fetch_all(files, tmp_path, DownloadConfig(offline=True)) == [tmp_path / "data.bin"]
    assert not Handler.asked


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "C:x", "a\\..\\x", ".hidden", "", "x/"])
def test_names_that_leave_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(BlendvocaError, match="leads out of the folder"):
        fetch_all([RemoteFile(name, "http://127.0.0.1:9/x")], tmp_path / "out")
    assert not (tmp_path / "out").exists()

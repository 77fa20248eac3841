"""The same items on a dask cluster: a real scheduler and two worker processes on loopback, one of them killed."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from pipelines_fakes import Double, Settings, Total

from blendvoca.errors import ConfigurationError
from pipelines.executors import Dask, InProcess
from pipelines.progress import NoReport
from pipelines.runner import run_stages
from pipelines.workspace import Workspace

distributed = pytest.importorskip("distributed", reason="pip install 'blendvoca[dask]'")


@pytest.fixture(scope="module")
def cluster():
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
    ) as found:
        yield found


def _source(folder: Path) -> Path:
    folder.mkdir()
    for number in range(12):
        (folder / f"a+{number}.txt").write_text(f"{number}\n")
    return folder


def _contents(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*")) if p.is_file()}


def _run(executor, work):
    with executor:
        return run_stages((Double(), Total()), work, executor, NoReport())


def test_same_bytes_though_a_worker_is_killed(cluster, tmp_path):
    source, log = _source(tmp_path / "in"), tmp_path / "log"
    work = Workspace(Settings(source, log=log, pause=0.2), tmp_path / "out")

    def kill_one() -> None:
        while not log.exists():
            time.sleep(0.02)
        os.kill(cluster.workers[0].process.pid, signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    reports = _run(Dask(work, cluster.scheduler_address), work)
    killer.join()
    assert [(len(r.done), len(r.failures)) for r in reports] == [(12, 0), (1, 0)]
    plain = Workspace(Settings(source), tmp_path / "plain")
    _run(InProcess(plain), plain)
    assert _contents(tmp_path / "out") == _contents(tmp_path / "plain")


@pytest.mark.slow
def test_an_item_that_kills_workers_fails_alone(cluster, tmp_path):
    source = _source(tmp_path / "in")
    work = Workspace(Settings(source, misfortunes={"a/3": "worker always killed"}), tmp_path / "out")
    reports = _run(Dask(work, cluster.scheduler_address), work)
    assert [failure.item for failure in reports[0].failures] == ["a/3"]
    assert "died" in reports[0].failures[0].error
    assert len(reports[0].done) == 11


def test_no_scheduler_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr("pipelines.executors.CONNECT_SECONDS", 0.5)
    work = Workspace(Settings(tmp_path), tmp_path / "out")
    with pytest.raises(Exception, match="dask scheduler"):
        Dask(work, "tcp://127.0.0.1:9")


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00" * 64, b"\xff" * 64, b""])
def test_something_else_that_listens_is_no_scheduler(tmp_path, monkeypatch, answer):
    monkeypatch.setattr("pipelines.executors.CONNECT_SECONDS", 0.5)
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()

        def serve() -> None:
            with suppress(OSError):
                while True:
                    peer, _ = server.accept()
                    peer.sendall(answer)
                    peer.close()

        threading.Thread(target=serve, daemon=True).start()
        work = Workspace(Settings(tmp_path), tmp_path / "out")
        with pytest.raises(ConfigurationError, match="no dask scheduler answers"):
            Dask(work, f"tcp://127.0.0.1:{server.getsockname()[1]}")
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("address", ["nonsense", "tcp://", "foo://127.0.0.1:1", "tcp://host:port", "\x1b[2J"])
def test_addresses_that_are_none(tmp_path, monkeypatch, address):
    monkeypatch.setattr("pipelines.executors.CONNECT_SECONDS", 0.5)
    with pytest.raises(ConfigurationError, match="no dask scheduler answers") as caught:
        Dask(Workspace(Settings(tmp_path), tmp_path / "out"), address)
    assert str(caught.value).isprintable()

"""Where files lie: file systems without locks, folders that may not be read, leftovers, closed output."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest

from blendvoca.errors import OutputError
from blendvoca.internal.names import from_cell, table_cell
from blendvoca.io.lock import locked
from blendvoca.io.mesh.ply import decode_ply
from blendvoca.io.stores import FolderStore
from blendvoca.io.track.read import read_track_file
from blendvoca.io.vocaset.source import open_corpus
from blendvoca.track import CoefficientTrack

fcntl = pytest.importorskip("fcntl", reason="locks of this kind are POSIX's")


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks(tmp_path, monkeypatch, code):
    def none(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", none)
    monkeypatch.setattr(fcntl, "lockf", none)
    with pytest.raises(OutputError, match=r"this file system has no locks.*local disk"), locked(tmp_path / "l", "", ""):
        pass


def test_a_folder_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    head = b"ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
    head += b"element face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n"
    for name in ("templates/anna.ply", "unposedcleaneddata/anna/sentence01/sentence01.000001.ply",
                 "unposedcleaneddata/bert/sentence01/sentence01.000001.ply"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(head)
    real = os.scandir

    def scandir(path="."):
        if str(path).endswith("bert"):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert FolderStore(tmp_path).unreadable() == [f"{tmp_path}/unposedcleaneddata/bert (Permission denied)"]
    lacks = [str(lack) for lack in open_corpus(tmp_path).missing]
    assert any("permission to read" in lack and "bert (Permission denied)" in lack for lack in lacks)


def test_the_end_of_a_ply_header_is_a_line_of_its_own():
    text = b"ply\nformat ascii 1.0\ncomment no end_header here\nobj_info end_header\nelement vertex 3\n"
    text += b"property float x\n"
    text += b"property float y\nproperty float z\nelement face 1\nproperty list uchar int vertex_indices\nend_header\n"
    assert decode_ply(text + b"0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n").n_vertices == 3


@pytest.mark.parametrize("name", ["=1+1", "+x", "-2", "@SUM(A1)", "a,b", 'say "a"', "plain", "it's", "a;b"])
def test_cells_are_never_formulas_and_names_come_back(tmp_path, name):
    assert not table_cell(name).lstrip('"').startswith(("=", "+", "-", "@"))
    assert from_cell(table_cell("@a")) == "@a" and from_cell("'x") == "'x"
    CoefficientTrack(np.full((3, 2), 0.5), (name, "jawOpen"), 60.0).to_csv(tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text().splitlines()[0] == f"{table_cell(name)},jawOpen"
    assert read_track_file(tmp_path / "a.csv").track.names[-1] == "jawOpen"


@pytest.mark.slow
@pytest.mark.parametrize("redirection", [">&-", ">/dev/full", "2>&-", ">&- 2>&-", "2>/dev/full", "| true"])
@pytest.mark.parametrize("arguments", ["--help", "download --list", "info nothing", "build nothing --out OUT"])
def test_closed_and_full_output(tmp_path, redirection, arguments):
    command = f"{sys.executable} -m blendvoca {arguments.replace('OUT', str(tmp_path / 'out'))} {redirection}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr

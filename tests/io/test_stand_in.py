"""What is not the file itself is named for what it is, by every reader."""

from __future__ import annotations

import gzip
import os

import numpy as np
import pytest

from blendvoca.errors import FormatError, MissingInputError
from blendvoca.export.convert import load_track
from blendvoca.export.rigs import load_rig
from blendvoca.io.files import open_file, read_bytes
from blendvoca.io.mesh.anymesh import read_mesh
from blendvoca.io.pickle.safe_pickle import read_pickle
from blendvoca.io.region import read_region
from blendvoca.io.sequence.frames import open_sequence
from blendvoca.io.sound.wav import read_audio, read_resampled
from blendvoca.io.stand_in import refuse_stand_in
from blendvoca.shard.reader import open_shard
from landmarks.files import read_landmarks
from landmarks.sources import load_source

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"7" * 64 + b"\nsize 6123456\n"
STAND_INS = {
    "a Git LFS pointer to a file of 6,123,456 bytes": POINTER,
    r"a web page \(HTML\)": b"\n\n<!DOCTYPE html>\n<html><body>Sign in</body></html>",
    "an empty file": b"",
    "an XML document": b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "a server's answer, '404: Not Found'": b"404: Not Found",
    "a gzip archive": gzip.compress(b"jawOpen\n0.5\n"),
}
READERS = {
    "a.csv": load_track, "a.json": load_track, "b.npy": lambda path: open_sequence(path, 60.0), "a.ply": read_mesh,
    "a.obj": read_mesh, "a.glb": read_mesh, "a.stl": read_mesh, "a.pkl": read_pickle, "a.wav": read_audio,
    "b.wav": lambda path: read_resampled(path, 16_000), "a.h5": open_shard, "b.h5": load_rig, "c.zip": load_rig,
    "a.npz": load_source, "a.txt": read_landmarks, "b.txt": lambda path: read_region(path, 5),
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("found", STAND_INS)
def test_every_reader_names_it(tmp_path, name, found):
    path = tmp_path / name
    path.write_bytes(STAND_INS[found])
    with pytest.raises(FormatError, match=f"{name}: not the file itself; expected its content, found {found}.* "):
        READERS[name](path)


def test_archives_pass_where_they_are_taken_and_not_elsewhere(tmp_path):
    np.savez(tmp_path / "a.npz", np.zeros(3))
    with open_file(tmp_path / "a.npz", archive=True) as file:
        assert file.read(2) == b"PK"
    with pytest.raises(FormatError, match=r"a zip archive\. Unpack it"):
        read_bytes(tmp_path / "a.npz")


@pytest.mark.parametrize("start", [b"<", b"v 0 0 0", b"{}", b"ply\n", b"headYaw,jawOpen", b"404", b"<htmlish"])
def test_other_starts_pass(start):
    refuse_stand_in(start)


def test_pipes_and_devices_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(MissingInputError, match="not a plain file; found a pipe"):
        read_bytes(tmp_path / "a.csv")
    with pytest.raises(MissingInputError, match="found a device"):
        read_bytes("/dev/zero")

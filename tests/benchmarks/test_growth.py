"""A reader's memory stays under ten times the file or 256 MiB, its time grows with the file: doubled sizes."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="pip install 'blendvoca[said]' to run this test")
pytest.importorskip("fcntl", reason="the measurement forks")

from benchmarks.attack_readers import readers
from benchmarks.attacks import FREE_BYTES, TIMES, _measured

READERS = readers()


def _lines(row: str, head: str = "") -> Callable[[int], bytes]:
    return lambda n: (head + row * n).encode()


def _obj(n: int) -> bytes:
    return b"".join(b"v %d 0.5 1.25\n" % k for k in range(n)) + b"".join(
        b"f %d %d %d\n" % (k + 1, k + 2, k + 3) for k in range(n - 2)
    )


def _ply(n: int) -> bytes:
    head = f"ply\nformat ascii 1.0\nelement vertex {n}\nproperty float x\nproperty float y\nproperty float z\n"
    head += f"element face {n - 2}\nproperty list uchar int vertex_indices\nend_header\n"
    rows = "".join(f"{k} 0.5 1.25\n" for k in range(n)) + "".join(f"3 {k} {k + 1} {k + 2}\n" for k in range(n - 2))
    return (head + rows).encode()


def _arrays(n: int) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, weights=np.full((n, 2), 0.5), names=np.array(["jawOpen", "jawLeft"]), fps=30.0)
    return stream.getvalue()


def _members(n: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(READERS["corpus zip"].proper())) as archive:
        held = {info.filename: archive.read(info) for info in archive.infolist()}
    head = held["templates/anna.ply"]
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("templates/anna.ply", head)
        for frame in range(1, n + 1):
            archive.writestr(f"anna/sentence01/sentence01.{frame:06d}.ply", head)
    return stream.getvalue()


#: What is written at each size, the sizes being so that a reader takes some tenths of a second.
_FACS = {"exportFps": 30, "facsNames": ["jawOpen"]}
_SPOKEN = {"text": "ah", "phones": [["a", 0, 1]]}
SERIES: dict[str, tuple[Callable[[int], bytes], int]] = {
    "obj": (_obj, 20_000),
    "ply": (_ply, 50_000),
    "table": (_lines("0.1,0.2,0.3\n", "jawOpen,jawLeft,jawRight\n"), 50_000),
    "track JSON": (lambda n: json.dumps({**_FACS, "weightMat": [[0.5]] * n}).encode(), 50_000),
    "track arrays": (_arrays, 100_000),
    "map": (lambda n: json.dumps({f"a{k}": f"b{k}" for k in range(n)}).encode(), 20_000),
    "phones": (lambda n: json.dumps({f"{k}.wav": _SPOKEN for k in range(n)}).encode(), 10_000),
    "vertices": (_lines("5\n"), 200_000),
    "landmarks, text": (_lines("5\n"), 200_000),
    "pickle": (lambda n: pickle.dumps({str(k): [k, k / 2] for k in range(n)}, 2), 30_000),
    "corpus zip": (_members, 300),
    "names": (lambda n: "".join(f"shape{k}\n" for k in range(n)).encode(), 2_000),
    "training log": (_lines("5,0.1\n", "step,loss\n"), 100_000),
    "sound": (lambda n: READERS["sound"].proper()[:44] + bytes(n), 2_000_000),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", SERIES)
def test_memory_and_time_grow_with_the_file(name, tmp_path):
    reader, (make, least) = READERS[name], SERIES[name]

    def read(path: Path) -> str:
        try:
            reader.read(path)
        except Exception as error:  # what is too large for its kind is refused; that counts as well
            return type(error).__name__
        return "read"

    seconds = []
    base = _measured(lambda: "nothing")[1]
    for times in (1, 2, 4, 8):
        place = tmp_path / str(times)
        place.mkdir()
        reader.beside(place)
        path = place / reader.name
        path.write_bytes(make(least * times))
        answer, memory, taken = _measured(lambda path=path: read(path))
        assert answer in ("read", "FormatError", "LandmarkError", "MeshError", "AudioError"), answer
        assert memory - base <= max(FREE_BYTES, TIMES * path.stat().st_size)
        seconds.append(taken)
    # Linear: eight times the file takes at most twice as long a byte; the tenths are the process's own.
    assert seconds[-1] <= 16 * seconds[0] + 0.5

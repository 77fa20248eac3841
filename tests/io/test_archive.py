"""Archives within limits."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from blendvoca.errors import ConfigurationError, FormatError, MissingInputError
from blendvoca.internal.limits import ARCHIVE_MEMBER, FACTOR_VARIABLE
from blendvoca.io.archive import extracted, open_zip, read_member
from blendvoca.io.npz import read_npz


def zipped(path, content, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_cannot_be_bounded_are_refused(tmp_path, method):
    path = zipped(tmp_path / "a.zip", {"a": bytes(1000)}, method)
    with open_zip(path) as archive, pytest.raises(FormatError, match="unusual way; expected stored or deflated"):
        read_member(archive, archive.infolist()[0], path.stat().st_size, "a")


def test_a_member_that_understates_its_size(tmp_path):
    path = zipped(tmp_path / "a.zip", {"a": bytes(10_000_000)})
    data = bytearray(path.read_bytes())
    for start in (data.index(b"PK\x03\x04") + 22, data.index(b"PK\x01\x02") + 24):
        data[start : start + 4] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    with open_zip(path) as archive, pytest.raises(FormatError, match="damaged"):
        read_member(archive, archive.infolist()[0], path.stat().st_size, "a")


def test_files_of_two_folders_do_not_meet(tmp_path):
    path = zipped(tmp_path / "a.zip", {"left/a.obj": b"1", "right/a.obj": b"2", "notes.txt": b"3"})
    with extracted(path, (".obj",)) as folder:
        found = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*.obj")}
    assert found == {"left/a.obj": b"1", "right/a.obj": b"2"}
    assert not folder.exists()


def test_npz(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", a=np.arange(3), b=np.ones(2), c=np.zeros(1))
    found = read_npz(tmp_path / "a.npz", ["a"], ["c", "d"])
    assert set(found) == {"a", "c"} and found["a"].tolist() == [0, 1, 2]
    with pytest.raises(FormatError, match=r"no \['d'\]"):
        read_npz(tmp_path / "a.npz", ["a", "d"])
    with pytest.raises(MissingInputError):
        read_npz(tmp_path / "none.npz", ["a"])
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    with pytest.raises(FormatError, match="not an array"):
        read_npz(tmp_path / "objects.npz", ["a"])


def test_npz_of_zeros_is_refused_by_what_it_produces(tmp_path):
    np.savez_compressed(tmp_path / "a.npz", a=np.zeros(10_000_000))
    assert (tmp_path / "a.npz").stat().st_size < 100_000
    with pytest.raises(FormatError, match="too large"):
        read_npz(tmp_path / "a.npz", ["a"])


def test_npz_whose_header_claims_more_than_it_holds(tmp_path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**11,)})
    with pytest.raises(FormatError, match="not an array"):
        read_npz(zipped(tmp_path / "a.npz", {"a.npy": header.getvalue()}), ["a"])


def test_limits_can_be_raised_but_not_to_nonsense(monkeypatch):
    plain = ARCHIVE_MEMBER.allowed(1)
    monkeypatch.setenv(FACTOR_VARIABLE, "4")
    assert ARCHIVE_MEMBER.allowed(1) == 4 * plain
    for wrong in ("0.5", "many", "nan", "inf"):
        monkeypatch.setenv(FACTOR_VARIABLE, wrong)
        with pytest.raises(ConfigurationError, match=FACTOR_VARIABLE):
            ARCHIVE_MEMBER.allowed(1)

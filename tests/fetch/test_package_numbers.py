"""Tars whose numbers are beyond a machine word."""

import io
import tarfile

import pytest

from blendvoca.errors import FormatError
from blendvoca.fetch.package import unpack


def test_a_header_with_a_number_of_a_thousand_digits(tmp_path):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("a")
        info.pax_headers = {"comment": "x" * 200}
        tar.addfile(info)
    content = stream.getvalue()
    assert b" comment=x" in content
    place = content.index(b" comment=x")
    start = content.rindex(b"\0", 0, place) + 1
    digits = b"9" * 40 + content[place : place + 100]
    (tmp_path / "a.tar").write_bytes(content[:start] + digits + content[start + len(digits) :])
    with pytest.raises(FormatError, match="no tar"):
        unpack(tmp_path / "a.tar", tmp_path / "out")
